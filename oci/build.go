package main

import (
	"context"
	"time"

	"torpor.dev/oci/internal/archive"
	"torpor.dev/oci/internal/tree"
)

// unpacked is the result of unpack and extract. Existed: the target was there already and nothing was done.
type unpacked struct {
	Existed bool `json:"existed"`
	archive.Usage
	Milliseconds int64 `json:"milliseconds"`
}

// build makes a directory appear at target with all that fill puts into it, or not at all.
func build(ctx context.Context, target string, fill func(directory string) (archive.Usage, error)) (*unpacked, error) {
	begin := time.Now()
	staged, err := tree.Stage(ctx, target)
	if err != nil {
		return nil, err
	}
	if staged == nil {
		return &unpacked{Existed: true}, nil
	}
	defer staged.Close()
	usage, err := fill(staged.Path)
	if err != nil {
		return nil, err
	}
	if err := staged.Commit(); err != nil {
		return nil, err
	}
	return &unpacked{Usage: usage, Milliseconds: time.Since(begin).Milliseconds()}, nil
}
