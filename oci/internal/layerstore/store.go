// Package layerstore keeps the compressed layers of images, each once, under its digest.
package layerstore

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// Store is a directory of layers: a file "<algorithm>-<hex>" is whole and on the disk, "….part" is being fetched or was left by a killed
// process. Several processes may use one directory.
type Store struct{ directory string }

// Open makes the directory if it is missing.
func Open(directory string) (*Store, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The directory of layers cannot be made.")
	}
	return &Store{directory}, nil
}

// Source opens the compressed content of a layer; reading it to the end fails unless it is what the digest says.
type Source func() (io.ReadCloser, error)

// Get opens the layer with a digest and a size. One that is there is read through once, as a layer lives long; one that is missing or
// damaged is fetched. progress is told the bytes that were fetched.
func (s *Store) Get(ctx context.Context, digest v1.Hash, size int64, source Source, progress func(done int64)) (*os.File, error) {
	path := filepath.Join(s.directory, digest.Algorithm+"-"+digest.Hex)
	for {
		file, err := whole(ctx, path, digest, size)
		if file != nil || err != nil {
			return file, err
		}
		if file, err = fetch(ctx, path, source, progress); file != nil || err != nil {
			return file, err
		}
	}
}

// whole opens a stored layer. A damaged one is removed.
func whole(ctx context.Context, path string, digest v1.Hash, size int64) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	intact, err := matches(ctx, file, digest, size)
	if intact {
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			return file, nil
		}
	}
	file.Close()
	if err != nil {
		return nil, err
	}
	return nil, os.Remove(path)
}

func matches(ctx context.Context, file *os.File, digest v1.Hash, size int64) (bool, error) {
	stat, err := file.Stat()
	if err != nil || stat.Size() != size {
		return false, err
	}
	hasher, err := v1.Hasher(digest.Algorithm)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(hasher, contextReader{ctx, file}); err != nil {
		return false, err
	}
	return (v1.Hash{Algorithm: digest.Algorithm, Hex: hexOf(hasher)}) == digest, nil
}

// fetch brings a layer under its name and opens it. It returns nothing if another process has been about the same layer.
func fetch(ctx context.Context, path string, source Source, progress func(done int64)) (*os.File, error) {
	part, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	fetched, err := fetchInto(ctx, part, path, source, progress)
	if !fetched {
		part.Close()
		return nil, err
	}
	return part, nil
}

func fetchInto(ctx context.Context, part *os.File, path string, source Source, progress func(done int64)) (fetched bool, err error) {
	if err := tree.Lock(ctx, part); err != nil {
		return false, err
	}
	defer unix.Flock(int(part.Fd()), unix.LOCK_UN)
	if !tree.Names(part.Name(), part) {
		return false, nil // it was fetched, or given up, while we waited
	}
	if _, err := os.Lstat(path); err == nil {
		return false, os.Remove(part.Name())
	}
	if err := fill(ctx, part, source, progress); err != nil {
		os.Remove(part.Name())
		return false, err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return false, err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return false, err
	}
	_, err = part.Seek(0, io.SeekStart)
	return err == nil, err
}

func fill(ctx context.Context, part *os.File, source Source, progress func(done int64)) error {
	if err := part.Truncate(0); err != nil {
		return err
	}
	content, err := source()
	if err != nil {
		return err
	}
	defer content.Close()
	if _, err := io.Copy(&countingWriter{part, 0, progress}, contextReader{ctx, content}); err != nil {
		return err
	}
	return part.Sync()
}
