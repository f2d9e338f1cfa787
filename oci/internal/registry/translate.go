package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"torpor.dev/oci/internal/fault"
)

// translate turns what the registry or the way to it said into words for the user. Bodies of answers are not repeated: a name that a user
// wrote may have led to a server that is none of theirs.
func translate(err error, reference name.Reference) error {
	host, image := reference.Context().RegistryStr(), reference.String()
	var status *transport.Error
	var untrusted *tls.CertificateVerificationError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.Wrap(err, fault.InvalidArgument, "The manifest of %s is larger than %d MiB.", image, maxManifestBytes>>20)
	case errors.As(err, &status):
		return fromStatus(status, err, host, image)
	case errors.As(err, &untrusted), errors.As(err, &x509.UnknownAuthorityError{}):
		return fault.Wrap(err, fault.Unavailable, "The certificate of the registry %s is not trusted.", host)
	case errors.Is(err, errRefusedByRule):
		return fault.Wrap(err, fault.InvalidArgument, "The registry %s has an address that is not allowed.", host)
	case errors.Is(err, errPlainHTTP):
		return fault.Wrap(err, fault.Unavailable, "The registry %s does not answer over HTTPS; the operator may allow plain HTTP for it.", host)
	}
	return fault.Wrap(err, fault.Unavailable, "The registry %s cannot be reached or broke off.", host)
}

func fromStatus(status *transport.Error, err error, host, image string) error {
	switch status.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Wrap(err, fault.Unauthenticated, "The registry %s refuses %s: the credentials are missing, wrong or not sufficient, or there is no such image.", host, image)
	case http.StatusNotFound:
		return fault.Wrap(err, fault.NotFound, "The registry %s has no image %s.", host, image)
	case http.StatusTooManyRequests:
		return fault.Wrap(err, fault.Unavailable, "The registry %s lets no more requests through for now. Try again later, or with credentials.", host)
	}
	return fault.Wrap(err, fault.Unavailable, "The registry %s answered with the status %d.", host, status.StatusCode)
}
