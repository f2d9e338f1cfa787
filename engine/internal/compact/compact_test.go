package compact

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/extents"
)

// xfs mounts a file system of its own that shares blocks.
func xfs(t *testing.T, megabytes int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := exec.LookPath("mkfs.xfs"); err != nil {
		t.Skip("needs mkfs.xfs (package xfsprogs)")
	}
	backing, mountPoint := filepath.Join(t.TempDir(), "volume"), t.TempDir()
	must(t, os.WriteFile(backing, nil, 0o600))
	must(t, os.Truncate(backing, megabytes<<20))
	run(t, "mkfs.xfs", "-q", "-m", "reflink=1", backing)
	run(t, "mount", "-o", "loop,noatime", backing, mountPoint)
	t.Cleanup(func() { run(t, "umount", mountPoint) })
	return mountPoint
}

// tmpfs is a directory where no blocks are.
func tmpfs(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "compact")
	if err != nil {
		t.Skip("needs /dev/shm")
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return directory
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, output)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	data  = 20 << 20
	hole  = 12 << 20
	after = 1<<20 + 1234 // no whole number of blocks
)

// image makes pages.img: data, a hole, and data up to an odd size. On a volume that shares blocks it lies in hundreds of pieces.
func image(t *testing.T, directory string) (path string, content []byte) {
	t.Helper()
	path, content = filepath.Join(directory, "pages.img"), make([]byte, data+hole+after)
	_, _ = rand.Read(content[:data])
	_, _ = rand.Read(content[data+hole:])
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	must(t, err)
	defer file.Close()
	write(t, file, content[:data], 0)
	write(t, file, content[data+hole:], data+hole)
	if other, err := os.Create(filepath.Join(directory, "other")); err == nil && unix.IoctlFileClone(int(other.Fd()), int(file.Fd())) == nil {
		other.Close()
		for at := int64(0); at < data; at += 64 << 10 {
			write(t, file, content[at:at+4096], at)
			must(t, file.Sync())
		}
	}
	must(t, os.Chmod(path, 0o640))
	must(t, os.Chown(path, 1000, 1001))
	must(t, os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 123_456_789)))
	return path, content
}

func write(t *testing.T, file *os.File, content []byte, offset int64) {
	t.Helper()
	_, err := file.WriteAt(content, offset)
	must(t, err)
}

// remember is what must be the same of a file afterwards.
func remember(t *testing.T, path string) [5]int64 {
	t.Helper()
	var stat unix.Stat_t
	must(t, unix.Stat(path, &stat))
	return [5]int64{int64(stat.Mode), int64(stat.Uid), int64(stat.Gid), stat.Size, stat.Mtim.Nano()}
}

func expectContent(t *testing.T, path string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s has other content, %d bytes: %v", path, len(got), err)
	}
}

func expectNoLeftover(t *testing.T, directory string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(directory, "*"+unfinished))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestAnImageIsTheSameAfterwards(t *testing.T) {
	for name, directory := range map[string]string{"xfs": xfs(t, 512), "tmpfs": tmpfs(t)} {
		t.Run(name, func(t *testing.T) {
			path, content := image(t, directory)
			must(t, os.WriteFile(path+unfinished, []byte("of a host that died"), 0o600))
			before := remember(t, path)
			old, err := os.Open(path)
			must(t, err)
			defer old.Close()
			written, err := Directory(context.Background(), directory)
			if err != nil || written != data+after {
				t.Fatalf("%d bytes, %v", written, err)
			}
			expectContent(t, path, content)
			if got := remember(t, path); got != before {
				t.Errorf("mode, owner, group, size and time are %v, were %v", got, before)
			}
			var replaced, kept unix.Stat_t
			must(t, unix.Stat(path, &replaced))
			must(t, unix.Fstat(int(old.Fd()), &kept))
			if replaced.Ino == kept.Ino {
				t.Error("the file was not written anew")
			}
			if replaced.Blocks*512 > data+after+4096 {
				t.Errorf("%d bytes are taken: the hole was filled", replaced.Blocks*512)
			}
			reader := make([]byte, len(content))
			if _, err := old.ReadAt(reader, 0); err != nil || !bytes.Equal(reader, content) {
				t.Errorf("who had the file open reads something else: %v", err)
			}
			expectNoLeftover(t, directory)
		})
	}
}

func TestAnImageLiesInFewPiecesAfterwards(t *testing.T) {
	directory := xfs(t, 512)
	image(t, directory)
	before, err := extents.OfDirectory(directory)
	must(t, err)
	if before.Extents < 300 {
		t.Fatalf("only %d pieces to begin with", before.Extents)
	}
	_, err = Directory(context.Background(), directory)
	must(t, err)
	file, err := os.Open(filepath.Join(directory, "pages.img"))
	must(t, err)
	defer file.Close()
	after, err := extents.OfFile(file)
	if err != nil || after.Extents > 8 || after.SharedBytes > 0 {
		t.Errorf("%+v %v", after, err)
	}
}

func TestOnlyWhatIsWorthItIsWrittenAnew(t *testing.T) {
	directory := tmpfs(t)
	sizes := map[string]int64{"pages.img": 0, "checkpoint.img": largeFrom, "multitar.img": largeFrom + 1, "left.compact": largeFrom + 1}
	for name, size := range sizes {
		must(t, os.WriteFile(filepath.Join(directory, name), nil, 0o600))
		must(t, os.Truncate(filepath.Join(directory, name), size))
	}
	got, err := candidates(directory)
	if err != nil || len(got) != 2 || got[0] != "multitar.img" || got[1] != "pages.img" {
		t.Errorf("%v %v", got, err)
	}
}

func TestWithoutRoomTheOldFileStays(t *testing.T) {
	directory := xfs(t, 320) // 300 is the least that there is, 64 of them are the file system's log
	path, content := image(t, directory)
	must(t, os.WriteFile(filepath.Join(directory, "filler"), nil, 0o600))
	filler, err := os.OpenFile(filepath.Join(directory, "filler"), os.O_WRONLY, 0)
	must(t, err)
	defer filler.Close()
	var stat unix.Statfs_t
	must(t, unix.Statfs(directory, &stat))
	must(t, unix.Fallocate(int(filler.Fd()), 0, 0, int64(stat.Bavail)*stat.Bsize-10<<20))
	if _, err := Directory(context.Background(), directory); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("without room: %v", err)
	}
	expectContent(t, path, content)
	expectNoLeftover(t, directory)
}

func TestWhoDoesNotWantItAnyMoreKeepsTheOldFile(t *testing.T) {
	directory := tmpfs(t)
	path, content := image(t, directory)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Directory(ctx, directory); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	expectContent(t, path, content)
	expectNoLeftover(t, directory)
}

func TestTwoAtOnceAreNotInEachOthersWay(t *testing.T) {
	directory := tmpfs(t)
	first, err := os.Open(directory)
	must(t, err)
	defer first.Close()
	must(t, unix.Flock(int(first.Fd()), unix.LOCK_EX))
	if _, err := Directory(context.Background(), directory); !errors.Is(err, ErrBusy) {
		t.Errorf("while another one works: %v", err)
	}
}
