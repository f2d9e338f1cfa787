// Package registry reads images from OCI and Docker registries.
package registry

import (
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"torpor.dev/oci/internal/fault"
)

const maxReferenceBytes = 1024

// parseReference understands what people write: "ubuntu", "ubuntu:24.04", "host:5000/team/image@sha256:…". Plain HTTP is tried with hosts of insecure only.
func parseReference(reference string, insecure []string) (name.Reference, error) {
	if len(reference) > maxReferenceBytes {
		return nil, fault.New(fault.InvalidArgument, "The image name is longer than %d bytes.", maxReferenceBytes)
	}
	parsed, err := name.ParseReference(reference)
	if err != nil {
		return nil, fault.Wrap(err, fault.InvalidArgument, "%.200q is not an image name. Write it as registry/repository:tag or registry/repository@sha256:….", reference)
	}
	if slices.Contains(insecure, parsed.Context().RegistryStr()) {
		return name.ParseReference(reference, name.Insecure)
	}
	return parsed, nil
}

// RequireDigest refuses a reference that may mean another image tomorrow.
func RequireDigest(reference string) error {
	if _, err := name.NewDigest(reference); err != nil {
		return fault.Wrap(err, fault.InvalidArgument, "%.200q is not pinned: it must end with @sha256:….", reference)
	}
	return nil
}
