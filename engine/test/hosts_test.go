package test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestTwoHostsDoNotDisturbEachOther boots in two hosts at once: each moves only itself in and out of control groups.
func TestTwoHostsDoNotDisturbEachOther(t *testing.T) {
	worlds := []*world{newWorld(t), newWorld(t)}
	var hosts []*host
	var all sync.WaitGroup
	const count = 4
	for _, w := range worlds {
		h := w.start()
		hosts = append(hosts, h)
		for i := range count {
			request := w.bundle(fmt.Sprintf("e%d", i), w.newNetwork(), nil)
			all.Go(func() {
				if _, err := h.try("boot", request); err != nil {
					t.Errorf("boot: %v", err)
				}
			})
		}
	}
	all.Wait()
	for n, w := range worlds {
		for i := range count {
			w.expectPlacement(hosts[n], fmt.Sprintf("e%d", i))
		}
	}
}

// TestLinksMayChange restores into a namespace whose link has another name, another MTU and a second address.
func TestLinksMayChange(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	n := w.newNetwork()
	w.run("ip", "-n", n.name, "link", "set", "eth0", "down")
	w.run("ip", "-n", n.name, "link", "set", "eth0", "name", "uplink7", "mtu", "1400")
	w.run("ip", "-n", n.name, "link", "set", "uplink7", "up")
	w.run("ip", "-n", n.name, "addr", "replace", n.address+"/30", "dev", "uplink7")
	w.run("ip", "-n", n.name, "addr", "add", "192.0.2.7/32", "dev", "uplink7")
	w.run("ip", "-n", n.name, "route", "replace", "default", "via", n.gateway())
	h.call("restore", with(w.bundle("moved", n, nil), "image", image))
	if got := n.hear("/count"); got != "3" {
		t.Errorf("count = %s", got)
	}
	told := n.hear("/tell")
	if !strings.Contains(told, "link: uplink7 1400") || !strings.Contains(told, "192.0.2.7/32") {
		t.Errorf("the clone tells %s", told)
	}
	t.Log(told[strings.Index(told, "link:"):])
	t.Log(w.run("ip", "-n", n.name, "addr"))
	bare := w.newNetwork()
	w.run("ip", "-n", bare.name, "addr", "flush", "dev", "eth0")
	h.call("restore", with(w.bundle("bare", bare, nil), "image", image))
	h.expect("bare", "running")
}
