package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"torpor.dev/agent/internal/filesystem"
)

// patience bounds waiting for an event that should come soon.
const patience = 20 * time.Second

var letters = map[Operation]string{Create: "create", Write: "write", Remove: "remove", Rename: "rename", Chmod: "chmod"}

func TestEveryOperationIsTold(t *testing.T) {
	w := watching(t, Options{})
	path := filepath.Join(w.dir, "f")
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"create", func() error { return touch(path) }, []string{"create f"}},
		{"write", func() error { return write(path) }, []string{"write f"}},
		{"chmod", func() error { return os.Chmod(path, 0o600) }, []string{"chmod f"}},
		{"rename", func() error { return os.Rename(path, path+"2") }, []string{"rename f", "create f2"}},
		{"remove", func() error { return os.Remove(path + "2") }, []string{"remove f2"}},
		{"directory", func() error { return os.Mkdir(path, 0o755) }, []string{"create f"}},
		{"not recursive", func() error { return errors.Join(touch(path+"/inner"), touch(path+"3")) }, []string{"create f3"}},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := w.take(len(step.want)); !slices.Equal(got, step.want) {
			t.Errorf("%s: got %v", step.name, got)
		}
	}
}

func TestTreeGrowsMovesAndShrinks(t *testing.T) {
	w := watching(t, Options{Recursive: true}, "old/er")
	in := func(name string) string { return filepath.Join(w.dir, name) }
	elsewhere := t.TempDir()
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"in what was there", func() error { return touch(in("old/er/f")) }, []string{"create old/er/f"}},
		{"moved inside", func() error { return os.Rename(in("old"), in("new")) }, []string{"rename old", "create new"}},
		{"in what was moved", func() error { return touch(in("new/er/g")) }, []string{"create new/er/g"}},
		{"moved out", func() error { return os.Rename(in("new/er"), elsewhere+"/er") }, []string{"rename new/er"}},
		{"not of what has left", func() error { return errors.Join(touch(elsewhere+"/er/h"), touch(in("x"))) }, []string{"create x"}},
		{"moved in", func() error { return os.Rename(elsewhere+"/er", in("er")) }, []string{"create er"}},
		{"in what came in", func() error { return touch(in("er/i")) }, []string{"create er/i"}},
		{"made deep at once", func() error { return os.MkdirAll(in("a/b/c/d"), 0o755) }, []string{"create a", "create a/b", "create a/b/c", "create a/b/c/d"}},
		{"in the deepest", func() error { return touch(in("a/b/c/d/e")) }, []string{"create a/b/c/d/e"}},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := w.take(len(step.want)); !slices.Equal(got, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
}

func TestNoCreateIsLostOrToldTwiceInABurst(t *testing.T) {
	w := watching(t, Options{Recursive: true})
	const writers, directories, each = 4, 25, 100
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for j := range directories {
				dir := filepath.Join(w.dir, fmt.Sprintf("%d-%d/sub", i, j))
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Error(err)
				}
				for k := range each {
					if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(k)), nil, 0o644); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	created := map[string]int{}
	for range writers * directories * (each + 2) {
		created[w.take(1)[0]]++
	}
	all.Wait()
	for name, times := range created {
		if times != 1 {
			t.Errorf("%s came %d times", name, times)
		}
	}
}

func TestUploadsThatAreNotCompleteAreNotTold(t *testing.T) {
	w := watching(t, Options{Recursive: true})
	path := filepath.Join(w.dir, "f")
	staging := filesystem.StagingName(path)
	if err := errors.Join(touch(staging), write(staging), os.Rename(staging, path)); err != nil {
		t.Fatal(err)
	}
	if got := w.take(2); !slices.Equal(got, []string{"create f", "write f"}) {
		t.Errorf("got %v", got)
	}
}

func TestRemovalOfTheWatchedDirectoryIsTold(t *testing.T) {
	w := watching(t, Options{})
	if err := os.Remove(w.dir); err != nil {
		t.Fatal(err)
	}
	if got := w.take(1); got[0] != "remove ." {
		t.Errorf("got %v", got)
	}
}

func TestReaderThatIsTooSlowIsTold(t *testing.T) {
	w := &Watcher{ready: make(chan struct{}, 1), tree: &tree{kernel: &inotify{}}}
	for range maxEvents + 10 {
		w.add(Event{Name: "f", Operation: Write})
	}
	events, err := w.Take()
	if len(events) != maxEvents+1 || err != nil {
		t.Errorf("got %d events, %v", len(events), err)
	}
	if _, err := w.Take(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
}

func TestWatchRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := touch(file); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file+"-missing", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	_, err := New(file, Options{})
	if _, ok := errors.AsType[*NotDirectoryError](err); !ok {
		t.Errorf("a file: %v", err)
	}
}

func TestClosedWatcherLeavesNothingBehind(t *testing.T) {
	before := descriptors(t)
	for range 50 {
		w := watching(t, Options{Recursive: true})
		w.Close()
		w.Close()
	}
	if after := descriptors(t); after > before+5 {
		t.Errorf("from %d to %d descriptors", before, after)
	}
}

func FuzzParsingStaysInItsBuffer(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00f\x00\x00\x00"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range parse(data) {
			if len(s.name) > len(data) {
				t.Fatalf("a name of %d bytes out of %d", len(s.name), len(data))
			}
		}
	})
}

// watched is a watcher whose events are taken one by one.
type watched struct {
	*Watcher
	t       *testing.T
	dir     string
	pending []Event
}

func watching(t *testing.T, options Options, directories ...string) *watched {
	t.Helper()
	dir := t.TempDir()
	for _, each := range directories {
		if err := os.MkdirAll(filepath.Join(dir, each), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w, err := New(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &watched{Watcher: w, t: t, dir: dir}
}

func (w *watched) take(count int) []string {
	w.t.Helper()
	for len(w.pending) < count {
		select {
		case <-w.Ready():
		case <-time.After(patience):
			w.t.Fatalf("only %v came", w.pending)
		}
		events, err := w.Take()
		if err != nil {
			w.t.Fatal(err)
		}
		w.pending = append(w.pending, events...)
	}
	var taken []string
	for _, event := range w.pending[:count] {
		taken = append(taken, letters[event.Operation]+" "+event.Name)
	}
	w.pending = w.pending[count:]
	return taken
}

func touch(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o644)
	return errors.Join(err, file.Close())
}

func write(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString("x")
	return errors.Join(err, file.Close())
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
