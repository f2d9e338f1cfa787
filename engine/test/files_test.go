package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

// lower fills the part of the root file system that the zoo changes.
func (w *world) lower() {
	for _, name := range []string{"deleted directory/below", "opaque", "directory", "now a file"} {
		w.must(os.MkdirAll(w.path("rootfs", "lower", name), 0o755))
	}
	for _, name := range []string{"kept", "deleted", "deleted directory/below/x", "opaque/hidden", "replaced", "changed mode", "changed owner", "renamed", "now a directory", "now a file/x", "directory/stays", "directory/removed"} {
		w.must(os.WriteFile(w.path("rootfs", "lower", name), []byte("lower "+name), 0o644))
	}
}

// listing is everything about every file below the zoo and what is changed of the lower layer.
func (n *network) listing() map[string]string {
	n.w.t.Helper()
	all := map[string]string{}
	n.w.must(json.Unmarshal([]byte(n.hear("/listing?roots=/zoo,/lower")), &all))
	return all
}

// captureFiles writes an image of files into a new directory.
func (h *host) captureFiles(execution, name string) (directory string) {
	h.w.t.Helper()
	directory = h.w.path(name)
	h.w.must(os.Mkdir(directory, 0o755))
	h.call("captureFiles", map[string]any{"execution": execution, "directory": directory, "direct": true})
	return directory
}

func TestFilesComeBack(t *testing.T) {
	w := newWorld(t)
	w.lower()
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	n.hear("/zoo")
	before := n.listing()
	boot := n.hear("/read?path=/proc/sys/kernel/random/boot_id")
	h.call("freeze", map[string]any{"execution": "a"})
	files := h.captureFiles("a", "files")
	h.expect("a", "frozen")
	h.call("thaw", map[string]any{"execution": "a"})
	if got := n.hear("/count"); got != "2" {
		t.Errorf("after the capture the sandbox counts %s", got)
	}
	h.call("destroy", map[string]any{"execution": "a"})

	n.prepare()
	h.call("boot", with(w.bundle("b", n, nil), "files", files))
	if got := n.hear("/count"); got != "1" {
		t.Errorf("booted on files, it counts %s", got)
	}
	if n.hear("/read?path=/proc/sys/kernel/random/boot_id") == boot {
		t.Error("the boot id is the old one")
	}
	differ(t, withKnownLosses(t, before), withKnownLosses(t, n.listing()))
	h.call("waitRestored", map[string]any{"execution": "b"})
}

var modified = regexp.MustCompile(`mtime=(\d+)\.(\d{9})`)

// TestFilesInMotion takes files of a running sandbox, puts a memory image on top of them, and fills the disk.
func TestFilesInMotion(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/replace?path=/kept&bytes=5000000")
	files := h.captureFiles("a", "files")
	h.expect("a", "running")
	for _, size := range []string{"4k", "64k", "3m"} {
		h.refused("no_space", "captureFiles", map[string]any{"execution": "a", "directory": w.smallDisk(size, size), "direct": false})
		if kept := n.hear("/read?path=/kept"); len(kept) != 5_000_000 {
			t.Errorf("%d bytes are left", len(kept))
		}
	}
	h.refused("invalid", "captureFiles", map[string]any{"execution": "a", "directory": files, "direct": false})
	h.call("destroy", map[string]any{"execution": "a"})

	n.prepare()
	h.call("boot", with(w.bundle("b", n, nil), "files", files))
	n.hear("/count")
	n.hear("/write?path=/more&bytes=3000000")
	h.call("waitRestored", map[string]any{"execution": "b"})
	w.must(os.RemoveAll(files))
	h.signal(syscall.SIGKILL)
	h = w.start()
	h.call("waitRestored", map[string]any{"execution": "b"})
	image := w.path("image")
	w.must(os.Mkdir(image, 0o755))
	h.call("capture", map[string]any{"execution": "b", "directory": image, "direct": false})
	h.call("destroy", map[string]any{"execution": "b"})

	n.prepare()
	h.call("restore", with(w.bundle("c", n, nil), "image", image))
	if got := n.hear("/count"); got != "2" {
		t.Errorf("count = %s", got)
	}
	if kept, more := n.hear("/read?path=/kept"), n.hear("/read?path=/more"); len(kept)+len(more) != 8_000_000 {
		t.Errorf("%d bytes come back", len(kept)+len(more))
	}
	h.captureFiles("c", "again")
}

// TestAFullRootFitsAgain boots on the files of a sandbox whose disk was full to the last byte.
func TestAFullRootFitsAgain(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", with(w.bundle("a", n, nil), "diskBytes", 8<<20))
	n.hear(fmt.Sprintf("/replace?path=/full&bytes=%d", 8<<20))
	files := h.captureFiles("a", "files")
	h.call("destroy", map[string]any{"execution": "a"})
	n.prepare()
	h.call("boot", with(with(w.bundle("b", n, nil), "diskBytes", 8<<20), "files", files))
	if _, err := n.ask("/write?path=/more&bytes=1"); err == nil {
		t.Log("an empty page could still be had")
	}
	if full := n.hear("/read?path=/full"); len(full) != 8<<20 {
		t.Errorf("%d bytes come back", len(full))
	}
}

