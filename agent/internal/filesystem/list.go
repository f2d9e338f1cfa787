package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"torpor.dev/agent/internal/users"
)

// NotDirectoryError says that a path is not the directory it should be.
type NotDirectoryError struct{ Path string }

func (e *NotDirectoryError) Error() string { return "path is not a directory: " + e.Path }

// List describes what is in a directory, depth levels down (at least one), each directory before its contents, in the
// order of names. The directory itself may be a link; links below it are not followed. Entries that vanish meanwhile are
// left out.
func List(ctx context.Context, path string, depth int, names users.Names) ([]Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			return nil, fmt.Errorf("cyclic symlink at '%s': %w", path, err)
		}
		return nil, err
	}
	if !info.IsDir() {
		return nil, &NotDirectoryError{Path: path}
	}
	l := lister{ctx: ctx, names: names, entries: []Entry{}}
	if err := l.list(path, max(depth, 1)); err != nil {
		return nil, err
	}
	return l.entries, nil
}

type lister struct {
	ctx     context.Context
	names   users.Names
	entries []Entry
}

func (l *lister) list(path string, depth int) error {
	children, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		info, err := child.Info()
		if err != nil {
			continue
		}
		childPath := filepath.Join(path, child.Name())
		l.entries = append(l.entries, describe(childPath, info, l.names))
		if depth > 1 && info.IsDir() {
			if err := l.list(childPath, depth-1); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
