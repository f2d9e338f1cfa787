// Package compact writes files anew in one piece, beside the old one until it is done. Files whose blocks were shared and written to
// many times lie in thousands of pieces, each of which costs every later sharing and reading.
package compact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"
)

const (
	// unfinished is what the name of a new file ends in until it takes the place of the old one.
	unfinished = ".compact"
	// largeFrom is the size from which on any file is worth it, not only the pages of an image.
	largeFrom = 64 << 20
)

// ErrBusy is what Directory fails with while another call works on the same directory.
var ErrBusy = errors.New("the directory is being compacted already")

// Directory writes the pages of the image in the directory anew, and gives the bytes that it wrote. Who has an old file open goes on
// reading that. It ends with the context, and then or when there is no room (ENOSPC) the old file stays.
func Directory(ctx context.Context, directory string) (int64, error) {
	lock, err := os.Open(directory)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return 0, ErrBusy
	}
	if err != nil {
		return 0, err
	}
	names, err := candidates(directory)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, name := range names {
		written, err := replace(ctx, filepath.Join(directory, name))
		total += written
		if err != nil {
			return total, err
		}
		if err := lock.Sync(); err != nil {
			return total, err
		}
	}
	return total, nil
}

// candidates are the files that are worth it.
func candidates(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		worth := entry.Name() == checkpointfiles.PagesFileName || info.Size() > largeFrom
		if info.Mode().IsRegular() && worth && !strings.HasSuffix(entry.Name(), unfinished) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// replace puts a new file with the same content in the place of the old one.
func replace(ctx context.Context, path string) (written int64, err error) {
	old, err := open(path, os.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return 0, err
	}
	defer old.Close()
	// A host that died may have left one.
	if err := os.Remove(path + unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	anew, err := open(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return 0, err
	}
	defer anew.Close()
	defer func() {
		if err != nil {
			_ = os.Remove(path + unfinished)
		}
	}()
	if written, err = fill(ctx, old, anew); err != nil {
		return written, err
	}
	return written, os.Rename(path+unfinished, path)
}

// fill makes the new file the same as the old one, and safe on the disk.
func fill(ctx context.Context, old, anew *file) (int64, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(old.Fd()), &stat); err != nil {
		return 0, err
	}
	if err := reserve(old, anew, stat.Size); err != nil {
		return 0, fmt.Errorf("taking room: %w", err)
	}
	written, err := copyData(ctx, old, anew)
	if err != nil {
		return written, err
	}
	descriptor := int(anew.Fd())
	return written, firstOf(
		// The last block was written whole.
		func() error { return anew.Truncate(stat.Size) },
		func() error { return unix.Fchown(descriptor, int(stat.Uid), int(stat.Gid)) },
		func() error { return unix.Fchmod(descriptor, stat.Mode&0o7777) },
		func() error { return setTimes(descriptor, stat.Atim, stat.Mtim) },
		anew.Sync,
	)
}

func firstOf(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func setTimes(descriptor int, accessed, modified unix.Timespec) error {
	return unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", descriptor), []unix.Timespec{accessed, modified}, 0)
}
