package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// captured boots an execution, lets it count to two and returns its frozen image.
func captured(w *world, h *host, execution string) (image string) {
	w.t.Helper()
	n := w.newNetwork()
	h.call("boot", w.bundle(execution, n, nil))
	n.hear("/count")
	n.hear("/count")
	n.hear("/write?path=/kept&bytes=5000")
	h.call("freeze", map[string]any{"execution": execution})
	image = w.path("image-" + execution)
	w.must(os.Mkdir(image, 0o755))
	h.call("capture", map[string]any{"execution": execution, "directory": image, "direct": true})
	return image
}

func with(request map[string]any, name string, value any) map[string]any {
	request[name] = value
	return request
}

func TestManyRestoresOfOneImage(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	const clones = 10
	networks := make([]*network, clones)
	requests := make([]map[string]any, clones)
	for i := range clones {
		networks[i] = w.newNetwork()
		requests[i] = with(w.bundle(fmt.Sprintf("clone-%d", i), networks[i], nil), "image", image)
	}
	var all sync.WaitGroup
	for _, request := range requests {
		all.Go(func() {
			if _, err := h.try("restore", request); err != nil {
				t.Errorf("restore: %v", err)
			}
		})
	}
	all.Wait()
	for i, n := range networks {
		if got := n.hear("/count"); got != "3" {
			t.Errorf("clone %d counts %s, want 3", i, got)
		}
		if kept := n.hear("/read?path=/kept"); len(kept) != 5000 {
			t.Errorf("clone %d kept %d bytes of its file", i, len(kept))
		}
		if told := n.hear("/tell"); !strings.Contains(told, fmt.Sprintf("hostname: clone-%d\n", i)) {
			t.Errorf("clone %d tells %s", i, told)
		}
		h.call("waitRestored", map[string]any{"execution": fmt.Sprintf("clone-%d", i)})
		w.expectPlacement(h, fmt.Sprintf("clone-%d", i))
	}
	h.expect("origin", "frozen")
}

// expectPlacement makes sure that sandbox and gofer are in the execution's own groups, in every hierarchy of limits.
func (w *world) expectPlacement(h *host, execution string) {
	w.t.Helper()
	found := 0
	for _, pid := range w.processes() {
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if !strings.HasSuffix(strings.TrimRight(string(line), "\x00"), "\x00"+execution) {
			continue
		}
		found++
		groups, _ := os.ReadFile("/proc/" + pid + "/cgroup")
		for _, controller := range []string{"memory", "cpu", "pids", ""} {
			if at, counted := groupOf(string(groups), controller); counted && at != "/"+w.name+"/"+execution {
				w.t.Errorf("process %s of %s is in %s group %s", pid, execution, controller, at)
			}
		}
	}
	if found != 2 {
		w.t.Errorf("%s has %d processes, want a sandbox and a gofer", execution, found)
	}
}

// groupOf reads /proc/PID/cgroup. The unnamed hierarchy counts only where it is the one in charge.
func groupOf(content, controller string) (group string, counted bool) {
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil && controller == "" {
		return "", false
	}
	for line := range strings.Lines(content) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && parts[1] == controller {
			return parts[2], true
		}
	}
	return "", false
}

