package test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// TestTimes measures every method ten times and prints the medians. It judges nothing: machines differ.
func TestTimes(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	for _, megabytes := range []int{0, 512} {
		n, clone := w.newNetwork(), w.newNetwork()
		times := map[string][]time.Duration{}
		measure := func(name string, work func()) {
			started := time.Now()
			work()
			times[name] = append(times[name], time.Since(started))
		}
		for round := range 10 {
			a, b := map[string]any{"execution": "a"}, map[string]any{"execution": "b"}
			n.prepare()
			clone.prepare()
			boot := w.bundle("a", n, roomy)
			measure("1 boot", func() { h.call("boot", boot) })
			measure("2 boot, until it answers", func() { n.hear("/count") })
			n.hear(fmt.Sprintf("/allocate?megabytes=%d", megabytes))
			image := w.path(fmt.Sprintf("image-%d-%d", megabytes, round))
			w.must(os.Mkdir(image, 0o755))
			measure("3 freeze", func() { h.call("freeze", a) })
			measure("4 capture, frozen, direct", func() {
				h.call("capture", map[string]any{"execution": "a", "directory": image, "direct": true})
			})
			measure("5 thaw", func() { h.call("thaw", a) })
			restore := with(w.bundle("b", clone, roomy), "image", image)
			measure("6 restore", func() { h.call("restore", restore) })
			measure("7 restore, until it answers", func() { clone.hear("/count") })
			measure("8 restore, until the image is read", func() { h.call("waitRestored", b) })
			measure("9 destroy", func() { h.call("destroy", b) })
			h.call("destroy", a)
			w.must(os.RemoveAll(image))
		}
		report(t, megabytes, times)
	}
}

func report(t *testing.T, megabytes int, times map[string][]time.Duration) {
	names := []string{}
	for name := range times {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(times[name])
		t.Logf("%4d MB  %-36s p50 %8.1f ms, worst %8.1f ms", megabytes, name, milliseconds(times[name][5]), milliseconds(times[name][9]))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
