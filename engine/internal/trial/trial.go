// Package trial gives tests file systems of their own.
package trial

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// XFS mounts one that shares blocks and has large folios in the page cache, and gives where. Without root or mkfs.xfs the test is skipped.
func XFS(t *testing.T, megabytes int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := exec.LookPath("mkfs.xfs"); err != nil {
		t.Skip("needs mkfs.xfs (package xfsprogs)")
	}
	backing, mountPoint := filepath.Join(t.TempDir(), "volume"), t.TempDir()
	Must(t, os.WriteFile(backing, nil, 0o600))
	Must(t, os.Truncate(backing, megabytes<<20))
	run(t, "mkfs.xfs", "-q", "-m", "reflink=1", backing)
	run(t, "mount", "-o", "loop,noatime", backing, mountPoint)
	t.Cleanup(func() { run(t, "umount", mountPoint) })
	return mountPoint
}

// Tmpfs gives a directory whose files have no blocks to share.
func Tmpfs(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "trial")
	if err != nil {
		t.Skip("needs /dev/shm")
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return directory
}

// Must ends the test at an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, output)
	}
}