func TestParallelBootsLandInTheirOwnGroups(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	const count = 8
	var all sync.WaitGroup
	for i := range count {
		request := w.bundle(fmt.Sprintf("b%d", i), w.newNetwork(), nil)
		all.Go(func() {
			if _, err := h.try("boot", request); err != nil {
				t.Errorf("boot: %v", err)
			}
		})
	}
	all.Wait()
	for i := range count {
		w.expectPlacement(h, fmt.Sprintf("b%d", i))
	}
	if at, ok := groupOf(readFile(t, fmt.Sprintf("/proc/%d/cgroup", h.command.Process.Pid)), "memory"); ok && strings.Contains(at, w.name) {
		t.Errorf("the host stayed in %s", at)
	}
	for i := range count {
		all.Go(func() {
			if _, err := h.try("destroy", map[string]any{"execution": fmt.Sprintf("b%d", i)}); err != nil {
				t.Errorf("destroy: %v", err)
			}
		})
	}
	all.Wait()
	if left := h.list(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestWhatMayDiffer pins down what a restore accepts to be different from the captured sandbox.
func TestWhatMayDiffer(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	rootfs := w.path("rootfs-elsewhere")
	w.run("cp", "-a", w.path("rootfs"), rootfs)
	w.run("cp", "-a", w.path("agent"), w.path("agent-elsewhere"))
	same := []struct {
		name   string
		adjust func(*specs.Spec)
	}{
		{"environment", func(s *specs.Spec) { s.Process.Env = []string{"A=b"} }},
		{"rootfs", func(s *specs.Spec) { s.Root.Path = rootfs }},
		{"mount-source", func(s *specs.Spec) { s.Mounts[len(s.Mounts)-1].Source = w.path("agent-elsewhere") }},
		{"memory", func(s *specs.Spec) { *s.Linux.Resources.Memory.Limit = 1 << 30 }},
		{"annotation", func(s *specs.Spec) { s.Annotations = map[string]string{"torpor": "x"} }},
	}
	for _, c := range same {
		n := w.newNetwork()
		h.call("restore", with(w.bundle(c.name, n, c.adjust), "image", image))
		if got := n.hear("/count"); got != "3" {
			t.Errorf("%s: count = %s", c.name, got)
		}
		t.Logf("%s: %s", c.name, strings.Join(strings.SplitAfter(n.hear("/tell"), "\n")[7:9], ""))
		h.call("destroy", map[string]any{"execution": c.name})
	}
	roomier := w.newNetwork()
	h.call("restore", with(with(w.bundle("disk", roomier, nil), "image", image), "diskBytes", 2<<30))
	roomier.hear("/count")
	t.Logf("disk: %s", strings.SplitAfter(roomier.hear("/tell"), "\n")[7])
	n := w.newNetwork()
	for _, c := range []struct {
		name   string
		adjust func(*specs.Spec)
	}{
		{"args", func(s *specs.Spec) { s.Process.Args = []string{"/bin/guest", "x"} }},
		{"mounts", func(s *specs.Spec) { s.Mounts = s.Mounts[:len(s.Mounts)-1] }},
		{"capabilities", func(s *specs.Spec) { s.Process.Capabilities.Effective = nil }},
	} {
		n.prepare()
		f := h.refused("invalid", "restore", with(w.bundle(c.name, n, c.adjust), "image", image))
		t.Logf("%s: %s", c.name, f.Detail)
	}
}

func TestBrokenImagesLeaveNothing(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	h.call("destroy", map[string]any{"execution": "origin"})
	n := w.newNetwork()
	breakages := map[string]func(copy string){
		"empty":               func(copy string) { w.must(os.RemoveAll(copy)); w.must(os.Mkdir(copy, 0o755)) },
		"no-directory":        func(copy string) { w.must(os.RemoveAll(copy)) },
		"torn-state":          func(copy string) { w.must(os.Truncate(filepath.Join(copy, "checkpoint.img"), 20000)) },
		"no-state":            func(copy string) { w.must(os.Truncate(filepath.Join(copy, "checkpoint.img"), 0)) },
		"torn-metadata":       func(copy string) { w.must(os.Truncate(filepath.Join(copy, "pages_meta.img"), 10)) },
		"flipped-description": func(copy string) { w.flip(filepath.Join(copy, "pages_meta.img")) },
		"torn-pages":          func(copy string) { w.must(os.Truncate(filepath.Join(copy, "pages.img"), 4096)) },
		"no-pages":            func(copy string) { w.must(os.Remove(filepath.Join(copy, "pages.img"))) },
		"flipped":             func(copy string) { w.flip(filepath.Join(copy, "checkpoint.img")) },
		"other-version": func(copy string) {
			w.replaceInFile(filepath.Join(copy, "checkpoint.img"), "v0.0.0-2026", "v0.0.0-2025")
		},
		"garbage-header": func(copy string) { w.must(os.WriteFile(filepath.Join(copy, "checkpoint.img"), []byte("hello"), 0o644)) },
	}
	for name, breakIt := range breakages {
		copied := w.path("broken-" + name)
		w.run("cp", "-a", image, copied)
		breakIt(copied)
		n.prepare()
		_, err := h.try("restore", with(w.bundle(name, n, nil), "image", copied))
		if f, ok := err.(*failure); !ok || f.Kind != "damaged" {
			t.Errorf("%s: %v", name, err)
		}
		w.expectNothingLeft(name)
	}
}

// TestDamagedPages shows what of damage to the pages alone is found: they stream in behind a restore, and have no sums.
func TestDamagedPages(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	image := captured(w, h, "origin")
	h.call("destroy", map[string]any{"execution": "origin"})
	pages := filepath.Join(image, "pages.img")
	n := w.newNetwork()
	restore := func(execution string) error {
		n.prepare()
		_, err := h.try("restore", with(w.bundle(execution, n, nil), "image", image))
		return err
	}
	w.flip(pages)
	w.must(restore("flipped"))
	h.call("waitRestored", map[string]any{"execution": "flipped"})
	h.call("destroy", map[string]any{"execution": "flipped"})

	w.must(os.Truncate(pages, w.size(pages)-4096))
	// Whether the restore itself needs the missing page is a matter of chance.
	if err := restore("short"); err == nil {
		h.refused("damaged", "waitRestored", map[string]any{"execution": "short"})
	} else if f, ok := err.(*failure); !ok || f.Kind != "damaged" {
		t.Error(err)
	}
	h.call("destroy", map[string]any{"execution": "short"})
	w.expectNothingLeft("short")
}

func (w *world) flip(path string) {
	content, err := os.ReadFile(path)
	w.must(err)
	for i := len(content) / 2; i < min(len(content), len(content)/2+64); i++ {
		content[i] ^= 0xff
	}
	w.must(os.WriteFile(path, content, 0o644))
}

func (w *world) replaceInFile(path, old, new string) {
	content, err := os.ReadFile(path)
	w.must(err)
	if !strings.Contains(string(content), old) {
		w.t.Fatalf("%s does not hold %q", path, old)
	}
	w.must(os.WriteFile(path, []byte(strings.ReplaceAll(string(content), old, new)), 0o644))
}
