package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/readahead"

	"torpor.dev/oci/internal/fault"
)

const (
	// maxWindow bounds the memory of a zstd stream: what `zstd --long=27` makes can still be read.
	maxWindow = 128 << 20
	// aheadBuffers of aheadBytes each are decompressed while files are written.
	aheadBuffers = 4
	aheadBytes   = 1 << 20
	sniffBytes   = 64 << 10
)

// Compression of an archive.
type Compression string

const (
	Detect Compression = ""
	Plain  Compression = "plain"
	Gzip   Compression = "gzip"
	Zstd   Compression = "zstd"
)

// countingReader counts what was read, and ends when the work is cancelled.
type countingReader struct {
	ctx    context.Context
	source io.Reader
	count  int64
	report func(count int64)
}

func (r *countingReader) Read(buffer []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	count, err := r.source.Read(buffer)
	r.count += int64(count)
	if r.report != nil {
		r.report(r.count)
	}
	return count, err
}

// sniff finds out how a stream is compressed; media types lie.
func sniff(source *bufio.Reader) Compression {
	start, _ := source.Peek(4)
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return Gzip
	case bytes.Equal(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstd
	case len(start) == 4 && start[0]&0xf0 == 0x50 && bytes.Equal(start[1:], []byte{0x2a, 0x4d, 0x18}):
		return Zstd // begins with a frame to be skipped
	}
	return Plain
}

// decompress opens a compressed stream. Its memory is bounded whatever the stream says.
func decompress(source io.Reader, compression Compression) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(source, sniffBytes)
	if compression == Detect {
		compression = sniff(buffered)
	}
	switch compression {
	case Gzip:
		reader, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, unreadable(err)
		}
		return reader, nil
	case Zstd:
		reader, err := zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, unreadable(err)
		}
		return reader.IOReadCloser(), nil
	}
	return io.NopCloser(buffered), nil
}

// ahead decompresses in the background. Closing it ends that before the source may be closed.
func ahead(source io.Reader) (io.ReadCloser, error) {
	return readahead.NewReaderSize(source, aheadBuffers, aheadBytes)
}

// unreadable says that a stream or an archive is not what it should be, unless something else is behind it.
func unreadable(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return fault.Wrap(err, fault.Unsupported, "The archive is compressed with a window of more than %d MiB.", maxWindow>>20)
	}
	return fault.Wrap(err, fault.InvalidArgument, "The archive is damaged or is not a tar archive.")
}
