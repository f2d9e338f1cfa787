package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newSharing is a world with a volume, a host and a sandbox "a" whose memory lies there and holds so many megabytes.
func newSharing(t *testing.T, megabytes int) (s *sharing, n *network, sum string) {
	t.Helper()
	w := newWorld(t)
	s = &sharing{world: w, volume: w.volume()}
	s.host = w.start()
	n = w.newNetwork()
	s.host.call("boot", s.request("a", n, true))
	return s, n, n.hear(fmt.Sprintf("/fill?megabytes=%d", megabytes))
}

// ask calls a method and reads its answer.
func ask[Answer any](h *host, method string, body map[string]any) (answer Answer) {
	h.w.t.Helper()
	h.w.must(json.Unmarshal(h.call(method, body), &answer))
	return answer
}

type taken struct{ Bytes, AllocatedBytes, SharedBytes, Extents int64 }

func (h *host) space(of map[string]any) taken {
	h.w.t.Helper()
	return ask[taken](h, "space", of)
}

// dirtyMegabytes is what of a sandbox's memory files waits to be written to the disk.
func (h *host) dirtyMegabytes(execution string) (total uint64) {
	h.w.t.Helper()
	descriptors, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", h.entry(execution).PID))
	h.w.must(err)
	for _, path := range descriptors {
		if target, _ := os.Readlink(path); !strings.Contains(target, "/#") {
			continue
		}
		file, err := os.Open(path)
		h.w.must(err)
		var all [2]uint64
		var counts [5]uint64
		_, _, errno := unix.Syscall6(unix.SYS_CACHESTAT, file.Fd(), uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&counts)), 0, 0, 0)
		file.Close()
		if errno == unix.ENOSYS {
			h.w.t.Skip("needs Linux 6.5")
		}
		total += counts[1] * 4096 >> 20
	}
	return total
}

func TestFlushedMemoryIsOnTheDisk(t *testing.T) {
	s, n, _ := newSharing(t, 256)
	if before := s.host.dirtyMegabytes("a"); before < 200 {
		t.Fatalf("only %d MiB are dirty to begin with", before)
	}
	s.host.call("flush", map[string]any{"execution": "a"})
	if after := s.host.dirtyMegabytes("a"); after > 16 {
		t.Errorf("%d MiB are still dirty", after)
	}
	n.hear("/count")
	s.host.call("freeze", map[string]any{"execution": "a"})
	s.host.call("flush", map[string]any{"execution": "a"})
	s.host.expect("a", "frozen")
	s.host.refused("not_found", "flush", map[string]any{"execution": "b"})
}

func TestSandboxesInTheKernelsMemoryHaveNothingToFlushOrPrefetch(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/write?path=/file&bytes=20000000")
	h.call("flush", map[string]any{"execution": "a"})
	if got := ask[taken](h, "prefetch", map[string]any{"execution": "a", "keepFreeBytes": 0}); got.Bytes != 0 {
		t.Errorf("%+v", got)
	}
	if got := h.space(map[string]any{"execution": "a"}); got.AllocatedBytes < 20e6 || got.AllocatedBytes > 60e6 || got.SharedBytes != 0 {
		t.Errorf("the root's files take %+v", got)
	}
}

func TestPrefetchedMemoryIsThereWhenItIsNeeded(t *testing.T) {
	s, _, sum := newSharing(t, 256)
	image := s.capture("a", "image")
	clone := s.restored("b", image, true)
	s.host.call("waitRestored", map[string]any{"execution": "b"})
	prefetch := func(keepFree int64) int64 {
		return ask[taken](s.host, "prefetch", map[string]any{"execution": "b", "keepFreeBytes": keepFree}).Bytes
	}
	if got := prefetch(1 << 60); got != 0 {
		t.Errorf("%d bytes are read although less is to stay free", got)
	}
	s.host.call("freeze", map[string]any{"execution": "b"})
	if got := prefetch(0); got != 0 {
		t.Errorf("%d bytes are read for a frozen execution", got)
	}
	s.host.call("thaw", map[string]any{"execution": "b"})
	if got := prefetch(0); got < 200<<20 || got > 300<<20 {
		t.Errorf("%d bytes are read", got)
	}
	if got := prefetch(0); got > 1<<20 {
		t.Errorf("%d bytes are read once more", got)
	}
	if got := clone.hear("/sum"); got != sum {
		t.Error("the clone remembers other bytes")
	}
	s.host.refused("not_found", "prefetch", map[string]any{"execution": "c", "keepFreeBytes": 0})
}

