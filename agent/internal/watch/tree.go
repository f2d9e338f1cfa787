package watch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/agent/internal/filesystem"
)

// tree turns the events of the kernel, which are of single directories, into those of a tree. Only follow works on it.
type tree struct {
	root      string
	recursive bool
	kernel    *inotify
	tell      func(Event)

	names   map[int32]string // of the watched directories, relative to the root; "" is the root
	watches map[string]int32
	// found are the entries of new directories that were told before the kernel could; it may tell of them again.
	found map[string]struct{}
	// moving is a directory that has left its place: the next event says where it went, or it has left the tree.
	moving *move
	// staged is the cookie of a complete upload that is about to take its name.
	staged uint32
}

type move struct {
	cookie uint32
	name   string
}

func newTree(root string, recursive bool, tell func(Event)) (*tree, error) {
	kernel, err := newInotify()
	if err != nil {
		return nil, err
	}
	t := &tree{
		root: root, recursive: recursive, kernel: kernel, tell: tell,
		names: map[int32]string{}, watches: map[string]int32{}, found: map[string]struct{}{},
	}
	if err := t.add("", false); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tree) close() { _ = t.kernel.file.Close() }

// follow works until the tree is closed or cannot be watched any more.
func (t *tree) follow() error {
	defer t.close()
	buffer := make([]byte, readBytes)
	for {
		signals, err := t.kernel.read(buffer)
		if err != nil {
			return err
		}
		for _, s := range signals {
			if err := t.handle(s); err != nil {
				return err
			}
		}
		// What was found has been told by the kernel too by now, if ever.
		if len(t.found) > 0 && t.kernel.drained() {
			clear(t.found)
		}
	}
}

// add watches a directory and, if the tree is recursive, those in it. With told, whatever is in it is told as created.
func (t *tree) add(name string, told bool) error {
	if len(t.names) >= maxDirectories {
		return ErrTooManyDirectories
	}
	watch, err := t.kernel.add(filepath.Join(t.root, name))
	if err != nil {
		if name != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, fs.ErrPermission)) {
			return nil // it was gone again, or became something else
		}
		return err
	}
	if old, known := t.names[watch]; known {
		if old == name {
			return nil // found with its parent, before the kernel told of it
		}
		delete(t.watches, old)
	}
	t.names[watch], t.watches[name] = name, watch
	if !t.recursive {
		return nil
	}
	return t.addChildren(name, told)
}

func (t *tree) addChildren(name string, told bool) error {
	children, err := os.ReadDir(filepath.Join(t.root, name))
	if err != nil {
		return nil // it vanishes; the kernel tells so
	}
	for _, child := range children {
		childName := path.Join(name, child.Name())
		if _, toldAlready := t.found[childName]; told && !toldAlready && !filesystem.IsStaging(childName) {
			t.found[childName] = struct{}{}
			t.tell(Event{Name: childName, Operation: Create})
		}
		if child.IsDir() {
			if err := t.add(childName, told); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tree) handle(s signal) error {
	if s.has(unix.IN_Q_OVERFLOW) {
		return ErrLost
	}
	arrived := t.moving != nil && s.has(unix.IN_MOVED_TO) && s.cookie == t.moving.cookie
	if t.moving != nil && !arrived && s.name != "" {
		t.drop(t.moving.name)
		t.moving = nil
	}
	directory, known := t.names[s.watch]
	if !known {
		return nil // of a directory that has left the tree
	}
	if s.name == "" {
		t.handleSelf(s, directory)
		return nil
	}
	name := path.Join(directory, s.name)
	if filesystem.IsStaging(name) {
		if s.has(unix.IN_MOVED_FROM) {
			t.staged = s.cookie
		}
		return nil
	}
	t.tellAll(s, name)
	switch {
	case arrived:
		t.rename(t.moving.name, name)
		t.moving = nil
	case !t.recursive || !s.has(unix.IN_ISDIR):
	case s.has(unix.IN_CREATE | unix.IN_MOVED_TO):
		return t.add(name, s.has(unix.IN_CREATE))
	case s.has(unix.IN_MOVED_FROM):
		t.moving = &move{cookie: s.cookie, name: name}
	}
	return nil
}

// handleSelf hears of a directory from itself; its parent, if that is watched, tells the same.
func (t *tree) handleSelf(s signal, directory string) {
	switch {
	case s.has(unix.IN_IGNORED):
		delete(t.names, s.watch)
		if t.watches[directory] == s.watch {
			delete(t.watches, directory)
		}
	case directory != "":
	case s.has(unix.IN_DELETE_SELF):
		t.tell(Event{Name: ".", Operation: Remove})
	case s.has(unix.IN_MOVE_SELF):
		t.tell(Event{Name: ".", Operation: Rename})
	case s.has(unix.IN_ATTRIB):
		t.tell(Event{Name: ".", Operation: Chmod})
	}
}

// tellAll makes one event for each thing a signal says, in the order of the protocol.
func (t *tree) tellAll(s signal, name string) {
	if s.has(unix.IN_CREATE | unix.IN_MOVED_TO) {
		if _, toldAlready := t.found[name]; !toldAlready {
			t.tell(Event{Name: name, Operation: Create})
		}
	}
	for _, each := range []struct {
		bits      uint32
		operation Operation
	}{{unix.IN_MOVED_FROM, Rename}, {unix.IN_ATTRIB, Chmod}, {unix.IN_MODIFY, Write}, {unix.IN_DELETE, Remove}} {
		if s.has(each.bits) {
			t.tell(Event{Name: name, Operation: each.operation})
		}
	}
	if s.has(unix.IN_MOVED_TO) && t.staged != 0 && s.cookie == t.staged {
		t.tell(Event{Name: name, Operation: Write}) // the upload that took the name
		t.staged = 0
	}
	delete(t.found, name)
}

// rename gives the directories of a moved one their new names; the kernel goes on telling of them by number.
func (t *tree) rename(from, to string) {
	for name, watch := range t.below(from) {
		delete(t.watches, name)
		moved := to + strings.TrimPrefix(name, from)
		t.names[watch], t.watches[moved] = moved, watch
	}
}

// drop forgets a directory that has left the tree, and those in it.
func (t *tree) drop(name string) {
	for each, watch := range t.below(name) {
		t.kernel.remove(watch)
		delete(t.names, watch)
		delete(t.watches, each)
	}
}

func (t *tree) below(name string) map[string]int32 {
	found := map[string]int32{}
	for each, watch := range t.watches {
		if each == name || strings.HasPrefix(each, name+"/") {
			found[each] = watch
		}
	}
	return found
}
