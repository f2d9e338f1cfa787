package filesimage

import (
	"archive/tar"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"
)

// longLink is the length from which a symbolic link's target takes a page of its own.
const longLink = 128

// tree is what of an image's files takes space.
type tree struct {
	// content are the ranges that hold the content of files that have a name.
	content   []span
	longLinks uint64
}

func (i *image) tree() (tree, error) {
	var t tree
	file, err := os.Open(i.path(checkpointfiles.FSCheckpointMultiTarFileName))
	if err != nil {
		return t, err
	}
	defer file.Close()
	entries := tar.NewReader(bufio.NewReaderSize(file, 1<<20))
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			t.content, err = merge(t.content)
			return t, err
		}
		if err == nil {
			err = t.add(entry, entries)
		}
		if err != nil {
			return t, fmt.Errorf("reading the tree of files: %w", err)
		}
	}
}

func (t *tree) add(entry *tar.Header, content io.Reader) (err error) {
	switch entry.Typeflag {
	case tar.TypeReg:
		t.content, err = appendContent(t.content, content)
	case tar.TypeSymlink:
		if len(entry.Linkname) >= longLink {
			t.longLinks++
		}
	}
	return err
}

// appendContent reads where a file's content is: its size, then for each piece start and end in the file and start in the store.
func appendContent(spans []span, entry io.Reader) ([]span, error) {
	var size [8]byte
	if _, err := io.ReadFull(entry, size[:]); err != nil {
		return nil, err
	}
	for {
		var piece [24]byte
		_, err := io.ReadFull(entry, piece[:])
		if errors.Is(err, io.EOF) {
			return spans, nil
		}
		if err != nil {
			return nil, err
		}
		start, end := binary.LittleEndian.Uint64(piece[:]), binary.LittleEndian.Uint64(piece[8:])
		at := binary.LittleEndian.Uint64(piece[16:])
		spans = append(spans, span{at, at + end - start})
	}
}
