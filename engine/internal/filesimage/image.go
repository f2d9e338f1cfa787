// Package filesimage looks into images of files, as gVisor writes them (its package fscheckpoint describes the format).
//
// Their content comes out of a sandbox and is trusted with nothing: names in it are never used, every number is checked
// against the size of the file that it points into.
package filesimage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"gvisor.dev/gvisor/pkg/hostarch"
	fspb "gvisor.dev/gvisor/pkg/sentry/fscheckpoint/fscheckpoint_proto_go_proto"
	pgallocpb "gvisor.dev/gvisor/pkg/sentry/pgalloc/pgalloc_metadata_go_proto"
	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"
)

// largest bounds what is read into memory at once: the description of the pages of some millions of files.
const largest = 256 << 20

// image is the description of one image: of the tree of files, and of the pages with their content.
type image struct {
	directory string
	manifest  *fspb.Manifest
	pages     *pgallocpb.MemoryFileMetadataProto
}

func (i *image) path(name string) string { return filepath.Join(i.directory, name) }

// Check finds what is wrong with an image, as far as that shows without reading the files' content: all its parts agree.
// It gives the disk space that the files take in a sandbox.
func Check(directory string) (bytes uint64, err error) {
	i, err := open(directory)
	if err != nil {
		return 0, err
	}
	if err := i.require(checkpointfiles.FSCheckpointMultiTarFileName, i.manifest.Tmpfs[0].TarEnd); err != nil {
		return 0, err
	}
	tree, err := i.tree()
	if err != nil {
		return 0, err
	}
	if kept, dropped := split(i.pages.MemAcct, tree.content); dropped || length(kept) != length(tree.content) {
		return 0, errors.New("the tree of files and the description of the pages do not agree")
	}
	return length(tree.content) + tree.longLinks*hostarch.PageSize, i.checkPages()
}

func (i *image) checkPages() error {
	var committed uint64
	for _, account := range i.pages.MemAcct {
		if account.KnownCommitted {
			committed += account.End - account.Start
		}
	}
	return i.require(checkpointfiles.PagesFileName, committed)
}

// open reads the description of an image that holds one root, which is what is captured here.
func open(directory string) (*image, error) {
	i := &image{directory: directory, manifest: &fspb.Manifest{}, pages: &pgallocpb.MemoryFileMetadataProto{}}
	content, err := i.read(checkpointfiles.FSCheckpointManifestFileName)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(content, i.manifest); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if len(i.manifest.MemoryFiles) != 1 || len(i.manifest.Tmpfs) != 1 || i.manifest.Tmpfs[0].TarStart != 0 {
		return nil, errors.New("the manifest does not describe one root")
	}
	if content, err = i.read(checkpointfiles.PagesMetadataFileName); err != nil {
		return nil, err
	}
	if len(content) < 8 || binary.LittleEndian.Uint64(content) != uint64(len(content)-8) || i.manifest.MemoryFiles[0].PagesMetadataEnd != uint64(len(content)) {
		return nil, errors.New("the description of the pages has another length")
	}
	if err := proto.Unmarshal(content[8:], i.pages); err != nil {
		return nil, fmt.Errorf("reading the description of the pages: %w", err)
	}
	return i, i.ordered()
}

// ordered makes sure that the accounts of pages go upwards, as all that reads them relies on.
func (i *image) ordered() error {
	var last uint64
	for _, account := range i.pages.MemAcct {
		if account.Start < last || account.End <= account.Start {
			return errors.New("the description of the pages is out of order")
		}
		last = account.End
	}
	return nil
}

func (i *image) read(name string) ([]byte, error) {
	file, err := os.Open(i.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err == nil && len(content) > largest {
		err = fmt.Errorf("%s is too large", name)
	}
	return content, err
}

func (i *image) require(name string, size uint64) error {
	info, err := os.Stat(i.path(name))
	if err == nil && uint64(info.Size()) != size {
		err = fmt.Errorf("%s has %d bytes, not %d", name, info.Size(), size)
	}
	return err
}
