// Package watch tells what changes in a directory, by inotify (protocol.md §3.5).
//
// fsnotify, the usual library, knows neither trees nor which two events are one rename; both are what this package is about.
package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// Operation is what happened to a file.
type Operation int

// The operations; a rename tells the old name, and the new one is a Create.
const (
	Create Operation = iota + 1
	Write
	Remove
	Rename
	Chmod
)

// Event is one change. Name is relative to the watched directory, with slashes.
type Event struct {
	Name      string
	Operation Operation
}

const (
	// maxDirectories bounds what a recursive watch takes from the kernel.
	maxDirectories = 32_768
	// maxEvents bounds what waits for a reader that is slow.
	maxEvents = 65_536
)

// The reasons a watch cannot be had, or ends.
var (
	ErrTooManyDirectories = fmt.Errorf("too many directories to watch: at most %d, and no more than the system allows; watch a smaller tree", maxDirectories)
	ErrLost               = fmt.Errorf("events were lost: more than %d of them waited to be read; list the directory and watch it again", maxEvents)
)

// NotDirectoryError says that a path is not the directory it should be.
type NotDirectoryError struct{ Path string }

func (e *NotDirectoryError) Error() string { return fmt.Sprintf("path %s not a directory", e.Path) }

// NetworkError says that a path is on a file system whose changes come from elsewhere too, so not all would be told.
type NetworkError struct{ Path string }

func (e *NetworkError) Error() string {
	return fmt.Sprintf("path %s is on a network mount, whose changes by others are not seen; set allow_network_mounts to watch it all the same", e.Path)
}

// Options say what to watch.
type Options struct {
	Recursive    bool // directories made later too
	AllowNetwork bool
}

// Watcher collects the changes of a directory until it is closed. It is safe for concurrent use.
type Watcher struct {
	tree  *tree
	ready chan struct{}

	mu     sync.Mutex
	events []Event
	failed error
}

// New watches the directory at an absolute path. What changes after it returns is told. It returns a *NotDirectoryError, a
// *NetworkError, ErrTooManyDirectories or the error of the system.
func New(path string, options Options) (*Watcher, error) {
	root, err := checked(path, options)
	if err != nil {
		return nil, err
	}
	w := &Watcher{ready: make(chan struct{}, 1)}
	if w.tree, err = newTree(root, options.Recursive, w.add); err != nil {
		return nil, err
	}
	go func() { w.fail(w.tree.follow()) }()
	return w, nil
}

// checked resolves links in the path of a directory that can be watched.
func checked(path string, options Options) (string, error) {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(root)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", &NotDirectoryError{Path: path}
	}
	var system unix.Statfs_t
	if err := unix.Statfs(root, &system); err != nil {
		return "", &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	if isNetwork(int64(system.Type)) && !options.AllowNetwork {
		return "", &NetworkError{Path: path}
	}
	return root, nil
}

func isNetwork(kind int64) bool {
	switch kind {
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC:
		return true
	default:
		return false
	}
}

// Close ends the watch. It may be called twice.
func (w *Watcher) Close() { w.tree.close() }

// Ready receives when there may be something to Take.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take returns what happened since the last time, in order, and after the last event why no more will come, if so.
func (w *Watcher) Take() ([]Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	if len(events) > 0 {
		if w.failed != nil {
			w.wake() // to be told next time
		}
		return events, nil
	}
	return nil, w.failed
}

func (w *Watcher) add(event Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return
	}
	if len(w.events) >= maxEvents {
		w.failed = ErrLost
		go w.Close()
	}
	w.events = append(w.events, event)
	w.wake()
}

func (w *Watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil && !errors.Is(err, os.ErrClosed) {
		w.failed = err
		w.wake()
	}
}

func (w *Watcher) wake() {
	select {
	case w.ready <- struct{}{}:
	default: // it is awake already
	}
}
