// Package tree changes a directory tree whose content is hostile: every name is resolved by the kernel inside the tree
// (openat2 with RESOLVE_IN_ROOT), so that no link, absolute or relative, ever leads out of it.
package tree

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

const (
	// maxDepth and maxPathBytes keep a tree within what every tool can walk, copy and remove afterwards.
	maxDepth     = 256
	maxPathBytes = 3072
	maxNameBytes = 255
	maxHops      = 40
	// resolveAttempts bounds the retries of a resolution that the kernel could not decide.
	resolveAttempts = 16
)

// Tree is a directory tree of this machine. Only one process changes it at a time; the content it already has is not trusted.
type Tree struct {
	fd     int
	real   string
	how    uint64
	cached *Dir
	// stale: a directory or a link may have gone, so that the cached directory's name may mean another one.
	stale bool
	// hops is how many links are being followed to a destination that must be made.
	hops int
}

// Open opens the tree under directory. Links inside it are followed inside it.
func Open(directory string) (*Tree, error) { return open(directory, unix.RESOLVE_IN_ROOT) }

// OpenStrict opens a tree in which a name that leads over a link is refused.
func OpenStrict(directory string) (*Tree, error) {
	return open(directory, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS)
}

func open(directory string, resolve uint64) (*Tree, error) {
	fd, err := unix.Open(directory, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	tree := &Tree{fd: fd, how: resolve | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV}
	if tree.real, err = os.Readlink(descriptorPath(fd)); err != nil {
		tree.Close()
		return nil, err
	}
	return tree, nil
}

// Close releases the tree.
func (t *Tree) Close() {
	t.forget()
	_ = unix.Close(t.fd)
}

// Sync puts everything that was written onto the disk.
func (t *Tree) Sync() error { return unix.Syncfs(t.fd) }

// Clean brings a name of an archive into the form that this package takes: no slash at either end, no "." and no empty
// component; the root is "". A name with ".." is refused.
func Clean(name string) (string, error) {
	if len(name) > unix.PathMax-1 {
		return "", fault.New(fault.InvalidArgument, "A name of %d bytes is longer than Linux allows.", len(name))
	}
	kept := []string{}
	for component := range strings.SplitSeq(name, "/") {
		switch {
		case component == "" || component == ".":
		case component == "..":
			return "", fault.New(fault.InvalidArgument, "The entry %q leads out of its directory.", name)
		case len(component) > maxNameBytes || strings.ContainsRune(component, 0):
			return "", fault.New(fault.InvalidArgument, "The name %.300q is not possible on Linux.", name)
		default:
			kept = append(kept, component)
		}
	}
	return strings.Join(kept, "/"), nil
}

// Split cuts a clean name into its directory and its last component.
func Split(name string) (directory, base string) {
	directory, base = path.Split(name)
	return strings.TrimSuffix(directory, "/"), base
}

// resolve opens name inside the tree; the last component is followed unless flags say otherwise.
func (t *Tree) resolve(name string, flags int) (int, error) {
	if name == "" {
		name = "."
	}
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: t.how}
	for range resolveAttempts {
		fd, err := unix.Openat2(t.fd, name, &how)
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
	return -1, unix.EAGAIN
}

// descriptorPath names an open file in a way that every call accepts.
func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
