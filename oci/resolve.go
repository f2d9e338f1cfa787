package main

import (
	"context"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"torpor.dev/oci/internal/registry"
)

type resolved struct {
	Digest    string       `json:"digest"`
	Reference string       `json:"reference"`
	Platform  string       `json:"platform"`
	Config    imageConfig  `json:"config"`
	Bytes     int64        `json:"bytes"`
	Layers    []layerEntry `json:"layers"`
}

// imageConfig is what an image says about the process it was made for. Lists are never null.
type imageConfig struct {
	Env          []string `json:"env"`
	Workdir      string   `json:"workdir"`
	User         string   `json:"user"`
	Cmd          []string `json:"cmd"`
	Entrypoint   []string `json:"entrypoint"`
	ExposedPorts []string `json:"exposedPorts"`
}

type layerEntry struct {
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
	MediaType string `json:"mediaType"`
}

// resolve finds what a reference means now.
func resolve(ctx context.Context, asked *request) (*resolved, error) {
	image, err := registry.Find(ctx, asked.Reference, asked.access())
	if err != nil {
		return nil, err
	}
	result := &resolved{
		Digest: image.Digest.String(), Reference: image.Reference, Platform: registry.Platform(),
		Config: configOf(image.Config), Layers: []layerEntry{},
	}
	for _, layer := range image.Layers {
		result.Bytes += layer.Size
		result.Layers = append(result.Layers, layerEntry{layer.Digest.String(), layer.Size, string(layer.MediaType)})
	}
	return result, nil
}

func configOf(config v1.Config) imageConfig {
	return imageConfig{
		Env: orEmpty(config.Env), Workdir: config.WorkingDir, User: config.User,
		Cmd: orEmpty(config.Cmd), Entrypoint: orEmpty(config.Entrypoint),
		ExposedPorts: orEmpty(slices.Sorted(maps.Keys(config.ExposedPorts))),
	}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
