package prefetch

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// span and counts are the kernel's cachestat_range and cachestat, of Linux 6.5 and later.
type span struct{ offset, length uint64 }

type counts struct{ cached, dirty, writeback, evicted, recentlyEvicted uint64 }

// missingBytes is how much of a part of the file is not in the page cache; all of it where the kernel cannot tell, which reads what is
// there already once more.
func missingBytes(file *os.File, from, to int64) int64 {
	part, found := span{uint64(from), uint64(to - from)}, counts{}
	_, _, errno := unix.Syscall6(unix.SYS_CACHESTAT, file.Fd(), uintptr(unsafe.Pointer(&part)), uintptr(unsafe.Pointer(&found)), 0, 0, 0)
	if errno != 0 {
		return to - from
	}
	return max(0, to-from-int64(found.cached)*int64(os.Getpagesize()))
}
