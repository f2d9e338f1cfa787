// Package extents tells what files take of their file system, and what of that they share with others.
package extents

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Usage is what one file or several take.
type Usage struct {
	// Bytes are the sizes as users see them, holes counted.
	Bytes int64
	// AllocatedBytes are what is no hole, whether it is written yet or not; shared blocks as if they were not.
	AllocatedBytes int64
	// SharedBytes is the part of them that other files have as well. 0 where the file system cannot tell.
	SharedBytes int64
	// Extents is in how many pieces the file lies: of several the one that takes most. Where the file system cannot tell, each file
	// counts as one piece.
	Extents int64
}

// OfFile tells it of an open file.
func OfFile(file *os.File) (Usage, error) {
	usage, _, err := measure(file)
	return usage, err
}

// OfFiles tells it of open files together.
func OfFiles(files []*os.File) (Usage, error) {
	var total Usage
	var untold, most int64
	for _, file := range files {
		each, told, err := measure(file)
		if err != nil {
			return Usage{}, err
		}
		total.Bytes += each.Bytes
		total.AllocatedBytes += each.AllocatedBytes
		total.SharedBytes += each.SharedBytes
		if !told {
			untold++
		} else if each.AllocatedBytes >= most {
			most, total.Extents = each.AllocatedBytes, each.Extents
		}
	}
	total.Extents = max(total.Extents, untold)
	return total, nil
}

// OfDirectory tells it of the regular files that lie directly in the directory.
func OfDirectory(directory string) (Usage, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return Usage{}, err
	}
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		file, err := os.OpenFile(filepath.Join(directory, entry.Name()), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if errors.Is(err, os.ErrNotExist) { // removed meanwhile
			continue
		}
		if err != nil {
			return Usage{}, err
		}
		files = append(files, file)
	}
	return OfFiles(files)
}

// measure asks for the map of the file's blocks, and without one (told is false) for their number.
func measure(file *os.File) (usage Usage, told bool, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return Usage{}, false, err
	}
	usage.Bytes = stat.Size
	err = visit(int(file.Fd()), func(e extent) {
		usage.AllocatedBytes += int64(e.length)
		if e.flags&shared != 0 {
			usage.SharedBytes += int64(e.length)
		}
		usage.Extents++
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTTY) {
		return Usage{Bytes: stat.Size, AllocatedBytes: stat.Blocks * 512, Extents: 1}, false, nil
	}
	return usage, true, err
}
