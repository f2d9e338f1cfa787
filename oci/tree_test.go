package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"
)

// A whole file system comes back as it was. TORPOR_OCI_ROOTFS names a large one; by default it is this machine's /etc.
func TestFileSystemComesBackAsItWas(t *testing.T) {
	source := os.Getenv("TORPOR_OCI_ROOTFS")
	if source == "" {
		source = "/etc"
	}
	w := newWorld(t, false, open)
	upper := "./" + largestOf(t, source)
	image := w.imageOf(source, []string{"--exclude=" + upper, "."}, []string{upper})
	w.push(image, "app:v1")
	found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
	fields := w.unpackFields(found.Reference, "rootfs")
	fields["maxBytes"], fields["maxEntries"] = int64(64<<30), 1_000_000
	done := w.ask(fields)
	if done.Type != "result" {
		t.Fatalf("%+v", done)
	}
	want, got := describeAll(t, source), describeAll(t, filepath.Join(w.root, "rootfs"))
	for name, description := range want {
		if got[name] != description {
			t.Errorf("%s is\n%s, not\n%s", name, got[name], description)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("there are %d entries more", len(got))
	}
	t.Logf("%d entries, %d bytes are the same", len(want), done.Bytes)
}

// largestOf chooses the directory that becomes the upper layer.
func largestOf(t *testing.T, source string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(source, "usr")); err == nil {
		return "usr"
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		t.Fatal(err)
	}
	directory := slices.IndexFunc(entries, func(entry os.DirEntry) bool { return entry.IsDir() })
	return entries[directory].Name()
}

// imageOf packs a directory with GNU tar, which knows nothing of this tool.
func (w *world) imageOf(source string, layers ...[]string) v1.Image {
	w.Helper()
	image := v1.Image(empty.Image)
	for i, names := range layers {
		path := filepath.Join(w.root, fmt.Sprintf("layer%d.tar", i))
		command := exec.Command("tar", append([]string{"--xattrs", "--xattrs-include=*", "--numeric-owner", "--format=pax", "--sparse", "-C", source, "-cf", path}, names...)...)
		if output, err := command.CombinedOutput(); err != nil {
			w.Fatal(string(output), err)
		}
		layer, err := tarball.LayerFromFile(path, tarball.WithCompressionLevel(1))
		if err == nil {
			image, err = mutate.AppendLayers(image, layer)
		}
		if err != nil {
			w.Fatal(err)
		}
	}
	return image
}

// describeAll tells everything about every entry but device nodes.
func describeAll(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeDevice != 0 {
			return err
		}
		name, _ := filepath.Rel(root, path)
		found[name], err = describe(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func describe(path string) (string, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return "", err
	}
	text := fmt.Sprintf("mode %o owner %d:%d time %d.%09d", stat.Mode, stat.Uid, stat.Gid, stat.Mtim.Sec, stat.Mtim.Nsec)
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		to, err := os.Readlink(path)
		return text + " to " + to, err
	case unix.S_IFREG:
		sum, err := sumOf(path)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" links %d content %s", stat.Nlink, sum)
	}
	return text + attributesOf(path), nil
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hasher, _ := v1.Hasher("sha256")
	size, err := io.Copy(hasher, file)
	return fmt.Sprintf("%d %x", size, hasher.Sum(nil)), err
}

func attributesOf(path string) string {
	names := make([]byte, 64<<10)
	size, _ := unix.Llistxattr(path, names)
	var text strings.Builder
	listed := strings.Split(strings.TrimRight(string(names[:max(size, 0)]), "\x00"), "\x00")
	slices.Sort(listed)
	for _, name := range listed {
		value := make([]byte, 64<<10)
		size, _ := unix.Lgetxattr(path, name, value)
		fmt.Fprintf(&text, " %s=%x", name, bytes.Clone(value[:max(size, 0)]))
	}
	return text.String()
}
