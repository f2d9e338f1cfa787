package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"

	"torpor.dev/oci/internal/archive"
	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/registry"
)

const (
	maxRequestBytes = 1 << 20
	// maxLimit keeps sums of limits far from overflowing.
	maxLimit = 1 << 50
)

// request is the one JSON object on standard input; README.md says which fields belong to which command.
type request struct {
	Command         string               `json:"command"`
	Reference       string               `json:"reference"`
	Auth            registry.Credentials `json:"auth"`
	Insecure        []string             `json:"insecure"`
	CAFile          string               `json:"caFile"`
	LayersDirectory string               `json:"layersDirectory"`
	Archive         string               `json:"archive"`
	Target          string               `json:"target"`
	MaxBytes        int64                `json:"maxBytes"`
	MaxEntries      int64                `json:"maxEntries"`
	Gzip            *bool                `json:"gzip"`
}

// readRequest never repeats what it read in an error: it may hold a secret.
func readRequest(input io.Reader) (*request, error) {
	content, err := io.ReadAll(io.LimitReader(input, maxRequestBytes+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The request cannot be read.")
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var parsed request
	if len(content) > maxRequestBytes || decoder.Decode(&parsed) != nil || decoder.More() {
		return nil, fault.New(fault.InvalidArgument, "Standard input must be one JSON object of at most 1 MiB with the fields that README.md names.")
	}
	return &parsed, nil
}

func (r *request) access() registry.Access {
	return registry.Access{Credentials: r.Auth, Insecure: r.Insecure, CAFile: r.CAFile}
}

func (r *request) limits() (archive.Limits, error) {
	if r.MaxBytes <= 0 || r.MaxBytes > maxLimit {
		return archive.Limits{}, fault.New(fault.InvalidArgument, "maxBytes must be a positive number.")
	}
	if r.MaxEntries <= 0 || r.MaxEntries > maxLimit>>20 {
		return archive.Limits{}, fault.New(fault.InvalidArgument, "maxEntries must be a positive number below 2^30.")
	}
	return archive.Limits{MaxBytes: r.MaxBytes, MaxEntries: r.MaxEntries}, nil
}

func (r *request) compression() archive.Compression {
	switch {
	case r.Gzip == nil:
		return archive.Detect
	case *r.Gzip:
		return archive.Gzip
	}
	return archive.Plain
}

// requireAbsolute refuses a path that would depend on where the caller happens to stand.
func requireAbsolute(field, path string) error {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return fault.New(fault.InvalidArgument, "%s must be an absolute path in its shortest form.", field)
	}
	return nil
}
