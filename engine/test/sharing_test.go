package test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// volume mounts a file system that shares blocks between files, and gives a directory on it.
func (w *world) volume() string {
	w.t.Helper()
	return w.volumeOf(4 << 30)
}

// volumeOf is one of so many bytes.
func (w *world) volumeOf(bytes int64) string {
	w.t.Helper()
	if _, err := exec.LookPath("mkfs.xfs"); err != nil {
		w.t.Skip("needs mkfs.xfs (package xfsprogs)")
	}
	backing, mountPoint := w.path("volume.img"), w.path("volume")
	w.must(os.WriteFile(backing, nil, 0o600))
	w.must(os.Truncate(backing, bytes))
	w.must(os.Mkdir(mountPoint, 0o700))
	w.run("mkfs.xfs", "-q", "-m", "reflink=1", backing)
	w.run("mount", "-o", "loop,noatime", backing, mountPoint)
	w.t.Cleanup(func() { w.run("umount", mountPoint) })
	return mountPoint
}

// taken is how much of the volume is in use, in MiB.
func (w *world) taken(volume string) int64 {
	w.t.Helper()
	w.run("sync", "-f", volume)
	var stat syscall.Statfs_t
	w.must(syscall.Statfs(volume, &stat))
	return int64(stat.Blocks-stat.Bfree) * stat.Bsize >> 20
}

// sharing is a world with a volume, and the sandboxes on it.
type sharing struct {
	*world
	host   *host
	volume string
}

func (s *sharing) request(execution string, n *network, memory bool) map[string]any {
	request := s.bundle(execution, n, roomy)
	if memory {
		request["memoryDirectory"] = s.volume
	}
	return request
}

// capture freezes for it, as a pause does, and goes on.
func (s *sharing) capture(execution, name string) (image string) {
	s.t.Helper()
	image = s.volume + "/" + name
	s.must(os.Mkdir(image, 0o700))
	target := map[string]any{"execution": execution}
	s.host.call("waitRestored", target)
	s.host.call("freeze", target)
	s.host.call("capture", map[string]any{"execution": execution, "directory": image, "direct": true})
	s.host.call("thaw", target)
	return image
}

// restored is a new sandbox of the image; memory says whether its memory lies on the volume.
func (s *sharing) restored(execution, image string, memory bool) *network {
	s.t.Helper()
	n := s.newNetwork()
	s.host.call("restore", with(s.request(execution, n, memory), "image", image))
	return n
}

func TestMemoryAndImagesShareTheirBlocks(t *testing.T) {
	w := newWorld(t)
	s := &sharing{world: w, volume: w.volume()}
	s.host = w.start()
	n := w.newNetwork()
	s.host.call("boot", s.request("a", n, true))
	first := n.hear("/fill?megabytes=256")
	before := w.taken(s.volume)
	older := s.capture("a", "older")
	if more := w.taken(s.volume) - before; more > 64 {
		t.Errorf("an image of 256 MiB takes %d MiB beside the memory it was made of", more)
	}
	before = w.taken(s.volume)
	s.capture("a", "untouched")
	if more := w.taken(s.volume) - before; more > 32 {
		t.Errorf("a second image of 256 MiB that nobody touched takes %d MiB", more)
	}
	// Side by side: the file system writes and copies whole folios, so pages far apart cost more than themselves.
	second := n.hear("/scribble?pages=2560&apart=1")
	newer := s.capture("a", "newer")
	if more := w.taken(s.volume) - before; more > 96 {
		t.Errorf("an image of 256 MiB of which 10 were changed takes %d MiB", more)
	}
	n.hear("/scribble?pages=500&apart=100")
	for name, each := range map[string]struct{ image, want string }{"b": {older, first}, "c": {newer, second}} {
		before := w.taken(s.volume)
		clone := s.restored(name, each.image, true)
		s.host.call("waitRestored", map[string]any{"execution": name})
		if more := w.taken(s.volume) - before; more > 64 {
			t.Errorf("a clone of 256 MiB takes %d MiB", more)
		}
		if got := clone.hear("/sum"); got != each.want {
			t.Errorf("%s remembers other bytes", name)
		}
	}
}

func TestImagesOfEitherKindOfMemoryAreRestoredInTheOther(t *testing.T) {
	w := newWorld(t)
	s := &sharing{world: w, volume: w.volume()}
	s.host = w.start()
	n := w.newNetwork()
	s.host.call("boot", s.request("shared", n, true))
	want := n.hear("/fill?megabytes=64")
	copied := s.restored("copied", s.capture("shared", "of-shared"), false)
	if got := copied.hear("/sum"); got != want {
		t.Error("an image with shared blocks reads otherwise when it is copied")
	}
	again := s.restored("again", s.capture("copied", "of-copied"), true)
	if got := again.hear("/sum"); got != want {
		t.Error("an image that was copied reads otherwise when it is shared")
	}
	third := s.restored("third", s.capture("again", "of-again"), true)
	if got := third.hear("/sum"); got != want {
		t.Error("after three generations the bytes are others")
	}
}

// inFiles boots an execution `a` whose memory lies in files, counted once, and hears what is told of it.
func inFiles(t *testing.T) (*host, *network, <-chan event) {
	t.Helper()
	w := newWorld(t)
	volume := w.volume()
	h := w.start()
	events := h.stream("exit", "memory")
	n := w.newNetwork()
	h.call("boot", with(w.bundle("a", n, nil), "memoryDirectory", volume))
	n.hear("/count")
	return h, n, events
}

// TestMemoryInFilesHasItsLimit ends the greedy process at the event, as the agent would; a second one is left to the host.
func TestMemoryInFilesHasItsLimit(t *testing.T) {
	h, n, events := inFiles(t)
	n.hear("/eat?megabytes=3000&threads=2")
	if e := next(t, events); e.Type != "memory" || e.LimitBytes != 512<<20 || e.UsageBytes < e.LimitBytes {
		t.Fatalf("event %+v", e)
	}
	n.hear("/kill-eater")
	h.awaitMemoryBelow("a", 200<<20)
	n.hear("/eat?megabytes=3000&threads=2")
	for h.memoryOf("a") < 600<<20 {
		time.Sleep(5 * time.Millisecond)
	}
	h.awaitMemoryBelow("a", 200<<20)
	if got := n.hear("/count"); got != "2" {
		t.Errorf("count = %s", got)
	}
	for len(events) > 0 {
		if e := <-events; e.Type != "memory" {
			t.Errorf("event %+v", e)
		}
	}
}

// TestAnImageOnAnotherFileSystemIsCopied captures past the page cache and through it.
func TestAnImageOnAnotherFileSystemIsCopied(t *testing.T) {
	s, _, sum := newSharing(t, 100)
	for _, direct := range []bool{true, false} {
		name := fmt.Sprintf("direct-%v", direct)
		image := s.path(name)
		s.must(os.Mkdir(image, 0o700))
		captured := ask[taken](s.host, "capture", map[string]any{"execution": "a", "directory": image, "direct": direct})
		if got := s.host.space(map[string]any{"directory": image}); got.SharedBytes != 0 || captured.Bytes < 100<<20 || captured.Bytes != got.Bytes {
			t.Errorf("%s: %+v, capture said %+v", name, got, captured)
		}
		if got := s.restored(name, image, true).hear("/sum"); got != sum {
			t.Errorf("%s: other bytes", name)
		}
	}
}
