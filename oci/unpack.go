package main

import (
	"context"
	"io"
	"os"

	"torpor.dev/oci/internal/archive"
	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/layerstore"
	"torpor.dev/oci/internal/registry"
	"torpor.dev/oci/internal/report"
)

// fetchedAtOnce is how many layers are on their way while an earlier one is unpacked.
const fetchedAtOnce = 3

// unpack brings an image's file system to the target.
func unpack(ctx context.Context, asked *request, lines *report.Reporter) (*unpacked, error) {
	limits, err := checkUnpack(asked)
	if err != nil {
		return nil, err
	}
	return build(ctx, asked.Target, func(directory string) (archive.Usage, error) {
		return unpackInto(ctx, directory, asked, limits, lines)
	})
}

func checkUnpack(asked *request) (archive.Limits, error) {
	if err := registry.RequireDigest(asked.Reference); err != nil {
		return archive.Limits{}, err
	}
	if err := requireAbsolute("layersDirectory", asked.LayersDirectory); err != nil {
		return archive.Limits{}, err
	}
	if err := requireAbsolute("target", asked.Target); err != nil {
		return archive.Limits{}, err
	}
	return asked.limits()
}

func unpackInto(ctx context.Context, directory string, asked *request, limits archive.Limits, lines *report.Reporter) (archive.Usage, error) {
	image, err := registry.Find(ctx, asked.Reference, asked.access())
	if err != nil {
		return archive.Usage{}, err
	}
	if err := checkSize(image, limits); err != nil {
		return archive.Usage{}, err
	}
	store, err := layerstore.Open(asked.LayersDirectory)
	if err != nil {
		return archive.Usage{}, err
	}
	layers, err := archive.NewLayers(directory, limits)
	if err != nil {
		return archive.Usage{}, err
	}
	defer layers.Close()
	if err := applyAll(ctx, image, store, layers, lines); err != nil {
		return archive.Usage{}, err
	}
	usage, left, err := layers.Finish()
	for _, line := range left {
		lines.Info("%s", line)
	}
	return usage, err
}

// checkSize refuses early what would be refused later, before the disk is filled with layers.
func checkSize(image *registry.Image, limits archive.Limits) error {
	left := limits.MaxBytes
	for _, layer := range image.Layers {
		if left -= layer.Size; left < 0 {
			return fault.New(fault.InvalidArgument, "The image's layers are larger than the %d MiB that are allowed, even compressed.", limits.MaxBytes>>20)
		}
	}
	return nil
}

type fetched struct {
	file *os.File
	err  error
}

// applyAll unpacks layer after layer while the next ones are fetched.
func applyAll(ctx context.Context, image *registry.Image, store *layerstore.Store, layers *archive.Layers, lines *report.Reporter) error {
	ctx, cancel := context.WithCancel(ctx)
	begin := func(layer registry.Layer) <-chan fetched {
		done := make(chan fetched, 1)
		go func() {
			file, err := fetchLayer(ctx, image, store, layer, lines)
			done <- fetched{file, err}
		}()
		return done
	}
	ahead := []<-chan fetched{}
	defer func() { closeAll(ahead) }()
	defer cancel()
	for i, layer := range image.Layers {
		for len(ahead) < fetchedAtOnce && i+len(ahead) < len(image.Layers) {
			ahead = append(ahead, begin(image.Layers[i+len(ahead)]))
		}
		next := <-ahead[0]
		ahead = ahead[1:]
		if next.err != nil {
			return next.err
		}
		if err := applyOne(ctx, next.file, layer, layers, lines); err != nil {
			return err
		}
	}
	return nil
}

// closeAll waits for fetches that nobody wants any more.
func closeAll(ahead []<-chan fetched) {
	for _, layer := range ahead {
		if left := <-layer; left.file != nil {
			left.file.Close()
		}
	}
}

func fetchLayer(ctx context.Context, image *registry.Image, store *layerstore.Store, layer registry.Layer, lines *report.Reporter) (*os.File, error) {
	source := func() (io.ReadCloser, error) { return image.Open(layer) }
	return store.Get(ctx, layer.Digest, layer.Size, source, func(done int64) {
		lines.Progress("fetch", layer.Digest.String(), done, layer.Size)
	})
}

func applyOne(ctx context.Context, file *os.File, layer registry.Layer, layers *archive.Layers, lines *report.Reporter) error {
	defer file.Close()
	return layers.Apply(ctx, file, layer.DiffID, func(read int64) {
		lines.Progress("unpack", layer.Digest.String(), read, layer.Size)
	})
}
