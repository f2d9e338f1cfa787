package test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of so many bytes.
func (w *world) smallDisk(name string, bytes string) string {
	w.t.Helper()
	directory := w.path(name)
	w.must(os.Mkdir(directory, 0o755))
	w.must(syscall.Mount("tmpfs", directory, "tmpfs", 0, "size="+bytes))
	w.t.Cleanup(func() { _ = syscall.Unmount(directory, syscall.MNT_DETACH) })
	image := filepath.Join(directory, "image")
	w.must(os.Mkdir(image, 0o755))
	return image
}

func TestCaptureLeavesTheStateAsItWas(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	n.hear("/allocate?megabytes=100")
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	h.call("capture", map[string]any{"execution": "a", "directory": image, "direct": false})
	h.expect("a", "running")
	if got := n.hear("/count"); got != "2" {
		t.Errorf("count = %s", got)
	}
	h.refused("invalid", "capture", map[string]any{"execution": "a", "directory": image, "direct": false})
	h.refused("invalid", "capture", map[string]any{"execution": "a", "directory": w.path("nowhere"), "direct": false})
	other := w.newNetwork()
	h.call("restore", with(w.bundle("b", other, nil), "image", image))
	if got := other.hear("/count"); got != "2" {
		t.Errorf("the clone counts %s", got)
	}
}

func TestFullDiskLeavesTheSandboxUnharmed(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/allocate?megabytes=64")
	n.hear("/count")
	for _, size := range []string{"4k", "64k", "1m", "16m"} {
		for _, direct := range []bool{false, true} {
			for _, frozen := range []bool{false, true} {
				image := w.smallDisk(size+map[bool]string{true: "-direct"}[direct]+map[bool]string{true: "-frozen"}[frozen], size)
				if frozen {
					h.call("freeze", map[string]any{"execution": "a"})
				}
				h.refused("no_space", "capture", map[string]any{"execution": "a", "directory": image, "direct": direct})
				if frozen {
					h.expect("a", "frozen")
					if answer, err := n.ask("/x"); err == nil {
						t.Errorf("a frozen sandbox answers %q", answer)
					}
					h.call("thaw", map[string]any{"execution": "a"})
				}
				h.expect("a", "running")
				n.hear("/count")
			}
		}
	}
	image := w.path("good")
	w.must(os.Mkdir(image, 0o755))
	h.call("capture", map[string]any{"execution": "a", "directory": image, "direct": true})
	other := w.newNetwork()
	h.call("restore", with(w.bundle("b", other, nil), "image", image))
	t.Logf("original %s, clone %s", n.hear("/count"), other.hear("/count"))
}

func TestDestroyOvertakesACapture(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/allocate?megabytes=400")
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	failed := make(chan error, 1)
	go func() {
		_, err := h.try("capture", map[string]any{"execution": "a", "directory": image, "direct": false})
		failed <- err
	}()
	time.Sleep(50 * time.Millisecond)
	started := time.Now()
	h.call("destroy", map[string]any{"execution": "a"})
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("destroy took %v", took)
	}
	if err := <-failed; err == nil {
		t.Error("the capture succeeded")
	} else {
		t.Log(err)
	}
}

func TestDiskLimit(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", with(w.bundle("a", n, nil), "diskBytes", 8<<20))
	n.hear("/write?path=/small&bytes=4000000")
	if _, err := n.ask("/write?path=/large&bytes=8000000"); err == nil {
		t.Error("more was written than the limit allows")
	} else {
		t.Log(err)
	}
}
