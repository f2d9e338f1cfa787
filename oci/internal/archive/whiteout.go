package archive

import (
	"archive/tar"
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// Names that stand for a removal (OCI image specification, layer.md) and for what aufs kept for itself.
const (
	whiteoutPrefix = ".wh."
	metadataPrefix = ".wh..wh."
	opaqueName     = ".wh..wh..opq"
)

// isWhiteout knows both forms: the specification's name, and overlayfs's character device 0/0.
func isWhiteout(header *tar.Header, base string) bool {
	overlay := header.Typeflag == tar.TypeChar && header.Devmajor == 0 && header.Devminor == 0
	return overlay || strings.HasPrefix(base, whiteoutPrefix)
}

// whiteout removes what lower layers have brought, and only that: the order within a layer means nothing.
func (u *unpacker) whiteout(header *tar.Header, directory, base string) error {
	parent, err := u.tree.Dir(directory)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil // there is nothing to be removed
	}
	if err != nil {
		return err
	}
	if base == opaqueName {
		return u.makeOpaque(parent, ".")
	}
	if strings.HasPrefix(base, metadataPrefix) {
		return nil
	}
	name := strings.TrimPrefix(base, whiteoutPrefix)
	if name == "" || name == "." || name == ".." {
		return fault.New(fault.InvalidArgument, "The entry %s is a whiteout of nothing.", quoted(header.Name))
	}
	return u.removeLower(parent, name)
}

func (u *unpacker) removeLower(parent *tree.Dir, name string) error {
	if !u.isOwn(parent.Inode, name) {
		return u.removeForeign(parent, name)
	}
	stat, err := parent.Stat(name)
	if err != nil || stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil
	}
	return u.makeOpaque(parent, name)
}

// removeForeign removes an entry that this layer has not brought itself; a directory may still hold what it has brought.
func (u *unpacker) removeForeign(parent *tree.Dir, name string) error {
	stat, err := parent.Stat(name)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return parent.Remove(name)
	}
	if err := u.makeOpaque(parent, name); err != nil {
		return err
	}
	return ignoreFull(parent.RemoveEmpty(name))
}

func ignoreFull(err error) error {
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// makeOpaque removes everything below a directory that this layer has not brought.
func (u *unpacker) makeOpaque(parent *tree.Dir, name string) error {
	handle, err := parent.OpenDir(name)
	if err != nil {
		return err
	}
	defer handle.Close()
	parent.Outdated()
	return u.prune(handle)
}

func (u *unpacker) prune(directory *os.File) error {
	inode, err := tree.Inode(directory)
	if err != nil {
		return err
	}
	if _, done := u.pruned[inode]; done {
		return nil
	}
	u.pruned[inode] = struct{}{}
	return tree.EachEntry(directory, func(entry os.DirEntry) error {
		if entry.IsDir() {
			if err := u.pruneBelow(directory, entry.Name()); err != nil {
				return err
			}
		}
		if u.isOwn(inode, entry.Name()) {
			return nil
		}
		return ignoreFull(tree.RemoveBelow(directory, entry))
	})
}

func (u *unpacker) pruneBelow(directory *os.File, name string) error {
	child, err := tree.OpenBelow(directory, name)
	if err != nil {
		return err
	}
	defer child.Close()
	return u.prune(child)
}
