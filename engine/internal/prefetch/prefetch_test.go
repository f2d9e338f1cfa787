package prefetch

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/trial"
)

const (
	data = 8 << 20
	page = 4096
)

// cold makes a file of data, a hole of the same size and data, none of which is in the page cache.
func cold(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(trial.XFS(t, 512), "file"))
	trial.Must(t, err)
	t.Cleanup(func() { file.Close() })
	for _, offset := range []int64{0, 2 * data} {
		_, err := file.WriteAt(bytes.Repeat([]byte{1}, data), offset)
		trial.Must(t, err)
	}
	trial.Must(t, file.Sync())
	trial.Must(t, unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED))
	if count(t, file).cached > 0 {
		t.Skip("the kernel keeps the file in the page cache")
	}
	return file
}

// count asks the kernel what of the whole file is in the page cache.
func count(t *testing.T, file *os.File) (found counts) {
	t.Helper()
	all := span{0, 0} // to the end
	_, _, errno := unix.Syscall6(unix.SYS_CACHESTAT, file.Fd(), uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&found)), 0, 0, 0)
	if errno == unix.ENOSYS {
		t.Skip("needs Linux 6.5")
	}
	if errno != 0 {
		t.Fatal(errno)
	}
	return found
}

func always() bool { return true }

func TestDataIsInMemoryAfterwardsAndHolesAreNot(t *testing.T) {
	file := cold(t)
	half := make([]byte, data/2+page) // which the kernel has then, with some more
	_, err := file.ReadAt(half, 0)
	trial.Must(t, err)
	present := int64(count(t, file).cached) * page
	bytes, err := Read(file, always)
	if err != nil || bytes != 2*data-present {
		t.Errorf("%d bytes were read, %d were missing: %v", bytes, 2*data-present, err)
	}
	if got := count(t, file).cached * page; got != 2*data {
		t.Errorf("%d of %d bytes are in memory", got, 2*data)
	}
	if bytes, err := Read(file, always); err != nil || bytes != 0 {
		t.Errorf("%d bytes are read again: %v", bytes, err)
	}
}

func TestAWrittenWordMakesOnePageDirty(t *testing.T) {
	file := cold(t)
	_, err := Read(file, always)
	trial.Must(t, err)
	mapping, err := unix.Mmap(int(file.Fd()), 0, data, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	trial.Must(t, err)
	defer func() { _ = unix.Munmap(mapping) }()
	written := uint64(0)
	for at := 0; at < data; at += 16 * page {
		mapping[at] = 2
		written++
	}
	if got := count(t, file).dirty; got != written {
		t.Errorf("%d words made %d pages dirty", written, got)
	}
}

func TestItEndsWhenNobodyWantsItAnyMore(t *testing.T) {
	file := cold(t)
	asked := 0
	bytes, err := Read(file, func() bool { asked++; return asked <= 3 })
	if err != nil || bytes != 3*piece {
		t.Errorf("%d bytes, %v", bytes, err)
	}
}
