package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"

	"torpor.dev/oci/internal/fault"
)

// Credentials as they come in `fromImageRegistry` (protocol.md 2.3). Type says which of the fields count; none is anonymous.
type Credentials struct {
	Type               string `json:"type"`
	Username           string `json:"username"`
	Password           string `json:"password"`
	AWSAccessKeyID     string `json:"awsAccessKeyId"`
	AWSSecretAccessKey string `json:"awsSecretAccessKey"`
	AWSRegion          string `json:"awsRegion"`
	ServiceAccountJSON string `json:"serviceAccountJson"`
}

// Hosts that credentials of a cloud are meant for: a slip in an image's name must not hand them to somebody else.
var (
	awsHost   = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$`)
	awsRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
	gcpHost   = regexp.MustCompile(`^([a-z0-9-]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$`)
)

// awsEndpoint is the variable by which every tool of AWS is told another address of this service: that of a private network, or a test's.
const awsEndpoint = "AWS_ENDPOINT_URL_ECR"

// authenticator makes what the registry library asks for.
func (c Credentials) authenticator(ctx context.Context, host string, way http.RoundTripper) (authn.Authenticator, error) {
	switch c.Type {
	case "", "anonymous":
		return authn.Anonymous, nil
	case "registry":
		if c.Username == "" || c.Password == "" {
			return nil, fault.New(fault.InvalidArgument, "auth.username and auth.password must be given for a registry.")
		}
		return &authn.Basic{Username: c.Username, Password: c.Password}, nil
	case "aws":
		return c.aws(ctx, host, way)
	case "gcp":
		return c.gcp(host)
	}
	return nil, fault.New(fault.InvalidArgument, "auth.type must be registry, aws or gcp, not %.50q.", c.Type)
}

// aws exchanges the access key for a password of some hours.
func (c Credentials) aws(ctx context.Context, host string, way http.RoundTripper) (authn.Authenticator, error) {
	if c.AWSAccessKeyID == "" || c.AWSSecretAccessKey == "" || !awsRegion.MatchString(c.AWSRegion) {
		return nil, fault.New(fault.InvalidArgument, "auth.awsAccessKeyId, auth.awsSecretAccessKey and auth.awsRegion (as in eu-west-1) must be given for AWS.")
	}
	if !awsHost.MatchString(host) {
		return nil, fault.New(fault.InvalidArgument, "AWS credentials were given, but %s is not a registry of AWS.", host)
	}
	key := aws.Credentials{AccessKeyID: c.AWSAccessKeyID, SecretAccessKey: c.AWSSecretAccessKey}
	client := ecr.New(ecr.Options{
		Region:       c.AWSRegion,
		BaseEndpoint: named(os.Getenv(awsEndpoint)),
		HTTPClient:   &http.Client{Transport: way},
		Credentials:  aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return key, nil }),
	})
	answer, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, translateAWS(err)
	}
	return fromAWSToken(answer)
}

// named is nil for an empty text: AWS's own address.
func named(endpoint string) *string {
	if endpoint == "" {
		return nil
	}
	return &endpoint
}

func fromAWSToken(answer *ecr.GetAuthorizationTokenOutput) (authn.Authenticator, error) {
	if len(answer.AuthorizationData) == 0 {
		return nil, fault.New(fault.Unauthenticated, "AWS gave no token for its registry.")
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(answer.AuthorizationData[0].AuthorizationToken))
	user, password, found := strings.Cut(string(token), ":")
	if err != nil || !found {
		return nil, fault.New(fault.Unavailable, "AWS gave a token for its registry that is not understood.")
	}
	return &authn.Basic{Username: user, Password: password}, nil
}

// gcp uses the key as it is: Google's registries take the whole JSON as a password.
func (c Credentials) gcp(host string) (authn.Authenticator, error) {
	var account struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(c.ServiceAccountJSON), &account); err != nil || account.Type != "service_account" || account.PrivateKey == "" {
		return nil, fault.New(fault.InvalidArgument, "auth.serviceAccountJson must be the JSON key of a Google Cloud service account.")
	}
	if !gcpHost.MatchString(host) {
		return nil, fault.New(fault.InvalidArgument, "Google Cloud credentials were given, but %s is not a registry of Google Cloud.", host)
	}
	return &authn.Basic{Username: "_json_key", Password: c.ServiceAccountJSON}, nil
}
