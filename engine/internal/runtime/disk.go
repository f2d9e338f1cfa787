package runtime

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// The runtime's name for the file that takes the root's writes. It is unlinked at once, so that only the sandbox's
// descriptor leads to it.
const (
	filestore = "/runsc-filestore-"
	unlinked  = " (deleted)"
)

// writtenBytes is what the root's writes take of the disk.
func writtenBytes(sandboxPID int) int64 {
	directory := fmt.Sprintf("/proc/%d/fd", sandboxPID)
	descriptors, err := os.ReadDir(directory)
	if err != nil {
		return 0
	}
	for _, descriptor := range descriptors {
		name := directory + "/" + descriptor.Name()
		target, err := os.Readlink(name)
		if err != nil || !isFilestore(target) {
			continue
		}
		var stat syscall.Stat_t
		if syscall.Stat(name, &stat) == nil {
			return stat.Blocks * 512
		}
	}
	return 0
}

// isFilestore tells that file from others among the descriptors of a process.
func isFilestore(target string) bool {
	return strings.Contains(target, filestore) && strings.HasSuffix(target, unlinked)
}
