package registry

import (
	"errors"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"torpor.dev/oci/internal/fault"
)

// translateAWS tells refused keys from a service that cannot be asked.
func translateAWS(err error) error {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		switch answer.HTTPStatusCode() {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
			return fault.Wrap(err, fault.Unauthenticated, "AWS does not accept the access key, or it may not read from the registry.")
		}
	}
	return fault.Wrap(err, fault.Unavailable, "AWS cannot be asked for a token of its registry.")
}
