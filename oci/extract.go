package main

import (
	"context"
	"os"

	"torpor.dev/oci/internal/archive"
	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/report"
)

// extract brings an uploaded archive to the target.
func extract(ctx context.Context, asked *request, lines *report.Reporter) (*unpacked, error) {
	limits, err := checkExtract(asked)
	if err != nil {
		return nil, err
	}
	return build(ctx, asked.Target, func(directory string) (archive.Usage, error) {
		return extractInto(ctx, directory, asked, limits, lines)
	})
}

func checkExtract(asked *request) (archive.Limits, error) {
	if err := requireAbsolute("archive", asked.Archive); err != nil {
		return archive.Limits{}, err
	}
	if err := requireAbsolute("target", asked.Target); err != nil {
		return archive.Limits{}, err
	}
	return asked.limits()
}

func extractInto(ctx context.Context, directory string, asked *request, limits archive.Limits, lines *report.Reporter) (archive.Usage, error) {
	file, err := os.Open(asked.Archive)
	if err != nil {
		return archive.Usage{}, fault.Wrap(err, fault.InvalidArgument, "The archive cannot be opened.")
	}
	defer file.Close()
	usage, left, err := archive.Upload(ctx, file, asked.compression(), directory, limits)
	for _, line := range left {
		lines.Info("%s", line)
	}
	return usage, err
}