// TestDestroyWaitsForNeitherFlushNorPrefetch lets all three begin at the same time.
func TestDestroyWaitsForNeitherFlushNorPrefetch(t *testing.T) {
	s, _, _ := newSharing(t, 512)
	ended := make(chan error, 2)
	for _, method := range []map[string]any{{"execution": "a"}, {"execution": "a", "keepFreeBytes": 0}} {
		name := map[int]string{1: "flush", 2: "prefetch"}[len(method)]
		go func() {
			_, err := s.host.try(name, method)
			ended <- err
		}()
	}
	s.host.call("destroy", map[string]any{"execution": "a"})
	for range 2 {
		if err := <-ended; err != nil {
			if f, ok := err.(*failure); !ok || f.Kind != "not_found" && f.Kind != "conflict" {
				t.Error(err)
			}
		}
	}
}

func TestSpaceTellsWhatIsShared(t *testing.T) {
	s, n, _ := newSharing(t, 256)
	execution := map[string]any{"execution": "a"}
	if got := s.host.space(execution); got.AllocatedBytes < 256<<20 || got.AllocatedBytes > 320<<20 || got.SharedBytes > 0 {
		t.Errorf("before there is an image, the execution takes %+v", got)
	}
	image := s.capture("a", "image")
	if got := s.host.space(execution); got.SharedBytes < 256<<20 {
		t.Errorf("the execution of an image takes %+v", got)
	}
	directory := map[string]any{"directory": image}
	if got := s.host.space(directory); got.Bytes < 256<<20 || got.SharedBytes < 256<<20 || got.SharedBytes > got.AllocatedBytes {
		t.Errorf("the image takes %+v", got)
	}
	n.hear("/scribble?pages=25600&apart=1")
	s.host.call("flush", execution)
	if got := s.host.space(execution); got.SharedBytes > 180<<20 || got.AllocatedBytes < 256<<20 {
		t.Errorf("after 100 MiB were written anew, the execution takes %+v", got)
	}
	s.host.refused("invalid", "space", map[string]any{"execution": "a", "directory": image})
	s.host.refused("invalid", "space", map[string]any{"directory": image + "/nowhere"})
	s.host.refused("not_found", "space", map[string]any{"execution": "b"})
}

func TestACompactedImageIsTheSameInFewPieces(t *testing.T) {
	s, n, _ := newSharing(t, 256)
	s.capture("a", "older")
	n.hear("/scribble?pages=1000&apart=60")
	sum := n.hear("/sum")
	image := s.volume + "/image"
	s.must(os.Mkdir(image, 0o700))
	captured := ask[taken](s.host, "capture", map[string]any{"execution": "a", "directory": image, "direct": false})
	directory := map[string]any{"directory": image}
	if before := s.host.space(directory); before.Extents < 100 || captured.Extents != before.Extents || captured.Bytes != before.Bytes {
		t.Fatalf("before: %+v, capture said %+v", before, captured)
	}
	if got := ask[taken](s.host, "compact", directory); got.Bytes < 256<<20 {
		t.Errorf("compact wrote %+v", got)
	}
	if after := s.host.space(directory); after.Extents > 16 || after.Bytes != captured.Bytes || after.SharedBytes > 1<<20 {
		t.Errorf("after: %+v", after)
	}
	if got := s.restored("b", image, true).hear("/sum"); got != sum {
		t.Error("an image that was compacted reads otherwise")
	}
	s.host.refused("invalid", "compact", map[string]any{"directory": image + "/nowhere"})
}

// TestAStoppingHostGivesUpACompaction asks it to stop as soon as there is a new file beside the old one.
func TestAStoppingHostGivesUpACompaction(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := w.path("image")
	w.must(os.Mkdir(image, 0o700))
	w.must(os.WriteFile(image+"/pages.img", make([]byte, 1<<30), 0o600))
	before, err := os.Stat(image + "/pages.img")
	w.must(err)
	ended := make(chan error, 1)
	go func() {
		_, err := h.try("compact", map[string]any{"directory": image})
		ended <- err
	}()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(image + "/pages.img.compact"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no new file comes up")
		}
	}
	h.signal(syscall.SIGTERM)
	if err := <-ended; err == nil {
		t.Error("the compaction went on to its end")
	}
	after, err := os.Stat(image + "/pages.img")
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the old file is gone: %v", err)
	}
	if _, err := os.Stat(image + "/pages.img.compact"); !os.IsNotExist(err) {
		t.Errorf("the new file is left: %v", err)
	}
}
