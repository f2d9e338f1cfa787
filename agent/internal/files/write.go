package files

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"torpor.dev/agent/internal/filesystem"
	"torpor.dev/agent/internal/metadata"
	"torpor.dev/agent/internal/users"
)

const (
	// writeBytes is the size of one write: multipart bodies arrive in small pieces, and each call costs.
	writeBytes = 128 << 10
	// heldBytes is the size up to which a body is read to its end before its file is touched.
	heldBytes = 256 << 10
)

var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBytes) }}

// file is one file to be written for a user.
type file struct {
	path     string
	owner    users.User
	metadata map[string]string // replaces all older ones
}

// write writes a whole file, or leaves what was there: missing parents are made, an existing file keeps its mode and is given
// to the user. A body that breaks off must not cost the old content, so a small one is awaited and then written in place, as
// envd does; a big one goes into a file of its own, which takes the name when it is complete. Only what cannot be replaced (a
// device, a file with several names) is written in place whatever the size.
func (f file) write(content io.Reader) error {
	var held bytes.Buffer
	if _, err := held.ReadFrom(io.LimitReader(content, heldBytes)); err != nil {
		return err
	}
	info, err := os.Lstat(f.path)
	switch {
	case err == nil && info.IsDir():
		return isDirectory(f.path)
	case held.Len() < heldBytes:
		return f.writeInPlace(&held, err == nil)
	}
	target, mode, replaceable := f.replaceable(info)
	if !replaceable {
		return f.writeInPlace(io.MultiReader(&held, content), err == nil)
	}
	return f.replace(target, mode, io.MultiReader(&held, content))
}

// replaceable finds the file behind a path (nil info: there is none) and whether a new one can take its name unnoticed.
func (f file) replaceable(info fs.FileInfo) (target string, mode fs.FileMode, replaceable bool) {
	if info == nil {
		return f.path, 0, true
	}
	target = f.path
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if target, err = filepath.EvalSymlinks(f.path); err != nil {
			return "", 0, false
		}
		if info, err = os.Lstat(target); err != nil {
			return "", 0, false
		}
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	return target, info.Mode(), known && info.Mode().IsRegular() && stat.Nlink == 1
}

// replace fills a new file beside the target and renames it.
func (f file) replace(target string, mode fs.FileMode, content io.Reader) (err error) {
	staging := filesystem.StagingName(target)
	to, err := f.open(staging, os.O_EXCL)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(staging)
			err = named(err, target)
		}
	}()
	if err := errors.Join(f.fill(to, content, mode), to.Close()); err != nil {
		return err
	}
	return os.Rename(staging, target)
}

// named speaks of the file that the client knows.
func named(err error, path string) error {
	if known, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: known.Op, Path: path, Err: known.Err}
	}
	return err
}

// writeInPlace empties an existing file, or makes one, which is removed again when it cannot be filled.
func (f file) writeInPlace(content io.Reader, existed bool) error {
	to, err := f.open(f.path, os.O_TRUNC)
	if errors.Is(err, syscall.EISDIR) {
		return isDirectory(f.path)
	}
	if err != nil {
		return err
	}
	err = errors.Join(f.fill(to, content, 0), to.Close())
	if err != nil && !existed {
		_ = os.Remove(f.path)
	}
	return err
}

// open makes the parents only when they turn out to be missing. It does not wait for the reader of a FIFO.
func (f file) open(path string, how int) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | syscall.O_NONBLOCK | how
	to, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := filesystem.EnsureDir(filepath.Dir(path), f.owner); err != nil {
			return nil, err
		}
		to, err = os.OpenFile(path, flags, 0o666)
	}
	return to, err
}

// fill writes content, owner, mode (0: as it is) and metadata. Devices take data, but nothing else from here.
func (f file) fill(to *os.File, content io.Reader, mode fs.FileMode) error {
	info, err := to.Stat()
	if err != nil {
		return err
	}
	if err := pour(to, content); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != f.owner.UID || stat.Gid != f.owner.GID {
		if err := to.Chown(int(f.owner.UID), int(f.owner.GID)); err != nil {
			return err
		}
	}
	if mode != 0 {
		if err := to.Chmod(mode); err != nil {
			return err
		}
	}
	return metadata.Write(to, f.metadata)
}

func pour(to *os.File, content io.Reader) error {
	writer := writers.Get().(*bufio.Writer)
	// Without the wrapping, the file would read the content itself, in its small pieces.
	writer.Reset(struct{ io.Writer }{to})
	defer func() {
		writer.Reset(nil)
		writers.Put(writer)
	}()
	if _, err := writer.ReadFrom(content); err != nil {
		return err
	}
	return writer.Flush()
}
