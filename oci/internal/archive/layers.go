package archive

import (
	"context"
	"encoding/hex"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// Layers applies the layers of an image to one directory, the lowest first.
type Layers struct {
	unpacker *unpacker
	tree     *tree.Tree
}

// NewLayers begins with an empty directory. Close it.
func NewLayers(directory string, limits Limits) (*Layers, error) {
	target, err := tree.Open(directory)
	if err != nil {
		return nil, err
	}
	return &Layers{unpacker: newUnpacker(target, layerPolicy, limits), tree: target}, nil
}

// Close releases the directory.
func (l *Layers) Close() { l.tree.Close() }

// Apply unpacks one layer. diffID is the digest that its uncompressed content must have; progress is told the compressed bytes read.
func (l *Layers) Apply(ctx context.Context, compressed io.Reader, diffID v1.Hash, progress func(read int64)) error {
	source := &countingReader{ctx: ctx, source: compressed, report: progress}
	plain, err := decompress(source, Detect)
	if err != nil {
		return err
	}
	defer plain.Close()
	digest, err := v1.Hasher(diffID.Algorithm)
	if err != nil {
		return fault.Wrap(err, fault.Unsupported, "A layer has a digest of the sort %q.", diffID.Algorithm)
	}
	bounded := &boundedReader{source: plain, left: l.unpacker.budget.limits.streamLimit()}
	stream, err := ahead(io.TeeReader(bounded, digest))
	if err != nil {
		return err
	}
	defer stream.Close()
	if err := l.unpacker.apply(stream); err != nil {
		return err
	}
	// What follows the end of the archive belongs to the digest as well.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return unreadable(err)
	}
	if found := hex.EncodeToString(digest.Sum(nil)); found != diffID.Hex {
		return fault.New(fault.InvalidArgument, "A layer's content has the digest %s:%s, but the image says %s.", diffID.Algorithm, found, diffID)
	}
	return nil
}

// Finish sets what must come last and puts everything onto the disk. It returns what the image holds and what was left out of it.
func (l *Layers) Finish() (Usage, []string, error) {
	if err := l.unpacker.finish(); err != nil {
		return Usage{}, nil, err
	}
	if err := l.tree.Sync(); err != nil {
		return Usage{}, nil, err
	}
	return l.unpacker.budget.used, l.unpacker.skipped.lines(), nil
}
