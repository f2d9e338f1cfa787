package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// interest is what the kernel shall tell about a directory and what is in it.
const interest = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// readBytes holds some hundred events of usual names, and one of the longest.
const readBytes = 64 << 10

// inotify is one inotify instance. Reading waits in Go's poller, not in a thread.
type inotify struct{ file *os.File }

// signal is one event of the kernel. An empty name is the directory itself.
type signal struct {
	watch        int32
	mask, cookie uint32
	name         string
}

func (s signal) has(bits uint32) bool { return s.mask&bits != 0 }

func newInotify() (*inotify, error) {
	descriptor, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	return &inotify{file: os.NewFile(uintptr(descriptor), "inotify")}, nil
}

// add watches a directory; one that is watched already keeps its number.
func (n *inotify) add(path string) (watch int32, err error) {
	err = n.control(func(descriptor int) error {
		number, err := unix.InotifyAddWatch(descriptor, path, interest)
		watch = int32(number)
		return err
	})
	if errors.Is(err, unix.ENOSPC) {
		return 0, ErrTooManyDirectories
	}
	if err != nil {
		return 0, &os.PathError{Op: "inotify_add_watch", Path: path, Err: err}
	}
	return watch, nil
}

// remove forgets a directory; one that is gone is forgotten already.
func (n *inotify) remove(watch int32) {
	_ = n.control(func(descriptor int) error {
		_, err := unix.InotifyRmWatch(descriptor, uint32(watch))
		return err
	})
}

func (n *inotify) control(call func(descriptor int) error) error {
	connection, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := connection.Control(func(descriptor uintptr) { failed = call(int(descriptor)) }); err != nil {
		return os.ErrClosed
	}
	return failed
}

// read waits for events.
func (n *inotify) read(buffer []byte) ([]signal, error) {
	size, err := n.file.Read(buffer)
	if err != nil {
		return nil, err
	}
	return parse(buffer[:size]), nil
}

func parse(rest []byte) []signal {
	var signals []signal
	for len(rest) >= syscall.SizeofInotifyEvent {
		length := int(binary.NativeEndian.Uint32(rest[12:]))
		if length > len(rest)-syscall.SizeofInotifyEvent {
			break // the kernel never does that
		}
		name := rest[syscall.SizeofInotifyEvent : syscall.SizeofInotifyEvent+length]
		signals = append(signals, signal{
			watch:  int32(binary.NativeEndian.Uint32(rest)),
			mask:   binary.NativeEndian.Uint32(rest[4:]),
			cookie: binary.NativeEndian.Uint32(rest[8:]),
			name:   string(bytes.TrimRight(name, "\x00")),
		})
		rest = rest[syscall.SizeofInotifyEvent+length:]
	}
	return signals
}

// drained reports whether everything the kernel knew has been read.
func (n *inotify) drained() bool {
	left := 0
	err := n.control(func(descriptor int) (err error) {
		left, err = unix.IoctlGetInt(descriptor, unix.TIOCINQ) // FIONREAD by its other name
		return err
	})
	return err == nil && left == 0
}
