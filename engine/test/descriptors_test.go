package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"torpor.dev/engine/internal/process"
)

// TestNothingOfOneSandboxIsOpenInAnother starts many at once, in a host that has more files open than a sandbox may inherit.
func TestNothingOfOneSandboxIsOpenInAnother(t *testing.T) {
	w := newWorld(t)
	null, err := os.Open(os.DevNull)
	w.must(err)
	defer null.Close()
	h := w.startWith(func(command *exec.Cmd) {
		for range 235 {
			command.ExtraFiles = append(command.ExtraFiles, null)
		}
	})
	const count, bursts = 8, 3
	networks := make([]*network, count)
	for i := range count {
		networks[i] = w.newNetwork()
	}
	image := captured(w, h, "origin")
	for burst := range bursts {
		var all sync.WaitGroup
		for i, n := range networks {
			n.prepare()
			request := with(w.bundle(fmt.Sprintf("s-%d-%d", burst, i), n, nil), "image", image)
			all.Go(func() {
				if _, err := h.try("restore", request); err != nil {
					t.Errorf("restore: %v", err)
				}
			})
		}
		all.Wait()
		w.expectNothingShared()
		for i := range count {
			h.call("destroy", map[string]any{"execution": fmt.Sprintf("s-%d-%d", burst, i)})
		}
	}
}

// expectNothingShared looks for sockets that processes of two executions have open.
func (w *world) expectNothingShared() {
	w.t.Helper()
	owners := map[string]string{}
	found, err := process.Scan(w.path("root"))
	w.must(err)
	for _, p := range found {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID))
		for _, link := range links {
			target, _ := os.Readlink(link)
			if !strings.HasPrefix(target, "socket:") {
				continue
			}
			if owner, known := owners[target]; known && owner != p.Execution {
				w.t.Errorf("%s of %s is open in %s", target, owner, p.Execution)
			}
			owners[target] = p.Execution
		}
	}
}
