package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Watch is told by the kernel when a group's memory may be running out. It costs nothing while nothing happens.
type Watch struct {
	signal *os.File
	buffer []byte

	// mu guards woken, which is set from a Wake until the Wait that it ends, or that comes next.
	mu    sync.Mutex
	woken bool
}

// Wait returns true when something may have happened, after Wake or when the time is over (0: there is none), false after Close. Look at
// the figures then: what crosses the limit may be file cache, and a group that goes away says so too.
func (w *Watch) Wait(limit time.Duration) bool {
	if w.begin(limit) != nil {
		return false
	}
	_, err := w.signal.Read(w.buffer)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = false
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// begin sets the end of a wait, which is now after an earlier Wake.
func (w *Watch) begin(limit time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var deadline time.Time
	switch {
	case w.woken:
		deadline = time.Now()
	case limit > 0:
		deadline = time.Now().Add(limit)
	}
	return w.signal.SetReadDeadline(deadline)
}

// Wake ends the wait of the moment, or the next one.
func (w *Watch) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = true
	_ = w.signal.SetReadDeadline(time.Now()) // fails after Close, which ends the wait as well
}

// Close ends the watch, and Wait with it.
func (w *Watch) Close() { _ = w.signal.Close() }

// LetMemoryGrow lets the kernel kill at hard bytes only. Between soft and hard, version 2 slows the group down; version 1 does not.
func LetMemoryGrow(group string, hard int64) error {
	if Unified() {
		return write(filepath.Join(mount, group, "memory.max"), hard)
	}
	return write(filepath.Join(mount, "memory", group, "memory.limit_in_bytes"), hard)
}

// WatchMemory arranges for a watch on a group's memory around soft bytes. The kernel takes tens of milliseconds for it.
func WatchMemory(group string, soft int64) (*Watch, error) {
	if Unified() {
		return watchUnified(filepath.Join(mount, group), soft)
	}
	return watchLegacy(filepath.Join(mount, "memory", group), soft)
}

func watchUnified(directory string, soft int64) (*Watch, error) {
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

func watchLegacy(directory string, soft int64) (*Watch, error) {
	descriptor, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watching memory: %w", err)
	}
	w := &Watch{signal: os.NewFile(uintptr(descriptor), "eventfd"), buffer: make([]byte, 8)}
	// The usage has file cache in it, so at the limit there may be no shortage yet: who hears of it looks again and again. One threshold
	// only, as each costs a grace period of the kernel, of tens of milliseconds. The search for memory tells of the rest.
	for name, argument := range map[string]string{"memory.usage_in_bytes": strconv.FormatInt(soft, 10), "memory.pressure_level": "low"} {
		if err := listen(descriptor, directory, name, argument); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
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
