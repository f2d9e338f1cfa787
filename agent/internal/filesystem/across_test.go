package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestMoveAcrossFileSystemsKeepsEverything(t *testing.T) {
	source, destination := filepath.Join(otherFilesystem(t), "source"), filepath.Join(t.TempDir(), "destination")
	modified := time.Unix(1_600_000_000, 0)
	file := filepath.Join(source, "sub/script")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(file), 0o750),
		os.WriteFile(file, []byte("content"), 0o644),
		os.Chown(file, 12345, 12346),
		os.Chmod(file, 0o751|fs.ModeSetuid),
		os.Chtimes(file, modified, modified),
		os.Symlink("sub/script", filepath.Join(source, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := moveAcross(source, destination); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(destination, "sub/script"))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if info.Mode() != 0o751|fs.ModeSetuid || !info.ModTime().Equal(modified) || stat.Uid != 12345 || stat.Gid != 12346 || info.Size() != 7 {
		t.Errorf("got %v %v %d %d", info.Mode(), info.ModTime(), stat.Uid, stat.Gid)
	}
	if target, err := os.Readlink(filepath.Join(destination, "link")); err != nil || target != "sub/script" {
		t.Errorf("the link: %q, %v", target, err)
	}
	if _, err := os.Lstat(source); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the source: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(destination)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFailedMoveAcrossFileSystemsLeavesTheSource(t *testing.T) {
	source, destination := filepath.Join(otherFilesystem(t), "source"), filepath.Join(t.TempDir(), "destination")
	for _, err := range []error{
		os.Mkdir(source, 0o755),
		os.WriteFile(filepath.Join(source, "a"), nil, 0o644),
		syscall.Mkfifo(filepath.Join(source, "fifo"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := moveAcross(source, destination); err == nil {
		t.Fatal("a FIFO was moved")
	}
	if left, err := os.ReadDir(source); err != nil || len(left) != 2 {
		t.Errorf("the source has %v, %v", left, err)
	}
	if left, err := os.ReadDir(filepath.Dir(destination)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func otherFilesystem(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "across-")
	if err != nil {
		t.Skip("there is no second file system")
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
