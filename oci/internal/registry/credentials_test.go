package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"torpor.dev/oci/internal/fault"
)

const ecrHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

// fakeAWS answers as the service that gives out passwords of registries.
func fakeAWS(t *testing.T, status int, body string) (http.RoundTripper, *http.Request) {
	t.Helper()
	seen := &http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*seen = *r
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	t.Setenv(awsEndpoint, server.URL)
	way, err := newTransport([]string{server.Listener.Addr().String()}, "")
	if err != nil {
		t.Fatal(err)
	}
	return way, seen
}

var awsKeys = Credentials{Type: "aws", AWSAccessKeyID: "AKIDEXAMPLE", AWSSecretAccessKey: "secret", AWSRegion: "eu-west-1"}

func TestAWSKeysBecomeAPassword(t *testing.T) {
	way, seen := fakeAWS(t, 200, `{"authorizationData":[{"authorizationToken":"QVdTOnBhc3M="}]}`)
	found, err := awsKeys.authenticator(context.Background(), ecrHost, way)
	if err != nil {
		t.Fatal(err)
	}
	basic, err := found.Authorization()
	if err != nil || basic.Username != "AWS" || basic.Password != "pass" {
		t.Errorf("the password is %+v (%v)", basic, err)
	}
	if signed := seen.Header.Get("Authorization"); !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(signed, "/eu-west-1/ecr/") {
		t.Errorf("the request is signed %q", signed)
	}
}

func TestRefusedAWSKeys(t *testing.T) {
	way, _ := fakeAWS(t, 400, `{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`)
	_, err := awsKeys.authenticator(context.Background(), ecrHost, way)
	var known *fault.Fault
	if !errors.As(err, &known) || known.Kind != fault.Unauthenticated {
		t.Errorf("the error is %v", err)
	}
}

func TestGoogleTakesTheKeyAsAPassword(t *testing.T) {
	key := `{"type":"service_account","private_key":"secret"}`
	for _, host := range []string{"gcr.io", "eu.gcr.io", "europe-west1-docker.pkg.dev"} {
		found, err := Credentials{Type: "gcp", ServiceAccountJSON: key}.authenticator(context.Background(), host, nil)
		if err != nil {
			t.Fatal(host, err)
		}
		if basic, err := found.Authorization(); err != nil || basic.Username != "_json_key" || basic.Password != key {
			t.Errorf("%s gets %+v (%v)", host, basic, err)
		}
	}
	for _, host := range []string{"evilgcr.io", "gcr.io.evil.example", "pkg.dev.evil.example"} {
		if _, err := (Credentials{Type: "gcp", ServiceAccountJSON: key}).authenticator(context.Background(), host, nil); err == nil {
			t.Errorf("%s gets the key", host)
		}
	}
}
