package test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestSandboxesOutliveTheHost(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	running, frozen := w.newNetwork(), w.newNetwork()
	h.call("boot", w.bundle("running", running, nil))
	h.call("boot", w.bundle("frozen", frozen, nil))
	running.hear("/count")
	frozen.hear("/count")
	h.call("freeze", map[string]any{"execution": "frozen"})
	before := h.list()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		h.signal(signal)
		running.hear("/count")
		h = w.start()
		if after := h.list(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("after %v: %v, before: %v", signal, after, before)
		}
	}
	h.refused("conflict", "boot", w.bundle("running", running, nil))
	h.call("thaw", map[string]any{"execution": "frozen"})
	if got := frozen.hear("/count"); got != "2" {
		t.Errorf("the frozen one counts %s", got)
	}
	if got := running.hear("/count"); got != "5" {
		t.Errorf("the running one counts %s", got)
	}
	h.call("freeze", map[string]any{"execution": "running"})
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	h.call("capture", map[string]any{"execution": "running", "directory": image, "direct": false})
	started := time.Now()
	h.call("destroy", map[string]any{"execution": "running"})
	if took := time.Since(started); took > time.Second {
		t.Errorf("destroy of an adopted execution took %v", took)
	}
}

func TestOneHostPerRootAndSocket(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	for _, socket := range []string{w.socket(), w.path("other")} {
		output, err := w.second(socket)
		if err == nil {
			t.Errorf("a second host started on %s", socket)
		}
		t.Logf("%s", output)
	}
	if info, err := os.Stat(w.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v %v", info, err)
	}
	h.call("version", map[string]any{})
}

func TestExitsAreReportedOnce(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.events()
	n := w.newNetwork()
	boot := func(execution string) {
		n.prepare()
		h.call("boot", w.bundle(execution, n, nil))
		n.hear("/count")
	}
	boot("leaves")
	_, _ = n.ask("/exit?code=7")
	expectExit(t, events, "leaves", 7)
	h.expect("leaves", "stopped")
	h.refused("conflict", "freeze", map[string]any{"execution": "leaves"})
	h.call("destroy", map[string]any{"execution": "leaves"})

	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV} {
		execution := fmt.Sprintf("signalled-%d", signal)
		boot(execution)
		_, _ = n.ask(fmt.Sprintf("/signal-first?signal=%d", signal))
		expectEnd(t, events, execution)
		h.call("destroy", map[string]any{"execution": execution})
	}

	boot("killed")
	w.must(syscall.Kill(h.entry("killed").PID, syscall.SIGKILL))
	expectExit(t, events, "killed", 137)
	h.expect("killed", "stopped")
	h.call("destroy", map[string]any{"execution": "killed"})

	boot("hungry")
	_, _ = n.ask("/allocate?megabytes=3000")
	expectExit(t, events, "hungry", 137)
	h.call("destroy", map[string]any{"execution": "hungry"})

	boot("adopted")
	h.signal(syscall.SIGKILL)
	h = w.start()
	events = h.events()
	w.must(syscall.Kill(h.entry("adopted").PID, syscall.SIGKILL))
	expectExit(t, events, "adopted", -1)
	h.expect("adopted", "stopped")
	h.call("destroy", map[string]any{"execution": "adopted"})

	boot("unseen")
	pid := h.entry("unseen").PID
	h.signal(syscall.SIGKILL)
	w.must(syscall.Kill(pid, syscall.SIGKILL))
	h = w.start()
	events = h.events()
	h.expect("unseen", "stopped")
	h.call("destroy", map[string]any{"execution": "unseen"})
	boot("planned")
	h.call("destroy", map[string]any{"execution": "planned"})
	expectSilence(t, events, 200*time.Millisecond)
}

// expectEnd waits for the exit of a sandbox whose first process was ended from inside, with whatever status.
func expectEnd(t *testing.T, events <-chan event, execution string) {
	t.Helper()
	select {
	case e := <-events:
		if e.Execution != execution || e.Status == nil || *e.Status == 0 {
			t.Errorf("exit %+v of %s", e, execution)
		}
		t.Logf("%s: status %d", execution, *e.Status)
	case <-time.After(60 * time.Second):
		t.Errorf("no exit of %s is reported", execution)
	}
}

func TestTornStateCanBeDestroyed(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	contents := []string{"", `{"id":`, "null", "{}", `{"id":"torn-4","sandbox":null}`}
	for i := range contents {
		h.call("boot", w.bundle(fmt.Sprintf("torn-%d", i), w.newNetwork(), nil))
	}
	h.call("boot", w.bundle("whole", w.newNetwork(), nil))
	h.call("boot", w.bundle("lost", w.newNetwork(), nil))
	h.signal(syscall.SIGKILL)
	for i, content := range contents {
		name := fmt.Sprintf("torn-%d_sandbox:torn-%d.state", i, i)
		w.must(os.WriteFile(w.path("root", name), []byte(content), 0o640))
	}
	w.must(os.Remove(w.path("root", "lost_sandbox:lost.state")))
	h = w.start()
	for i := range contents {
		execution := fmt.Sprintf("torn-%d", i)
		h.expect(execution, "stopped")
		h.call("destroy", map[string]any{"execution": execution})
	}
	h.expect("whole", "running")
	h.expect("lost", "")
	h.call("destroy", map[string]any{"execution": "lost"})
	h.call("destroy", map[string]any{"execution": "whole"})
	if left, err := filepath.Glob(w.path("root", "*")); err != nil || len(left) > 2 {
		t.Errorf("left in the root: %v", left)
	}
	if left, err := filepath.Glob(w.path("logs", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the logs: %v", left)
	}
}

// TestHostKilledWhileBooting kills the host at many moments of a boot: afterwards an execution is whole, or gone, or shown as
// stopped (its state was half written) without a process.
func TestHostKilledWhileBooting(t *testing.T) {
	w := newWorld(t)
	n := w.newNetwork()
	h := w.start()
	for moment := range 12 {
		execution := fmt.Sprintf("m-%d", moment)
		n.prepare()
		request := w.bundle(execution, n, nil)
		go func() { _, _ = h.try("boot", request) }()
		time.Sleep(time.Duration(moment) * 15 * time.Millisecond)
		h.signal(syscall.SIGKILL)
		h = w.start()
		status := h.entry(execution).Status
		t.Logf("killed after %d ms: %q", moment*15, status)
		if status == "frozen" {
			t.Errorf("killed after %d ms: %q", moment*15, status)
		}
		if status != "running" && len(w.processes()) > 0 {
			t.Errorf("processes are left: %v", w.processes())
		}
		h.call("destroy", map[string]any{"execution": execution})
		if left := w.groups(); len(left) > 0 {
			t.Errorf("groups are left: %v", left)
		}
	}
}
