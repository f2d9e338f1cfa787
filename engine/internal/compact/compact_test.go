package compact

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/extents"
	"torpor.dev/engine/internal/trial"
)

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
	trial.Must(t, err)
	defer file.Close()
	write(t, file, content[:data], 0)
	write(t, file, content[data+hole:], data+hole)
	if other, err := os.Create(filepath.Join(directory, "other")); err == nil && unix.IoctlFileClone(int(other.Fd()), int(file.Fd())) == nil {
		other.Close()
		for at := int64(0); at < data; at += 64 << 10 {
			write(t, file, content[at:at+4096], at)
			trial.Must(t, file.Sync())
		}
	}
	trial.Must(t, os.Chmod(path, 0o640))
	trial.Must(t, os.Chown(path, 1000, 1001))
	trial.Must(t, os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 123_456_789)))
	return path, content
}

func write(t *testing.T, file *os.File, content []byte, offset int64) {
	t.Helper()
	_, err := file.WriteAt(content, offset)
	trial.Must(t, err)
}

// remember is what must be the same of a file afterwards.
func remember(t *testing.T, path string) [5]int64 {
	t.Helper()
	var stat unix.Stat_t
	trial.Must(t, unix.Stat(path, &stat))
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
	for name, directory := range map[string]string{"xfs": trial.XFS(t, 512), "tmpfs": trial.Tmpfs(t)} {
		t.Run(name, func(t *testing.T) {
			path, content := image(t, directory)
			trial.Must(t, os.WriteFile(path+unfinished, []byte("of a host that died"), 0o600))
			before := remember(t, path)
			old, err := os.Open(path)
			trial.Must(t, err)
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
			trial.Must(t, unix.Stat(path, &replaced))
			trial.Must(t, unix.Fstat(int(old.Fd()), &kept))
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
	directory := trial.XFS(t, 512)
	image(t, directory)
	before, err := extents.OfDirectory(directory)
	trial.Must(t, err)
	if before.Extents < 300 {
		t.Fatalf("only %d pieces to begin with", before.Extents)
	}
	_, err = Directory(context.Background(), directory)
	trial.Must(t, err)
	file, err := os.Open(filepath.Join(directory, "pages.img"))
	trial.Must(t, err)
	defer file.Close()
	after, err := extents.OfFile(file)
	if err != nil || after.Extents > 8 || after.SharedBytes > 0 {
		t.Errorf("%+v %v", after, err)
	}
}

func TestOnlyWhatIsWorthItIsWrittenAnew(t *testing.T) {
	directory := trial.Tmpfs(t)
	sizes := map[string]int64{"pages.img": 0, "checkpoint.img": largeFrom, "multitar.img": largeFrom + 1, "left.compact": largeFrom + 1}
	for name, size := range sizes {
		trial.Must(t, os.WriteFile(filepath.Join(directory, name), nil, 0o600))
		trial.Must(t, os.Truncate(filepath.Join(directory, name), size))
	}
	got, err := candidates(directory)
	if err != nil || len(got) != 2 || got[0] != "multitar.img" || got[1] != "pages.img" {
		t.Errorf("%v %v", got, err)
	}
}

func TestWithoutRoomTheOldFileStays(t *testing.T) {
	directory := trial.XFS(t, 320) // 300 is the least that there is, 64 of them are the file system's log
	path, content := image(t, directory)
	trial.Must(t, os.WriteFile(filepath.Join(directory, "filler"), nil, 0o600))
	filler, err := os.OpenFile(filepath.Join(directory, "filler"), os.O_WRONLY, 0)
	trial.Must(t, err)
	defer filler.Close()
	var stat unix.Statfs_t
	trial.Must(t, unix.Statfs(directory, &stat))
	trial.Must(t, unix.Fallocate(int(filler.Fd()), 0, 0, int64(stat.Bavail)*stat.Bsize-10<<20))
	if _, err := Directory(context.Background(), directory); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("without room: %v", err)
	}
	expectContent(t, path, content)
	expectNoLeftover(t, directory)
}

func TestWhoDoesNotWantItAnyMoreKeepsTheOldFile(t *testing.T) {
	directory := trial.Tmpfs(t)
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
	directory := trial.Tmpfs(t)
	first, err := os.Open(directory)
	trial.Must(t, err)
	defer first.Close()
	trial.Must(t, unix.Flock(int(first.Fd()), unix.LOCK_EX))
	if _, err := Directory(context.Background(), directory); !errors.Is(err, ErrBusy) {
		t.Errorf("while another one works: %v", err)
	}
}