// TestBrokenFilesLeaveNothing breaks each file of an image in each way. What a boot finds is `damaged`; nothing is left behind.
func TestBrokenFilesLeaveNothing(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/many?count=300")
	n.hear("/replace?path=/large&bytes=3000000")
	files := h.captureFiles("a", "files")
	h.call("destroy", map[string]any{"execution": "a"})
	n.prepare()
	h.refused("invalid", "boot", with(with(w.bundle("small", n, nil), "diskBytes", 3<<20), "files", files))
	breakages := map[string]func(path string) error{
		"missing":   os.Remove,
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"truncated": func(path string) error { return os.Truncate(path, w.size(path)/2) },
		"one-short": func(path string) error { return os.Truncate(path, w.size(path)-1) },
		"longer":    func(path string) error { return os.Truncate(path, w.size(path)+4096) },
		"flipped":   func(path string) error { w.flip(path); return nil },
		"zeroes":    func(path string) error { return os.WriteFile(path, make([]byte, w.size(path)), 0o644) },
	}
	for number, name := range []string{"fscheckpoint.pb", "multitar.img", "pages_meta.img", "pages.img"} {
		for how, breakIt := range breakages {
			copied := w.path(fmt.Sprintf("broken-%d-%s", number, how))
			w.run("cp", "-a", files, copied)
			w.must(breakIt(filepath.Join(copied, name)))
			n.prepare()
			execution := fmt.Sprintf("%d-%s", number, how)
			_, err := h.try("boot", with(w.bundle(execution, n, nil), "files", copied))
			w.expectDamaged(h, execution, name+" "+how, err)
		}
	}
}

// size is a file's length.
func (w *world) size(path string) int64 {
	info, err := os.Stat(path)
	w.must(err)
	return info.Size()
}

// expectDamaged judges the start from a broken image: refused as damaged without a trace, or not found (flipped content of
// pages), which is only told here.
func (w *world) expectDamaged(h *host, execution, what string, err error) {
	w.t.Helper()
	if err == nil {
		w.t.Logf("not found at the start: %s", what)
		_, err := h.try("waitRestored", map[string]any{"execution": execution})
		w.t.Logf("not found at the start: %s: waitRestored: %v", what, err)
		h.call("destroy", map[string]any{"execution": execution})
	} else if f, ok := err.(*failure); !ok || f.Kind != "damaged" {
		w.t.Errorf("%s: %v", what, err)
	} else {
		w.t.Logf("%s: %.300s", what, f)
	}
	w.expectNothingLeft(what)
}

func (w *world) expectNothingLeft(what string) {
	w.t.Helper()
	if left := w.processes(); len(left) > 0 {
		w.t.Errorf("%s: processes are left: %v", what, left)
	}
	if left := w.groups(); len(left) > 0 {
		w.t.Errorf("%s: groups are left: %v", what, left)
	}
}

// lost are extended attributes that an image of files does not keep: binary and empty ones.
var lost = regexp.MustCompile(` user\.(empty|not\.utf8)="[^"]*"`)

// withKnownLosses takes away what an image of files is known not to keep (PROTOCOL.md).
func withKnownLosses(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	delete(files, `"/zoo/socket"`)
	for path, told := range files {
		files[path] = modified.ReplaceAllStringFunc(lost.ReplaceAllString(told, ""), func(text string) string {
			var seconds, nanoseconds int64
			if _, err := fmt.Sscanf(text, "mtime=%d.%d", &seconds, &nanoseconds); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("mtime=%d", time.Unix(seconds, nanoseconds).Round(time.Second).Unix())
		})
	}
	return files
}

// TestDeletedFilesLeaveTheImage captures a sandbox with deleted open files several times over: nothing piles up.
func TestDeletedFilesLeaveTheImage(t *testing.T) {
	w := newWorld(t)
	w.lower()
	h := w.start()
	n := w.newNetwork()
	boot := w.bundle("g0", n, nil)
	var sizes []int64
	for generation := range 4 {
		n.prepare()
		h.call("boot", boot)
		n.hear("/count")
		n.hear("/replace?path=/replaced&bytes=30000000")
		n.hear("/hold?path=/held&bytes=20000000")
		h.call("freeze", map[string]any{"execution": boot["execution"]})
		files := h.captureFiles(boot["execution"].(string), fmt.Sprintf("files-%d", generation))
		info, err := os.Stat(filepath.Join(files, "pages.img"))
		w.must(err)
		sizes = append(sizes, info.Size())
		h.call("destroy", map[string]any{"execution": boot["execution"]})
		boot = with(w.bundle(fmt.Sprintf("g%d", generation+1), n, nil), "files", files)
	}
	for _, size := range sizes {
		if size < 30_000_000 || size > 31_000_000 {
			t.Errorf("the images have %v bytes of content", sizes)
		}
	}
	n.prepare()
	h.call("boot", boot)
	if got := n.hear("/read?path=/replaced"); len(got) != 30_000_000 {
		t.Errorf("%d bytes come back", len(got))
	}
}

func differ(t *testing.T, before, after map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if after[path] != before[path] {
			t.Errorf("%s\n was %s\n is  %s", path, before[path], after[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[path]; !ok {
			t.Errorf("%s is new: %s", path, after[path])
		}
	}
}
