package test

import (
	"testing"
	"time"
)

// TestRoomForCopiesIsNoMemory writes to memory that is shared with an image: for each place the file system takes room for a copy, which
// it counts as the file's own until the copy is in the place of what was shared.
func TestRoomForCopiesIsNoMemory(t *testing.T) {
	w := newWorld(t)
	s := &sharing{world: w, volume: w.volume()}
	s.host = w.start()
	events := s.host.stream("exit", "memory")
	n := w.newNetwork()
	s.host.call("boot", with(w.bundle("a", n, nil), "memoryDirectory", s.volume))
	n.hear("/fill?megabytes=400")
	s.capture("a", "image")
	before := s.host.memoryOf("a")
	n.hear("/scatter?pages=20000")
	if after := s.host.memoryOf("a"); after > before+32<<20 {
		t.Errorf("%d MiB are used, %d before anything was written once more", after>>20, before>>20)
	}
	expectSilence(t, events, time.Second)
	n.hear("/eat?megabytes=3000&threads=1")
	if e := next(t, events); e.Type != "memory" || e.UsageBytes < e.LimitBytes {
		t.Errorf("event %+v", e)
	}
	n.hear("/kill-eater")
	s.host.awaitMemoryBelow("a", 450<<20)
}

// TestFastGrowthInFilesIsToldBeforeAnybodyIsEnded grows from far below the limit, at once and after a while in which nobody looked.
func TestFastGrowthInFilesIsToldBeforeAnybodyIsEnded(t *testing.T) {
	h, n, events := inFiles(t)
	for range 2 {
		n.hear("/eat?megabytes=3000&threads=2")
		e := next(t, events)
		if e.Type != "memory" || e.UsageBytes < e.LimitBytes || e.UsageBytes >= e.LimitBytes+256<<20 {
			t.Errorf("event %+v", e)
		}
		t.Logf("told at %d MiB", e.UsageBytes>>20)
		n.hear("/kill-eater")
		h.awaitMemoryBelow("a", 200<<20)
		h.call("freeze", map[string]any{"execution": "a"})
		expectQuiet(t, events, 700*time.Millisecond)
		h.call("thaw", map[string]any{"execution": "a"})
	}
}

// TestAFrozenShortageInFilesIsToldAfterTheThaw has nothing grow after the thaw.
func TestAFrozenShortageInFilesIsToldAfterTheThaw(t *testing.T) {
	h, n, events := inFiles(t)
	n.hear("/eat?megabytes=560&threads=1")
	next(t, events)
	h.call("freeze", map[string]any{"execution": "a"})
	expectQuiet(t, events, 1500*time.Millisecond)
	h.call("thaw", map[string]any{"execution": "a"})
	if e := next(t, events); e.Type != "memory" {
		t.Errorf("event %+v", e)
	}
	n.hear("/kill-eater")
	h.awaitMemoryBelow("a", 100<<20)
}

// expectQuiet lets what was told a moment ago arrive first.
func expectQuiet(t *testing.T, events <-chan event, wait time.Duration) {
	t.Helper()
	for settled := time.After(100 * time.Millisecond); ; {
		select {
		case <-events:
			continue
		case <-settled:
		}
		break
	}
	expectSilence(t, events, wait)
}

// TestAWriteToSharedMemoryTakesRoomForItselfOnly has its pages come in one by one, so that what is written to is no more than they are.
func TestAWriteToSharedMemoryTakesRoomForItselfOnly(t *testing.T) {
	s, _, _ := newSharing(t, 256)
	clone := s.restored("b", s.capture("a", "image"), true)
	s.host.call("waitRestored", map[string]any{"execution": "b"})
	s.host.call("prefetch", map[string]any{"execution": "b", "keepFreeBytes": 0})
	s.host.call("flush", map[string]any{"execution": "b"})
	before := s.taken(s.volume)
	clone.hear("/scatter?pages=2560")
	s.host.call("flush", map[string]any{"execution": "b"})
	if more := s.taken(s.volume) - before; more > 40 {
		t.Errorf("10 MiB here and there take %d MiB", more)
	}
}
