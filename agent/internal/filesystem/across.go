package filesystem

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/agent/internal/metadata"
)

// moveAcross moves between file systems, where rename(2) cannot (/tmp is one of its own): everything is copied beside the
// destination, renamed over it, and only then removed. Owners, modes, times and metadata go along.
func moveAcross(source, destination string) error {
	if err := checkReplaceable(source, destination); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(filepath.Dir(destination), ".move-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	copied := filepath.Join(staging, "moved")
	if err := copyTree(source, copied); err != nil {
		return fmt.Errorf("moving between file systems: %w", err)
	}
	if err := os.Rename(copied, destination); err != nil {
		return err
	}
	return os.RemoveAll(source)
}

// checkReplaceable says before the copying what rename would say after it.
func checkReplaceable(source, destination string) error {
	from, err := os.Lstat(source)
	if err != nil {
		return err
	}
	to, err := os.Lstat(destination)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case to.IsDir():
		return &os.LinkError{Op: "rename", Old: source, New: destination, Err: syscall.EEXIST}
	case from.IsDir():
		return &os.LinkError{Op: "rename", Old: source, New: destination, Err: syscall.ENOTDIR}
	default:
		return nil
	}
}

func copyTree(source, destination string) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		err = copyDirectory(source, destination)
	case info.Mode().IsRegular():
		err = copyFile(source, destination)
	case info.Mode()&fs.ModeSymlink != 0:
		err = copyLink(source, destination)
	default:
		return fmt.Errorf("%s is not a file, directory or link: %w", source, syscall.EINVAL)
	}
	if err != nil {
		return err
	}
	return copyAttributes(info, destination)
}

func copyDirectory(source, destination string) error {
	if err := os.Mkdir(destination, 0o700); err != nil {
		return err
	}
	children, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := copyTree(filepath.Join(source, child.Name()), filepath.Join(destination, child.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(source, destination string) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(destination, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if values := metadata.Read(source); err == nil && values != nil {
		err = metadata.Write(to, values)
	}
	return errors.Join(err, to.Close())
}

func copyLink(source, destination string) error {
	target, err := os.Readlink(source)
	if err != nil {
		return err
	}
	return os.Symlink(target, destination)
}

// copyAttributes comes last: writing into a directory changes its time, and chown clears the set-user-id bit.
func copyAttributes(info fs.FileInfo, destination string) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Lchown(destination, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	special := info.Mode() & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if err := os.Chmod(destination, info.Mode().Perm()|special); err != nil {
		return err
	}
	return setTimes(destination, info.ModTime())
}

func setTimes(path string, modified time.Time) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(modified.UnixNano())}
	return os.NewSyscallError("utimensat", unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW))
}
