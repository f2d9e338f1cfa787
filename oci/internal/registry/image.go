package registry

import (
	"context"
	"net/http"
	"runtime"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"torpor.dev/oci/internal/fault"
)

const (
	maxConfigBytes = 4 << 20
	maxLayers      = 256
	userAgent      = "torpor-oci"
)

// Access is how a registry is reached.
type Access struct {
	Credentials Credentials
	// Insecure are the hosts ("host" or "host:port") with which plain HTTP is spoken.
	Insecure []string
	// CAFile holds certificates (PEM) that are trusted beside the system's; may be empty.
	CAFile string
}

// Image is an image for this machine's platform, known by its manifest's digest.
type Image struct {
	Reference string
	Digest    v1.Hash
	Config    v1.Config
	Layers    []Layer
	name      name.Reference
	image     v1.Image
}

// Layer is one layer, as the manifest and the configuration describe it.
type Layer struct {
	v1.Descriptor
	// DiffID is the digest of the uncompressed content.
	DiffID v1.Hash
}

// Platform is what images must be made for: "linux/amd64" or "linux/arm64".
func Platform() string { return "linux/" + runtime.GOARCH }

// Find asks the registry for an image, without its layers.
func Find(ctx context.Context, reference string, access Access) (*Image, error) {
	parsed, err := parseReference(reference, access.Insecure)
	if err != nil {
		return nil, err
	}
	way, err := newTransport(access.Insecure, access.CAFile)
	if err != nil {
		return nil, err
	}
	found, err := find(ctx, parsed, access.Credentials, way)
	if err != nil {
		return nil, translate(err, parsed)
	}
	return found, nil
}

func find(ctx context.Context, reference name.Reference, credentials Credentials, way http.RoundTripper) (*Image, error) {
	authenticator, err := credentials.authenticator(ctx, reference.Context().RegistryStr(), way)
	if err != nil {
		return nil, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuth(authenticator), remote.WithTransport(way), remote.WithUserAgent(userAgent)}
	descriptor, err := remote.Get(reference, options...)
	if err != nil {
		return nil, err
	}
	if descriptor.MediaType.IsIndex() {
		if descriptor, err = ofPlatform(descriptor, reference, options); err != nil {
			return nil, err
		}
	}
	if !descriptor.MediaType.IsImage() {
		return nil, fault.New(fault.Unsupported, "%s is not a container image but %q.", reference, descriptor.MediaType)
	}
	image, err := descriptor.Image()
	if err != nil {
		return nil, err
	}
	return describe(image, descriptor.Digest, reference)
}

// ofPlatform chooses the image of an index that runs here: the one for every processor of the sort before those for newer ones.
func ofPlatform(index *remote.Descriptor, reference name.Reference, options []remote.Option) (*remote.Descriptor, error) {
	content, err := index.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := content.IndexManifest()
	if err != nil {
		return nil, err
	}
	fitting := slices.DeleteFunc(manifest.Manifests, func(child v1.Descriptor) bool {
		return !child.MediaType.IsImage() || child.Platform == nil || child.Platform.OS != "linux" || child.Platform.Architecture != runtime.GOARCH
	})
	if len(fitting) == 0 {
		return nil, fault.New(fault.Unsupported, "%s has no image for %s.", reference, Platform())
	}
	best := fitting[0]
	for _, child := range fitting {
		if child.Platform.Variant < best.Platform.Variant {
			best = child
		}
	}
	return remote.Get(reference.Context().Digest(best.Digest.String()), options...)
}

func describe(image v1.Image, digest v1.Hash, reference name.Reference) (*Image, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, fault.Wrap(err, fault.InvalidArgument, "The manifest of %s is not understood.", reference)
	}
	if err := acceptable(manifest); err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	if err := runsHere(config); err != nil {
		return nil, err
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return nil, fault.New(fault.InvalidArgument, "The image has %d layers, but its configuration knows %d.", len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	layers := make([]Layer, len(manifest.Layers))
	for i, descriptor := range manifest.Layers {
		layers[i] = Layer{Descriptor: descriptor, DiffID: config.RootFS.DiffIDs[i]}
	}
	pinned := reference.Context().Digest(digest.String())
	return &Image{Reference: pinned.String(), Digest: digest, Config: config.Config, Layers: layers, name: pinned, image: image}, nil
}

// acceptable refuses artefacts that are not file systems, and sizes that no image has.
func acceptable(manifest *v1.Manifest) error {
	if !manifest.Config.MediaType.IsConfig() {
		return fault.New(fault.Unsupported, "This is an artefact of the type %q, not a container image.", manifest.Config.MediaType)
	}
	if manifest.Config.Size < 0 || manifest.Config.Size > maxConfigBytes || len(manifest.Layers) > maxLayers {
		return fault.New(fault.InvalidArgument, "The image has a configuration of more than %d MiB or more than %d layers.", maxConfigBytes>>20, maxLayers)
	}
	for _, layer := range manifest.Layers {
		if !slices.Contains(layerTypes, layer.MediaType) || len(layer.URLs) > 0 {
			return fault.New(fault.Unsupported, "The image has a layer of the type %q, or one that is kept elsewhere.", layer.MediaType)
		}
		if layer.Size < 0 {
			return fault.New(fault.InvalidArgument, "The image has a layer of %d bytes.", layer.Size)
		}
	}
	return nil
}

// layerTypes are file systems that may be fetched; neither foreign nor encrypted ones.
var layerTypes = []types.MediaType{
	types.OCILayer, types.OCILayerZStd, types.OCIUncompressedLayer, types.DockerLayer, types.DockerUncompressedLayer,
	"application/vnd.docker.image.rootfs.diff.tar.zstd",
}

func runsHere(config *v1.ConfigFile) error {
	if (config.OS != "" && config.OS != "linux") || (config.Architecture != "" && config.Architecture != runtime.GOARCH) {
		return fault.New(fault.Unsupported, "The image is for %s/%s; this server runs %s.", config.OS, config.Architecture, Platform())
	}
	return nil
}
