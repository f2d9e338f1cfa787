package tree

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readBatch bounds the names that are held while a directory is walked.
const readBatch = 1024

// openDirAt names the file by its descriptor, so that os.File can look at entries where the file system does not tell their type.
func openDirAt(parent int, base string) (*os.File, error) {
	fd, err := unix.Openat(parent, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), descriptorPath(fd)), nil
}

// OpenBelow opens a directory inside an open one.
func OpenBelow(directory *os.File, base string) (*os.File, error) {
	return openDirAt(int(directory.Fd()), base)
}

// RemoveBelow removes an entry of an open directory that is no directory, or an empty one.
func RemoveBelow(directory *os.File, entry os.DirEntry) error {
	flags := 0
	if entry.IsDir() {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(int(directory.Fd()), entry.Name(), flags)
}

// Inode identifies an open file as long as it exists.
func Inode(file *os.File) (uint64, error) {
	var stat unix.Stat_t
	err := unix.Fstat(int(file.Fd()), &stat)
	return stat.Ino, err
}

// SetTime sets the time of an open directory's last change.
func SetTime(directory *os.File, modified unix.Timespec) error {
	return unix.UtimesNanoAt(int(directory.Fd()), ".", []unix.Timespec{modified, modified}, unix.AT_SYMLINK_NOFOLLOW)
}

// EachEntry calls visit for every entry of an open directory. visit may remove the entry.
func EachEntry(directory *os.File, visit func(entry os.DirEntry) error) error {
	for {
		entries, err := directory.ReadDir(readBatch)
		for _, entry := range entries {
			if err := visit(entry); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
