package files

import (
	"bufio"
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

// writeBytes is the size of one write: multipart bodies arrive in small pieces, and each call costs.
const writeBytes = 128 << 10

var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBytes) }}

// writeFile writes a whole file for a user: missing parents are made, an existing file is emptied and given to the user,
// and the metadata replace all older ones.
func writeFile(path string, content io.Reader, owner users.User, values map[string]string) (err error) {
	file, err := create(path, owner)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		// Devices take data, but neither an owner nor metadata from here.
		return fill(file, content)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != owner.UID || stat.Gid != owner.GID {
		if err := file.Chown(int(owner.UID), int(owner.GID)); err != nil {
			return err
		}
	}
	if err := fill(file, content); err != nil {
		return err
	}
	return metadata.Write(file, values)
}

// create opens a file for writing and makes its parents only when they turn out to be missing. It does not wait for the
// reader of a FIFO.
func create(path string, owner users.User) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC | syscall.O_NONBLOCK
	file, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := filesystem.EnsureDir(filepath.Dir(path), owner); err != nil {
			return nil, err
		}
		file, err = os.OpenFile(path, flags, 0o666)
	}
	if errors.Is(err, syscall.EISDIR) {
		return nil, isDirectory(path)
	}
	return file, err
}

func fill(file *os.File, content io.Reader) error {
	writer := writers.Get().(*bufio.Writer)
	// Without the wrapping, the file would read the content itself, in its small pieces.
	writer.Reset(struct{ io.Writer }{file})
	defer func() {
		writer.Reset(nil)
		writers.Put(writer)
	}()
	if _, err := writer.ReadFrom(content); err != nil {
		return err
	}
	return writer.Flush()
}
