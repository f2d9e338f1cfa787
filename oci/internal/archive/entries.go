package archive

import (
	"archive/tar"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// create makes something new under a name; what has that name now goes first, so that nothing is ever written through it.
func (u *unpacker) create(parent *tree.Dir, base string, make func() error) error {
	err := make()
	if errors.Is(err, unix.EEXIST) {
		if err := parent.Remove(base); err != nil {
			return err
		}
		err = make()
	}
	if err == nil {
		u.mark(parent, base)
	}
	return err
}

func (u *unpacker) file(header *tar.Header, parent *tree.Dir, base string, content io.Reader) error {
	if err := u.budget.content(header.Size); err != nil {
		return err
	}
	var file *os.File
	err := u.create(parent, base, func() (err error) {
		file, err = parent.CreateFile(base)
		return err
	})
	if err != nil {
		return err
	}
	err = u.fill(file, header, content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return parent.SetTime(base, timeOf(header))
}

func (u *unpacker) fill(file *os.File, header *tar.Header, content io.Reader) error {
	if err := writeSparse(file, content, header.Size, u.buffer); err != nil {
		return err
	}
	return u.attributes(file, header)
}

func (u *unpacker) directory(header *tar.Header, parent *tree.Dir, base string) error {
	err := parent.Mkdir(base, 0o700)
	if errors.Is(err, unix.EEXIST) {
		err = u.directoryOverExisting(parent, base)
	}
	if err != nil {
		return err
	}
	u.mark(parent, base)
	return u.directoryAttributes(header, parent, base)
}

// directoryOverExisting keeps a directory that is there; anything else, a link to a directory included, makes room.
func (u *unpacker) directoryOverExisting(parent *tree.Dir, base string) error {
	stat, err := parent.Stat(base)
	if err != nil || stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return err
	}
	if err := parent.Remove(base); err != nil {
		return err
	}
	return parent.Mkdir(base, 0o700)
}

func (u *unpacker) directoryAttributes(header *tar.Header, parent *tree.Dir, base string) error {
	handle, err := parent.OpenDir(base)
	if err != nil {
		return err
	}
	defer handle.Close()
	inode, err := tree.Inode(handle)
	if err != nil {
		return err
	}
	u.times[inode] = timeOf(header)
	if err := clearAttributes(handle); err != nil {
		return err
	}
	return u.attributes(handle, header)
}

func (u *unpacker) symlink(header *tar.Header, parent *tree.Dir, base string) error {
	if header.Linkname == "" || len(header.Linkname) >= unix.PathMax {
		return fault.New(fault.InvalidArgument, "The entry is a link whose destination has %d bytes.", len(header.Linkname))
	}
	if err := u.create(parent, base, func() error { return parent.Symlink(header.Linkname, base) }); err != nil {
		return err
	}
	return u.bareAttributes(header, parent, base)
}

func (u *unpacker) fifo(header *tar.Header, parent *tree.Dir, base string) error {
	if err := u.create(parent, base, func() error { return parent.Fifo(base) }); err != nil {
		return err
	}
	if err := u.bareAttributes(header, parent, base); err != nil {
		return err
	}
	return parent.Chmod(base, u.modeOf(header))
}

// hardLink gives a file that is there a further name. The file may come from a lower layer: it is shared, and as every later change
// makes a new file, no change reaches the other name.
func (u *unpacker) hardLink(header *tar.Header, parent *tree.Dir, base string) error {
	source, err := u.cleanName(header.Linkname)
	if err != nil {
		return err
	}
	directory, sourceBase := tree.Split(source)
	into := parent.Name
	from, err := u.tree.Dir(directory)
	if err != nil {
		return err
	}
	stat, err := from.Stat(sourceBase)
	if err != nil || stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return fault.Wrap(err, fault.InvalidArgument, "The entry is a hard link to %s, which is not there or is a directory.", quoted(source))
	}
	handle, err := from.Handle()
	if err != nil {
		return err
	}
	defer handle.Close()
	if parent, err = u.tree.Dir(into); err != nil {
		return err
	}
	return u.linkOnce(handle, sourceBase, stat.Ino, parent, base)
}

// linkOnce leaves a name that is the same file already: making room for it would remove what it is to be linked to.
func (u *unpacker) linkOnce(from *os.File, source string, inode uint64, parent *tree.Dir, base string) error {
	if present, err := parent.Stat(base); err == nil && present.Ino == inode {
		u.mark(parent, base)
		return nil
	}
	return u.create(parent, base, func() error { return parent.Link(from, source, base) })
}
