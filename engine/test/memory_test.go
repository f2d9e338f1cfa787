package test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// memoryOf is what stats tells.
func (h *host) memoryOf(execution string) (bytes int64) {
	h.w.t.Helper()
	var stats struct{ MemoryBytes int64 }
	h.w.must(json.Unmarshal(h.call("stats", map[string]any{"execution": execution}), &stats))
	return stats.MemoryBytes
}

func (h *host) awaitMemoryBelow(execution string, bytes int64) {
	h.w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); h.memoryOf(execution) >= bytes; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.w.t.Fatalf("%s still uses %d bytes", execution, h.memoryOf(execution))
		}
	}
}

// TestAShortageIsToldInTime ends the greedy process at each event, as the agent would: the sandbox lives on.
func TestAShortageIsToldInTime(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.stream("exit", "memory")
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	for round, threads := range []int{1, 2, 4, 8} {
		n.hear(fmt.Sprintf("/eat?megabytes=3000&threads=%d", threads))
		e := next(t, events)
		if e.Type != "memory" || e.Execution != "a" || e.LimitBytes != 512<<20 || e.UsageBytes < e.LimitBytes {
			t.Fatalf("event %+v", e)
		}
		n.hear("/kill-eater")
		t.Logf("%d threads: told at %d MiB", threads, e.UsageBytes>>20)
		h.awaitMemoryBelow("a", 100<<20)
		for len(events) > 0 {
			if e := <-events; e.Type != "memory" {
				t.Errorf("event %+v", e)
			}
		}
		if got := n.hear("/count"); got != fmt.Sprint(round+2) {
			t.Errorf("count = %s", got)
		}
	}
	expectSilence(t, events, 300*time.Millisecond)
}

// TestTheKernelTakesOneProcess lets nobody act on a shortage: then the kernel does, and not on the whole sandbox.
func TestTheKernelTakesOneProcess(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	exits := h.events()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	n.hear("/eat?megabytes=3000&threads=4")
	for h.memoryOf("a") < 600<<20 {
		time.Sleep(5 * time.Millisecond)
	}
	h.awaitMemoryBelow("a", 100<<20)
	if got := n.hear("/count"); got != "2" {
		t.Errorf("count = %s", got)
	}
	expectSilence(t, exits, 0)
}

// TestFileCacheIsNoShortage fills the group with the cache of files; memory on top of it is told of all the same.
func TestFileCacheIsNoShortage(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.stream("exit", "memory")
	n := w.newNetwork()
	h.call("boot", with(w.bundle("a", n, nil), "diskBytes", 4<<30))
	n.hear("/count")
	for file := range 6 {
		n.hear(fmt.Sprintf("/replace?path=/file-%d&bytes=%d", file, 200<<20))
	}
	h.awaitMemoryBelow("a", 450<<20)
	for len(events) > 0 {
		t.Logf("%+v", <-events)
	}
	expectSilence(t, events, 500*time.Millisecond)
	n.hear("/eat?megabytes=3000&threads=2")
	if e := next(t, events); e.Type != "memory" {
		t.Errorf("event %+v", e)
	}
	n.hear("/kill-eater")
	n.hear("/count")
}

// TestACreepingShortageIsTold has the limit crossed by file cache, and stays below the kernel's own.
func TestACreepingShortageIsTold(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.stream("exit", "memory")
	n := w.newNetwork()
	h.call("boot", with(w.bundle("a", n, nil), "diskBytes", 4<<30))
	n.hear("/count")
	n.hear(fmt.Sprintf("/replace?path=/file&bytes=%d", 120<<20))
	n.hear("/eat?megabytes=540&threads=1")
	if e := next(t, events); e.Type != "memory" || e.UsageBytes < e.LimitBytes {
		t.Errorf("event %+v", e)
	}
	n.hear("/kill-eater")
	n.hear("/count")
}

// TestAFrozenShortageIsToldAfterTheThaw also changes the host in between.
func TestAFrozenShortageIsToldAfterTheThaw(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	events := h.stream("exit", "memory")
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	n.hear("/eat?megabytes=540&threads=1")
	next(t, events)
	h.call("freeze", map[string]any{"execution": "a"})
	time.Sleep(100 * time.Millisecond)
	for len(events) > 0 {
		<-events
	}
	expectSilence(t, events, 500*time.Millisecond)
	h.call("thaw", map[string]any{"execution": "a"})
	if e := next(t, events); e.Type != "memory" {
		t.Errorf("event %+v", e)
	}
	n.hear("/kill-eater")
	h.awaitMemoryBelow("a", 100<<20)
}

// TestProcessesInsideAreTheKernelsChoice looks at the scores after a boot and after a restore: only the sandbox and its gofer have
// a lower one.
func TestProcessesInsideAreTheKernelsChoice(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	n := w.newNetwork()
	h.call("restore", with(w.bundle("clone", n, nil), "image", image))
	n.hear("/eat?megabytes=1&threads=1")
	own := w.processes()
	inside := 0
	for _, directory := range w.groups() {
		for _, pid := range strings.Fields(readFile(t, filepath.Join(directory, "cgroup.procs"))) {
			score := strings.TrimSpace(readFile(t, "/proc/"+pid+"/oom_score_adj"))
			if slices.Contains(own, pid) != (score == "500") || score != "500" && score != "1000" {
				t.Errorf("process %s in %s has %s", pid, directory, score)
			}
			inside++
		}
	}
	if inside <= len(own) || len(own) != 4 {
		t.Errorf("%d processes, %v of the runtime", inside, own)
	}
}
