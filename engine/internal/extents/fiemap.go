package extents

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's linux/fiemap.h.
const (
	getMap = 0xc020660b // FS_IOC_FIEMAP
	last   = 0x1        // FIEMAP_EXTENT_LAST
	shared = 0x2000     // FIEMAP_EXTENT_SHARED
)

type extent struct {
	logical, physical, length uint64
	_                         [2]uint64
	flags                     uint32
	_                         [3]uint32
}

// atOnce is how many extents one call gives: large enough that even files in ten thousands of pieces take few calls.
const atOnce = 1024

type blockMap struct {
	start, length  uint64
	flags          uint32
	mapped, places uint32
	_              uint32
	extents        [atOnce]extent
}

// visit gives every extent of the file's data. It does not write dirty pages first (FIEMAP_FLAG_SYNC), which could take seconds:
// what waits for its place is in the map as well.
func visit(fd int, each func(extent)) error {
	const end = ^uint64(0)
	m := &blockMap{places: atOnce}
	for {
		m.length, m.mapped = end-m.start, 0
		if err := ask(fd, m); err != nil {
			return fmt.Errorf("mapping the blocks of a file: %w", err)
		}
		for _, e := range m.extents[:m.mapped] {
			each(e)
			if e.flags&last != 0 {
				return nil
			}
			m.start = e.logical + e.length
		}
		if m.mapped < atOnce {
			return nil
		}
	}
}

func ask(fd int, m *blockMap) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), getMap, uintptr(unsafe.Pointer(m)))
		if errno == 0 {
			return nil
		}
		if !errors.Is(errno, unix.EINTR) {
			return errno
		}
	}
}
