package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// legacyStep is how much a group may take between two looks at it.
const legacyStep = 8 << 20

// Watch is told by the kernel when a group's memory may be running out. It costs nothing while nothing happens.
type Watch struct {
	signal *os.File
	buffer []byte
}

// Wait returns true when something may have happened or the time is over (0: there is none), false after Close. Look at the figures
// then: what crosses the limit may be file cache, and a group that goes away says so too.
func (w *Watch) Wait(limit time.Duration) bool {
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	if w.signal.SetReadDeadline(deadline) != nil {
		return false
	}
	_, err := w.signal.Read(w.buffer)
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// Close ends the watch, and Wait with it.
func (w *Watch) Close() { _ = w.signal.Close() }

// WatchMemory arranges for a watch on a group's memory around soft bytes, and lets the kernel kill at hard bytes only. In
// between, version 2 slows the group down; version 1 does not.
func WatchMemory(group string, soft, hard int64) (*Watch, error) {
	if Unified() {
		return watchUnified(filepath.Join(mount, group), soft, hard)
	}
	return watchLegacy(filepath.Join(mount, "memory", group), soft, hard)
}

func watchUnified(directory string, soft, hard int64) (*Watch, error) {
	if err := write(filepath.Join(directory, "memory.max"), hard); err != nil {
		return nil, err
	}
	if err := write(filepath.Join(directory, "memory.high"), soft); err != nil {
		return nil, err
	}
	return watchFile(filepath.Join(directory, "memory.events"))
}

// watchFile is told of changes: the kernel counts there how often the group went over its limits.
func watchFile(path string) (*Watch, error) {
	descriptor, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watching memory: %w", err)
	}
	signal := os.NewFile(uintptr(descriptor), "inotify")
	if _, err := unix.InotifyAddWatch(descriptor, path, unix.IN_MODIFY|unix.IN_DELETE_SELF); err != nil {
		signal.Close()
		return nil, fmt.Errorf("watching %s: %w", path, err)
	}
	return &Watch{signal: signal, buffer: make([]byte, 4096)}, nil
}

func watchLegacy(directory string, soft, hard int64) (*Watch, error) {
	if err := write(filepath.Join(directory, "memory.limit_in_bytes"), hard); err != nil {
		return nil, err
	}
	descriptor, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watching memory: %w", err)
	}
	w := &Watch{signal: os.NewFile(uintptr(descriptor), "eventfd"), buffer: make([]byte, 8)}
	if err := listenLegacy(descriptor, directory, soft, hard); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// listenLegacy asks for a signal at the limit and at many steps above it: the usage has file cache in it, so at the limit there may
// be no shortage yet. Where cache keeps it above all of them, the kernel's search for memory tells.
func listenLegacy(descriptor int, directory string, soft, hard int64) error {
	for at := soft; at < hard; at += legacyStep {
		if err := listen(descriptor, directory, "memory.usage_in_bytes", strconv.FormatInt(at, 10)); err != nil {
			return err
		}
	}
	return listen(descriptor, directory, "memory.pressure_level", "low")
}

func listen(descriptor int, directory, name, argument string) error {
	source, err := os.Open(filepath.Join(directory, name))
	if err != nil {
		return fmt.Errorf("watching memory: %w", err)
	}
	defer source.Close()
	order := fmt.Sprintf("%d %d %s", descriptor, source.Fd(), argument)
	if err := os.WriteFile(filepath.Join(directory, "cgroup.event_control"), []byte(order), 0); err != nil {
		return fmt.Errorf("watching %s: %w", name, err)
	}
	return nil
}

func write(path string, value int64) error {
	if err := os.WriteFile(path, strconv.AppendInt(nil, value, 10), 0); err != nil {
		return fmt.Errorf("setting a memory limit: %w", err)
	}
	return nil
}
