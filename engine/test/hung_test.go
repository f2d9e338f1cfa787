package test

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestAHungSandboxHoldsNothingUp stops the sandbox's own kernel: methods on it end, others go on, destroy works.
func TestAHungSandboxHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n, other := w.newNetwork(), w.newNetwork()
	h.call("boot", w.bundle("hung", n, nil))
	h.call("boot", w.bundle("other", other, nil))
	n.hear("/count")
	w.must(syscall.Kill(h.entry("hung").PID, syscall.SIGSTOP))
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	hung := map[string]any{"execution": "hung"}
	ended := make(chan error, 2)
	started := time.Now()
	go func() { _, err := h.try("freeze", hung); ended <- err }()
	go func() { _, err := h.try("thaw", hung); ended <- err }()
	h.call("freeze", map[string]any{"execution": "other"})
	h.call("thaw", map[string]any{"execution": "other"})
	h.call("stats", hung)
	for range 2 {
		if f, ok := (<-ended).(*failure); !ok || f.Kind != "timed_out" && f.Kind != "conflict" {
			t.Errorf("ended with %v", f)
		}
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("the methods took %v", took)
	}
	go func() {
		_, err := h.try("capture", map[string]any{"execution": "hung", "directory": image, "direct": false})
		ended <- err
	}()
	time.Sleep(100 * time.Millisecond)
	started = time.Now()
	h.call("destroy", hung)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("destroy took %v", took)
	}
	if err := <-ended; err == nil {
		t.Error("the capture succeeded")
	}
}

// TestAStoppedSandboxThatGoesOn freezes too late: nobody waits for that any more, so it runs on.
func TestAStoppedSandboxThatGoesOn(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	pid := h.entry("a").PID
	w.must(syscall.Kill(pid, syscall.SIGSTOP))
	h.refused("timed_out", "freeze", map[string]any{"execution": "a"})
	h.expect("a", "running")
	w.must(syscall.Kill(pid, syscall.SIGCONT))
	n.hear("/count")
	h.call("freeze", map[string]any{"execution": "a"})
	h.call("thaw", map[string]any{"execution": "a"})
	n.hear("/count")
}
