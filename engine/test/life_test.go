package test

import (
	"os"
	"testing"
)

func TestLife(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.events()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	if got := n.hear("/count"); got != "1" {
		t.Fatalf("count = %s", got)
	}
	t.Log(n.hear("/tell"))
	h.expect("a", "running")
	h.refused("conflict", "boot", w.bundle("a", n, nil))
	h.refused("conflict", "thaw", map[string]any{"execution": "a"})

	h.call("freeze", map[string]any{"execution": "a"})
	h.refused("conflict", "freeze", map[string]any{"execution": "a"})
	h.expect("a", "frozen")
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	t.Logf("capture: %s", h.call("capture", map[string]any{"execution": "a", "directory": image, "direct": false}))
	h.expect("a", "frozen")
	if answer, err := n.ask("/count"); err == nil {
		t.Errorf("a frozen sandbox answers %q", answer)
	}
	h.call("thaw", map[string]any{"execution": "a"})
	h.expect("a", "running")
	t.Logf("count after thaw: %s", n.hear("/count"))
	t.Logf("stats: %s", h.call("stats", map[string]any{"execution": "a"}))
	h.call("destroy", map[string]any{"execution": "a"})
	h.call("destroy", map[string]any{"execution": "a"})
	h.refused("not_found", "freeze", map[string]any{"execution": "a"})
	expectSilence(t, events, 0)
}
