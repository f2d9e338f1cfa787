package tree

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// newSuffix names a file until it is complete.
const newSuffix = ".torpor-new"

// Stat describes what a clean name leads to, links followed.
func (t *Tree) Stat(name string) (unix.Stat_t, error) {
	var stat unix.Stat_t
	fd, err := t.resolve(name, unix.O_PATH)
	if err != nil {
		return stat, err
	}
	defer unix.Close(fd)
	return stat, unix.Fstat(fd, &stat)
}

// ReadFile reads a regular file, links followed. What is missing, larger than limit or not a file is told by the error.
func (t *Tree) ReadFile(name string, limit int64) ([]byte, error) {
	fd, err := t.resolve(name, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	return readRegular(file, name, limit)
}

// ReadBelow reads a regular file of an open directory, not following it.
func ReadBelow(directory *os.File, base string, limit int64) ([]byte, error) {
	fd, err := unix.Openat(int(directory.Fd()), base, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), base)
	defer file.Close()
	return readRegular(file, base, limit)
}

func readRegular(file *os.File, name string, limit int64) ([]byte, error) {
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() || stat.Size() > limit {
		return nil, fault.New(fault.InvalidArgument, "The image's %q is not a file of at most %d KiB.", name, limit>>10)
	}
	return io.ReadAll(io.LimitReader(file, limit))
}

// WriteFile puts a plain file under a name: what was there, a link as well, is replaced, and other hard links keep the old content.
func (d *Dir) WriteFile(base string, content []byte, mode uint32, uid, gid int) error {
	if err := d.Remove(base + newSuffix); err != nil {
		return err
	}
	file, err := d.CreateFile(base + newSuffix)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := errors.Join(file.Chown(uid, gid), unix.Fchmod(int(file.Fd()), mode)); err != nil {
		return err
	}
	if stat, err := d.Stat(base); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := d.Remove(base); err != nil {
			return err
		}
	}
	return d.Rename(base+newSuffix, base)
}
