package tree

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// Staged is a directory under construction beside its final place: either all of it appears there or nothing does.
type Staged struct {
	// Path is where to build. It is empty at first.
	Path   string
	target string
	lock   *os.File
}

// Stage begins a directory that will be target. It waits for another process that is about the same one, and clears what a killed one has
// left. A target that exists is finished and stays: nil is returned.
func Stage(ctx context.Context, target string) (*Staged, error) {
	for {
		if _, err := os.Lstat(target); err == nil {
			return nil, nil
		}
		staged := &Staged{Path: target + ".tmp", target: target}
		owned, err := staged.acquire(ctx)
		if err != nil {
			return nil, err
		}
		if owned {
			return staged, staged.empty()
		}
	}
}

// acquire makes and locks the directory. Not owned: another process has put it in its place, or removed it, in the meantime.
func (s *Staged) acquire(ctx context.Context) (owned bool, err error) {
	if err := os.Mkdir(s.Path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return false, fault.Wrap(err, fault.Internal, "The target's directory cannot be made.")
	}
	lock, err := os.OpenFile(s.Path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := Lock(ctx, lock); err != nil {
		lock.Close()
		return false, err
	}
	if !Names(s.Path, lock) {
		return false, lock.Close()
	}
	s.lock = lock
	return true, nil
}

// Names tells whether path is still the open file.
func Names(path string, file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(opened, named)
}

// Lock waits until no other process holds the file's lock, which ends with the file or by unix.LOCK_UN.
func Lock(ctx context.Context, file *os.File) error {
	descriptor := int(file.Fd())
	locked := make(chan error, 1)
	go func() {
		err := error(unix.EINTR)
		for errors.Is(err, unix.EINTR) {
			err = unix.Flock(descriptor, unix.LOCK_EX)
		}
		locked <- err
	}()
	select {
	case err := <-locked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Staged) empty() error {
	err := EachEntry(s.lock, func(entry os.DirEntry) error {
		return os.RemoveAll(filepath.Join(s.Path, entry.Name()))
	})
	if err == nil {
		err = s.lock.Chmod(0o755)
	}
	if err != nil {
		s.lock.Close()
	}
	return err
}

// Commit puts the directory into its place. What is in it must be on the disk already.
func (s *Staged) Commit() error {
	if err := unix.Renameat2(unix.AT_FDCWD, s.Path, unix.AT_FDCWD, s.target, unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(s.target))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}

// Close gives the directory up, unless it was committed.
func (s *Staged) Close() {
	if Names(s.Path, s.lock) {
		_ = os.RemoveAll(s.Path)
	}
	s.lock.Close()
}
