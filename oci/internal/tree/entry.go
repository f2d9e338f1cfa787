package tree

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// Stat describes an entry.
func (d *Dir) Stat(base string) (unix.Stat_t, error) {
	var stat unix.Stat_t
	err := unix.Fstatat(d.fd, base, &stat, unix.AT_SYMLINK_NOFOLLOW)
	return stat, err
}

// CreateFile makes a regular file that did not exist and opens it for writing.
func (d *Dir) CreateFile(base string) (*os.File, error) {
	fd, err := unix.Openat(d.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), base), nil
}

// OpenDir opens an entry that is a directory itself, for its attributes and its names.
func (d *Dir) OpenDir(base string) (*os.File, error) { return openDirAt(d.fd, base) }

// Symlink makes a symbolic link.
func (d *Dir) Symlink(destination, base string) error {
	return unix.Symlinkat(destination, d.fd, base)
}

// Fifo makes a named pipe.
func (d *Dir) Fifo(base string) error { return unix.Mknodat(d.fd, base, unix.S_IFIFO|0o600, 0) }

// Link makes a hard link to an entry of another directory of the tree.
func (d *Dir) Link(from *os.File, source, base string) error {
	return unix.Linkat(int(from.Fd()), source, d.fd, base, 0)
}

// Rename puts an entry in the place of another of the same directory.
func (d *Dir) Rename(from, to string) error {
	d.tree.stale = true
	return unix.Renameat(d.fd, from, d.fd, to)
}

// Chown sets the owner of an entry.
func (d *Dir) Chown(base string, uid, gid int) error {
	return unix.Fchownat(d.fd, base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}

// Chmod sets the mode of an entry that is no symbolic link.
func (d *Dir) Chmod(base string, mode uint32) error { return unix.Fchmodat(d.fd, base, mode, 0) }

// SetTime sets the time of an entry's last change, and of its last access to the same.
func (d *Dir) SetTime(base string, modified unix.Timespec) error {
	return unix.UtimesNanoAt(d.fd, base, []unix.Timespec{modified, modified}, unix.AT_SYMLINK_NOFOLLOW)
}

// Handle opens the directory anew: it stays open when the tree forgets it.
func (d *Dir) Handle() (*os.File, error) { return d.OpenDir(".") }

// Remove removes an entry and all that is below it; nothing there is no error.
func (d *Dir) Remove(base string) error {
	if base == "" || base == "." || base == ".." {
		return fault.New(fault.InvalidArgument, "An entry with the name %q cannot be removed.", base)
	}
	d.tree.stale = true
	err := unix.Unlinkat(d.fd, base, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	// os.RemoveAll goes down by descriptors and never follows a link.
	return os.RemoveAll(descriptorPath(d.fd) + "/" + base)
}

// RemoveEmpty removes a directory that has no entries.
func (d *Dir) RemoveEmpty(base string) error {
	d.tree.stale = true
	return unix.Unlinkat(d.fd, base, unix.AT_REMOVEDIR)
}

// Outdated says that entries are about to be removed by other means than a Dir.
func (d *Dir) Outdated() { d.tree.stale = true }
