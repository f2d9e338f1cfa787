package archive

import (
	"context"
	"io"

	"torpor.dev/oci/internal/tree"
)

// Upload unpacks an archive that a user has uploaded into an empty directory: tar, plain or compressed. All belongs to root, setuid and setgid are dropped.
// It returns what the archive holds and what was left out of it.
func Upload(ctx context.Context, archive io.Reader, compression Compression, directory string, limits Limits) (Usage, []string, error) {
	target, err := tree.OpenStrict(directory)
	if err != nil {
		return Usage{}, nil, err
	}
	defer target.Close()
	unpacker := newUnpacker(target, uploadPolicy, limits)
	if err := unpackUpload(ctx, archive, compression, unpacker); err != nil {
		return Usage{}, nil, err
	}
	if err := unpacker.finish(); err != nil {
		return Usage{}, nil, err
	}
	return unpacker.budget.used, unpacker.skipped.lines(), target.Sync()
}

func unpackUpload(ctx context.Context, archive io.Reader, compression Compression, unpacker *unpacker) error {
	source := &countingReader{ctx: ctx, source: archive}
	plain, err := decompress(source, compression)
	if err != nil {
		return err
	}
	defer plain.Close()
	stream, err := ahead(&boundedReader{source: plain, left: unpacker.budget.limits.streamLimit(), taken: &source.count})
	if err != nil {
		return err
	}
	defer stream.Close()
	return unpacker.apply(stream)
}
