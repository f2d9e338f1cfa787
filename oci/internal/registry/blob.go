package registry

import (
	"io"

	"torpor.dev/oci/internal/fault"
)

// Open asks for the compressed content of a layer. Reading it fails at the end if size or digest are not what the manifest says.
func (i *Image) Open(layer Layer) (io.ReadCloser, error) {
	found, err := i.image.LayerByDigest(layer.Digest)
	if err != nil {
		return nil, translate(err, i.name)
	}
	content, err := found.Compressed()
	if err != nil {
		return nil, translate(err, i.name)
	}
	return &blob{content, i}, nil
}

// blob translates what happens while it is read.
type blob struct {
	io.ReadCloser
	image *Image
}

func (b *blob) Read(buffer []byte) (int, error) {
	count, err := b.ReadCloser.Read(buffer)
	if err != nil && err != io.EOF {
		err = fault.Wrap(err, fault.Unavailable, "The registry %s broke off, or sent a layer that is not what its digest says.", b.image.name.Context().RegistryStr())
	}
	return count, err
}
