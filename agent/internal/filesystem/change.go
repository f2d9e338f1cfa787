package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"torpor.dev/agent/internal/users"
)

// ErrRoot says that the root of the file system cannot be removed or moved.
var ErrRoot = errors.New("the root directory cannot be changed")

// NotFileError says that a path is taken by something that is not a directory.
type NotFileError struct{ Path string }

func (e *NotFileError) Error() string {
	return "path already exists but it is not a directory: " + e.Path
}

// ExistsError says that a directory is there already.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return "directory already exists: " + e.Path }

// MakeDir makes a directory and its missing parents for a user. It returns an *ExistsError or a *NotFileError for a path
// that is taken.
func MakeDir(path string, owner users.User) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return &ExistsError{Path: path}
	case err == nil:
		return &NotFileError{Path: path}
	default:
		return EnsureDir(path, owner)
	}
}

// EnsureDir makes what is missing of a directory path, 0755 and owned by the user. It returns a *NotFileError when
// something on the way is not a directory.
func EnsureDir(path string, owner users.User) error {
	info, err := os.Stat(path)
	if err == nil {
		if !info.IsDir() {
			return &NotFileError{Path: path}
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent == path {
		return err
	}
	if err := EnsureDir(parent, owner); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			// Somebody else was faster, or it is a link to nowhere.
			if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
				return nil
			}
			return &NotFileError{Path: path}
		}
		return err
	}
	// The mask of the agent must not narrow what the protocol promises.
	return errors.Join(os.Chmod(path, 0o755), os.Lchown(path, int(owner.UID), int(owner.GID)))
}

// Move renames; files at the destination are replaced and its missing parents made, as rename(2) would.
func Move(source, destination string, owner users.User) error {
	if source == "/" || destination == "/" {
		return ErrRoot
	}
	if _, err := os.Lstat(source); err != nil {
		return err
	}
	if err := EnsureDir(filepath.Dir(destination), owner); err != nil {
		return err
	}
	err := os.Rename(source, destination)
	if errors.Is(err, syscall.EXDEV) {
		return moveAcross(source, destination)
	}
	return err
}

// Remove removes a file or a whole directory; one that is not there is no error.
func Remove(path string) error {
	if path == "/" {
		return ErrRoot
	}
	if err := os.RemoveAll(path); err != nil && !errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("removing: %w", err)
	}
	return nil
}
