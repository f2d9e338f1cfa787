package test

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// TestBursts runs whole lives side by side, bundles and images of their own, as a busy server does.
func TestBursts(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.events()
	const count, bursts = 8, 3
	networks := make([]*network, count)
	for i := range count {
		networks[i] = w.newNetwork()
	}
	for burst := range bursts {
		var all sync.WaitGroup
		for i := range count {
			networks[i].prepare()
			execution := fmt.Sprintf("l-%d-%d", burst, i)
			request := w.bundle(execution, networks[i], nil)
			image := w.path("image-" + execution)
			w.must(os.Mkdir(image, 0o755))
			all.Go(func() {
				if err := live(h, networks[i], request, image); err != nil {
					t.Errorf("%s: %v", execution, err)
				}
			})
		}
		all.Wait()
	}
	if left := h.list(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	expectSilence(t, events, 0)
}

// live boots, freezes and thaws, captures, destroys, restores under the same id, and destroys.
func live(h *host, n *network, request map[string]any, image string) error {
	target := map[string]any{"execution": request["execution"]}
	capture := map[string]any{"execution": request["execution"], "directory": image, "direct": false}
	type step struct {
		method string
		body   map[string]any
	}
	steps := []step{{"boot", request}}
	for range 3 {
		steps = append(steps, step{"freeze", target}, step{"thaw", target}, step{"stats", target})
	}
	steps = append(steps, step{"freeze", target}, step{"capture", capture}, step{"destroy", target})
	for _, s := range steps {
		if _, err := h.try(s.method, s.body); err != nil {
			return fmt.Errorf("%s: %w", s.method, err)
		}
	}
	n.prepare()
	restore := with(request, "image", image)
	for _, s := range []step{{"restore", restore}, {"waitRestored", target}, {"destroy", target}, {"destroy", target}} {
		if _, err := h.try(s.method, s.body); err != nil {
			return fmt.Errorf("%s: %w", s.method, err)
		}
	}
	return nil
}
