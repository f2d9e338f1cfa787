// Package idle does work that nobody waits for without being in the way of work that somebody does.
package idle

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// The kernel's linux/ioprio.h.
const (
	whoThread  = 1       // IOPRIO_WHO_PROCESS, which is a thread
	idleClass  = 3 << 13 // IOPRIO_CLASS_IDLE
	thisThread = 0
)

// Run calls work on a thread whose requests to disks come after all others, where the disk's scheduler knows an order.
func Run[Result any](work func() (Result, error)) (Result, error) {
	type outcome struct {
		result Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		// Never unlocked: the thread ends with its goroutine, so nobody else inherits its place.
		runtime.LockOSThread()
		var o outcome
		defer func() {
			if cause := recover(); cause != nil {
				o.err = fmt.Errorf("a bug in work at idle priority: %v", cause)
			}
			done <- o
		}()
		if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, whoThread, thisThread, idleClass); errno != 0 {
			o.err = fmt.Errorf("setting the priority of disk access: %w", errno)
			return
		}
		o.result, o.err = work()
	}()
	o := <-done
	return o.result, o.err
}
