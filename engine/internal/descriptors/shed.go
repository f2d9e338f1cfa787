// Package descriptors keeps the open files of one sandbox out of the processes of another.
package descriptors

import (
	"os"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"
)

// donated matches how the runtime names the descriptors that it gives to a process: --log-fd=3, --io-fds=5, --pass-fd=9:1.
var donated = regexp.MustCompile(`^--[a-z-]+-fds?=(\d+)`)

// Shed closes what a process of the runtime has inherited but was not given. The host starts processes of many sandboxes at once,
// and the runtime opens some descriptors in it without the close-on-exec flag: a socket of one sandbox would stay open in the
// processes of another, and where the host has more than 250 files open, take the numbers that the sandbox puts its stdio at.
//
// The runtime numbers its gifts from 3 without a gap and names all of them in the arguments: what lies above was not meant for us.
// What this process has opened itself by now bears the flag. Call it first in main.
func Shed(args []string) {
	last := highest(args)
	if last < 0 {
		return
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range open {
		descriptor, err := strconv.Atoi(entry.Name())
		if err != nil || descriptor <= last {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(descriptor), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(descriptor)
		}
	}
}

// highest is the last descriptor that the arguments name, -1 for none.
func highest(args []string) int {
	last := -1
	for _, arg := range args {
		if match := donated.FindStringSubmatch(arg); match != nil {
			if descriptor, err := strconv.Atoi(match[1]); err == nil {
				last = max(last, descriptor)
			}
		}
	}
	return last
}
