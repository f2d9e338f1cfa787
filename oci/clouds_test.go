package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	asTool   = "TORPOR_OCI_AS_TOOL"
	ecrHost  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	gcpHost  = "europe-west1-docker.pkg.dev"
	keyID    = "AKIDEXAMPLE"
	keyWords = "very secret words"
	password = "password of some hours"
)

// TestMain is the tool itself when a test starts it anew: proxies are read from the environment once in a process.
func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
	}
	os.Exit(m.Run())
}

// cloud answers for the registries of both clouds and for the API of Amazon's. To be the machine behind their names it is a
// proxy; the credentials are the ones that the test knows, and nothing is given without them.
func cloud(t *testing.T, serviceAccount string) *httptest.Server {
	t.Helper()
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	passwords := map[string][2]string{ecrHost: {"AWS", password}, gcpHost: {"_json_key", serviceAccount}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			giveToken(w, r)
			return
		}
		user, given, _ := r.BasicAuth()
		if right, known := passwords[r.Host]; !known || user != right[0] || given != right[1] {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	push(t, images)
	return server
}

// push puts the image `team/app:v1` into the registry, past what stands before it.
func push(t *testing.T, images http.Handler) {
	t.Helper()
	behind := httptest.NewServer(images)
	defer behind.Close()
	reference, err := name.ParseReference(behind.Listener.Addr().String()+"/team/app:v1", name.Insecure)
	if err == nil {
		err = remote.Write(reference, forPlatform(t, randomImage(t, 2), runtime.GOARCH))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// giveToken is GetAuthorizationToken: it knows the secret key, and checks the signature with it as AWS does.
func giveToken(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetAuthorizationToken"):
		w.WriteHeader(http.StatusNotFound)
	case r.Header.Get("Authorization") != signature(r, body):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"InvalidSignatureException","message":"The signature does not match."}`)
	default:
		token := base64.StdEncoding.EncodeToString([]byte("AWS:" + password))
		_, _ = fmt.Fprintf(w, `{"authorizationData":[{"authorizationToken":%q}]}`, token)
	}
}

// signature makes anew what the owner of the secret key must have written into Authorization.
func signature(r *http.Request, body []byte) string {
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return "no request"
	}
	_, names, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	for header := range strings.SplitSeq(names, ";") {
		if header != "host" && header != "content-length" {
			again.Header.Set(header, r.Header.Get(header))
		}
	}
	when, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return "no time"
	}
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: keyWords}
	if v4.NewSigner().SignHTTP(context.Background(), keys, again, hex.EncodeToString(sum[:]), "ecr", "eu-west-1", when) != nil {
		return "no signature"
	}
	return again.Header.Get("Authorization")
}

// askAsTool runs a request through a process of the tool that finds the clouds at the server.
func askAsTool(t *testing.T, server *httptest.Server, fields map[string]any) line {
	t.Helper()
	fields["insecure"] = []string{ecrHost, gcpHost, server.Listener.Addr().String()}
	request, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	tool := exec.CommandContext(t.Context(), os.Args[0])
	tool.Env = []string{asTool + "=1", "HTTP_PROXY=" + server.URL, "AWS_ENDPOINT_URL_ECR=" + server.URL}
	tool.Stdin = bytes.NewReader(request)
	output, _ := tool.Output()
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	var last line
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err, lines)
	}
	for _, secret := range []string{keyWords, password, "private words"} {
		if strings.Contains(string(output), secret) {
			t.Errorf("the output holds a secret: %s", output)
		}
	}
	return last
}

func TestImagesOfCloudsAreFetchedWithTheirCredentials(t *testing.T) {
	account := func(key string) string {
		return fmt.Sprintf(`{"type":"service_account","private_key":%q}`, key)
	}
	server := cloud(t, account("private words"))
	aws := func(id, secret, region string) map[string]string {
		return map[string]string{"type": "aws", "awsAccessKeyId": id, "awsSecretAccessKey": secret, "awsRegion": region}
	}
	gcp := func(key string) map[string]string {
		return map[string]string{"type": "gcp", "serviceAccountJson": account(key)}
	}
	cases := map[string]struct {
		host string
		auth map[string]string
		kind string
	}{
		"Amazon, the right key":       {ecrHost, aws(keyID, keyWords, "eu-west-1"), ""},
		"Amazon, a wrong secret":      {ecrHost, aws(keyID, "guessed", "eu-west-1"), "unauthenticated"},
		"Amazon, a wrong id":          {ecrHost, aws("AKIDOTHER", keyWords, "eu-west-1"), "unauthenticated"},
		"Amazon, another region":      {ecrHost, aws(keyID, keyWords, "us-east-1"), "unauthenticated"},
		"Amazon, no key":              {ecrHost, nil, "unauthenticated"},
		"Google, the right account":   {gcpHost, gcp("private words"), ""},
		"Google, another account":     {gcpHost, gcp("guessed"), "unauthenticated"},
		"Google, Amazon's key for it": {gcpHost, aws(keyID, keyWords, "eu-west-1"), "invalid_argument"},
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			w := &world{T: t, root: t.TempDir()}
			answer := askAsTool(t, server, map[string]any{"command": "resolve", "reference": c.host + "/team/app:v1", "auth": c.auth})
			if answer.Kind != c.kind {
				t.Fatalf("%+v is not of the kind %q", answer, c.kind)
			}
			if c.kind != "" {
				return
			}
			fields := w.unpackFields(answer.Reference, "rootfs")
			fields["auth"] = c.auth
			if done := askAsTool(t, server, fields); done.Type != "result" || done.Entries != 2 {
				t.Errorf("unpacked: %+v", done)
			}
		})
	}
}
