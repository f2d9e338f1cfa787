package extents

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/trial"
)

const block = 4096

// pieces makes a file of so many blocks with as large holes between.
func pieces(t *testing.T, path string, count int) *os.File {
	t.Helper()
	file, err := os.Create(path)
	trial.Must(t, err)
	t.Cleanup(func() { file.Close() })
	trial.Must(t, file.Truncate(int64(2*count*block))) // what is written at its end is given more than it asks for
	for i := range count {
		_, err := file.WriteAt(bytes.Repeat([]byte{1}, block), int64(2*i*block))
		trial.Must(t, err)
	}
	return file
}

func expect(t *testing.T, got Usage, err error, want Usage) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
}

// TestWhatAFileTakesIsTold has more pieces than one call of the kernel gives.
func TestWhatAFileTakesIsTold(t *testing.T) {
	const count = 2*atOnce + 3
	file := pieces(t, filepath.Join(trial.XFS(t, 512), "file"), count)
	want := Usage{Bytes: 2 * count * block, AllocatedBytes: count * block, Extents: count}
	got, err := OfFile(file) // not a byte of it is on the disk by now
	expect(t, got, err, want)
	trial.Must(t, file.Sync())
	got, err = OfFile(file)
	expect(t, got, err, want)
}

func TestWhatFilesShareIsTold(t *testing.T) {
	volume := trial.XFS(t, 512)
	file := pieces(t, filepath.Join(volume, "file"), 2)
	other, err := os.Create(filepath.Join(volume, "other"))
	trial.Must(t, err)
	defer other.Close()
	trial.Must(t, unix.IoctlFileCloneRange(int(other.Fd()), &unix.FileCloneRange{Src_fd: int64(file.Fd()), Src_length: block}))
	got, err := OfFile(file)
	expect(t, got, err, Usage{Bytes: 4 * block, AllocatedBytes: 2 * block, SharedBytes: block, Extents: 2})
	// A block that waits to be copied because it was written to is counted once, although it has two places by now.
	_, err = other.WriteAt([]byte{2}, 0)
	trial.Must(t, err)
	got, err = OfFile(other)
	expect(t, got, err, Usage{Bytes: block, AllocatedBytes: block, SharedBytes: block, Extents: 1})
	trial.Must(t, other.Sync())
	got, err = OfFile(other)
	expect(t, got, err, Usage{Bytes: block, AllocatedBytes: block, Extents: 1})
}

func TestOfADirectoryTheRegularFilesInItCount(t *testing.T) {
	directory := trial.XFS(t, 512)
	pieces(t, filepath.Join(directory, "large"), 3)
	pieces(t, filepath.Join(directory, "small"), 1)
	trial.Must(t, os.Mkdir(filepath.Join(directory, "below"), 0o700))
	pieces(t, filepath.Join(directory, "below", "file"), 9)
	trial.Must(t, os.Symlink("below/file", filepath.Join(directory, "link")))
	trial.Must(t, unix.Mkfifo(filepath.Join(directory, "fifo"), 0o600))
	got, err := OfDirectory(directory)
	expect(t, got, err, Usage{Bytes: 8 * block, AllocatedBytes: 4 * block, Extents: 3})
	if _, err := OfDirectory(filepath.Join(directory, "nowhere")); !os.IsNotExist(err) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestWithoutAMapOfBlocksTheirNumberIsTold(t *testing.T) {
	directory, err := os.MkdirTemp("/dev/shm", "extents")
	if err != nil {
		t.Skip("needs /dev/shm")
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	pieces(t, filepath.Join(directory, "large"), 3)
	pieces(t, filepath.Join(directory, "small"), 1)
	got, err := OfDirectory(directory)
	expect(t, got, err, Usage{Bytes: 8 * block, AllocatedBytes: 4 * block, Extents: 2})
}
