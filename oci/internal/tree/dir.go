package tree

import (
	"errors"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// Dir is an open directory inside a tree. Its methods take the name of one entry and never follow it.
type Dir struct {
	tree *Tree
	fd   int
	// Name is the clean name by which it was asked for.
	Name string
	// Inode identifies the directory as long as it exists.
	Inode uint64
}

// Dir opens the directory with a clean name. It stays open until another one is asked for: archives list file after file of one directory.
func (t *Tree) Dir(name string) (*Dir, error) {
	if t.cached != nil && !t.stale && t.cached.Name == name {
		return t.cached, nil
	}
	t.forget()
	fd, err := t.resolve(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, unresolved(name, err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	t.cached = &Dir{tree: t, Name: name, fd: fd, Inode: stat.Ino}
	return t.cached, nil
}

func (t *Tree) forget() {
	if t.cached != nil {
		_ = unix.Close(t.cached.fd)
	}
	t.cached, t.stale = nil, false
}

// DirOrMake is Dir, but makes what is missing on the way (mode 0755); made is asked about each directory before it is made.
func (t *Tree) DirOrMake(name string, made func(parent *Dir, base string) error) (*Dir, error) {
	dir, missing := t.Dir(name)
	if !errors.Is(missing, unix.ENOENT) {
		return dir, missing
	}
	directory, base := Split(name)
	parent, err := t.DirOrMake(directory, made)
	if err != nil {
		return nil, err
	}
	stat, err := parent.Stat(base)
	switch {
	case err == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK:
		if err := t.makeDestination(parent, base, made); err != nil {
			return nil, err
		}
	case err == nil:
		return nil, missing
	default:
		if err := errors.Join(made(parent, base), parent.Mkdir(base, 0o755)); err != nil {
			return nil, err
		}
	}
	return t.Dir(name)
}

// makeDestination makes the directory that a link of the image leads to, as it would be seen inside: images have /var/run before /run.
// The kernel refuses most circles before; one that leads over what is missing ends at its own bound.
func (t *Tree) makeDestination(parent *Dir, base string, made func(parent *Dir, base string) error) error {
	if t.hops++; t.hops > maxHops {
		return fault.New(fault.InvalidArgument, "The directory %q is reached over too many links.", base)
	}
	defer func() { t.hops-- }()
	destination, err := os.Readlink(descriptorPath(parent.fd) + "/" + base)
	if err != nil {
		return err
	}
	if !path.IsAbs(destination) {
		destination = parent.Name + "/" + destination
	}
	clean, err := Clean(path.Clean("/" + destination))
	if err != nil {
		return err
	}
	_, err = t.DirOrMake(clean, made)
	return err
}

// Mkdir makes a directory, unless the tree would become too deep.
func (d *Dir) Mkdir(base string, mode uint32) error {
	real, err := os.Readlink(descriptorPath(d.fd))
	if err != nil {
		return err
	}
	inside := strings.TrimPrefix(real, d.tree.real)
	if strings.Count(inside, "/") >= maxDepth || len(inside)+len(base) >= maxPathBytes {
		return fault.New(fault.InvalidArgument, "The directory %.100q… is nested too deeply (%d levels or %d bytes at most).", d.Name, maxDepth, maxPathBytes)
	}
	return unix.Mkdirat(d.fd, base, mode)
}

// unresolved tells what the content has to do with a directory that could not be opened from what this machine has.
func unresolved(name string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fault.Wrap(err, fault.InvalidArgument, "The directory %q does not exist or is a link that leads nowhere.", name)
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP), errors.Is(err, unix.EXDEV), errors.Is(err, unix.ENAMETOOLONG):
		return fault.Wrap(err, fault.InvalidArgument, "The directory %q is not a directory, or is reached over links that are not allowed.", name)
	}
	return err
}
