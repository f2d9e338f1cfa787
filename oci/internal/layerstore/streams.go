package layerstore

import (
	"context"
	"encoding/hex"
	"hash"
	"io"
	"os"
)

// contextReader ends when the work is cancelled.
type contextReader struct {
	ctx    context.Context
	source io.Reader
}

func (r contextReader) Read(buffer []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.source.Read(buffer)
}

type countingWriter struct {
	target io.Writer
	done   int64
	report func(done int64)
}

func (w *countingWriter) Write(content []byte) (int, error) {
	count, err := w.target.Write(content)
	w.done += int64(count)
	w.report(w.done)
	return count, err
}

func hexOf(hasher hash.Hash) string { return hex.EncodeToString(hasher.Sum(nil)) }

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}
