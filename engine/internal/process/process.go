// Package process watches and ends processes by descriptor, so that a reused process id never hits a stranger.
package process

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Process is one process, dead or alive.
type Process struct {
	// PID is its process id. It may mean another process once this one is gone.
	PID    int
	handle *os.File
}

// Open takes hold of the process that has the id now.
func Open(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("opening process %d: %w", pid, err)
	}
	return &Process{PID: pid, handle: os.NewFile(uintptr(fd), "pidfd")}, nil
}

// Alive reports whether the process still runs; a zombie does not.
func (p *Process) Alive() bool {
	alive := false
	p.control(func(fd int) { alive = !ended(fd, 0) })
	return alive
}

// Kill ends the process at once. Success when it is gone already.
func (p *Process) Kill() error {
	err := os.ErrClosed
	p.control(func(fd int) { err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) })
	if err == nil || errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return fmt.Errorf("killing process %d: %w", p.PID, err)
}

// Wait blocks until the process has ended (true) or Close was called (false). It costs no thread.
func (p *Process) Wait() bool {
	raw, err := p.handle.SyscallConn()
	if err != nil {
		return false
	}
	return raw.Read(func(fd uintptr) bool { return ended(int(fd), 0) }) == nil
}

// WaitFor waits at most so long and reports whether the process has ended.
func (p *Process) WaitFor(limit time.Duration) bool {
	gone := true
	p.control(func(fd int) { gone = ended(fd, limit) })
	return gone
}

// Close lets go of the process.
func (p *Process) Close() { _ = p.handle.Close() }

func (p *Process) control(use func(fd int)) {
	if raw, err := p.handle.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { use(int(fd)) })
	}
}

// ended polls the descriptor: it becomes readable when the process ends.
func ended(fd int, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for {
		left := max(0, time.Until(deadline))
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}
