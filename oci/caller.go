package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// endWithCaller ends the process at once when nobody can read its output any more: a server that was killed has a successor, which
// clears what is half done. A registry that is silent would keep us here long after.
func endWithCaller(output *os.File) {
	watched := []unix.PollFd{{Fd: int32(output.Fd())}}
	for {
		_, err := unix.Poll(watched, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && watched[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
			os.Exit(1)
		}
		return
	}
}
