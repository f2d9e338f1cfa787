package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// pushTransport knows the password of every registry here.
func pushTransport(caFile string) (http.RoundTripper, error) {
	pool := x509.NewCertPool()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		pool.AppendCertsFromPEM(pem)
	}
	return &knowing{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}, nil
}

type knowing struct{ next http.RoundTripper }

func (k *knowing) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.SetBasicAuth("someone", "secret")
	return k.next.RoundTrip(request)
}

func TestImageIsResolvedAndUnpackedOverHTTPAndHTTPS(t *testing.T) {
	for way, encrypted := range map[string]bool{"http": false, "https with a certificate of one's own": true} {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, encrypted, open)
			image := forPlatform(t, randomImage(t, 3), runtime.GOARCH)
			tag := w.push(image, "team/app:v1")
			found := w.ask(map[string]any{"command": "resolve", "reference": tag})
			digest, _ := image.Digest()
			if found.Digest != digest.String() || len(found.Layers) != 3 || found.Config.Env[0] != "A=b" || found.Config.ExposedPorts[0] != "80/tcp" || found.Config.Cmd == nil {
				t.Fatalf("%+v", found)
			}
			if again := w.ask(map[string]any{"command": "resolve", "reference": found.Reference}); again.Digest != found.Digest {
				t.Errorf("by digest it is %+v", again)
			}
			if done := w.ask(w.unpackFields(found.Reference, "rootfs")); done.Type != "result" || done.Entries != 3 || done.Existed {
				t.Fatalf("%+v", done)
			}
			if files, _ := os.ReadDir(filepath.Join(w.root, "rootfs")); len(files) != 3 {
				t.Errorf("there are %d files, not one of each layer", len(files))
			}
			asked := w.blobs.Load()
			if done := w.ask(w.unpackFields(found.Reference, "rootfs")); !done.Existed {
				t.Errorf("%+v", done)
			}
			if done := w.ask(w.unpackFields(found.Reference, "second")); done.Type != "result" || w.blobs.Load() != asked+1 {
				t.Errorf("%+v; %d blobs were asked for, not the configuration alone", done, w.blobs.Load()-asked)
			}
		})
	}
}

func TestErrorsTellWhatWentWrong(t *testing.T) {
	w := newWorld(t, true, basic)
	image := w.push(randomImage(t, 1), "private:v1")
	right := map[string]string{"type": "registry", "username": "someone", "password": "secret"}
	cases := map[string]struct {
		reference string
		auth      map[string]string
		kind      string
	}{
		"no credentials":              {image, nil, "unauthenticated"},
		"wrong credentials":           {image, map[string]string{"type": "registry", "username": "someone", "password": "wrong"}, "unauthenticated"},
		"unknown tag":                 {w.host + "/private:v2", right, "not_found"},
		"unknown repository":          {w.host + "/other:v1", right, "not_found"},
		"unknown digest":              {w.host + "/private@sha256:" + strings.Repeat("0", 64), right, "not_found"},
		"a name that is none":         {"UPPER case", nil, "invalid_argument"},
		"nobody there":                {"localhost:1/x", nil, "unavailable"},
		"the metadata service":        {"169.254.169.254/latest/meta-data", nil, "invalid_argument"},
		"an unknown sort of auth":     {image, map[string]string{"type": "magic"}, "invalid_argument"},
		"AWS's keys elsewhere":        {image, map[string]string{"type": "aws", "awsAccessKeyId": "a", "awsSecretAccessKey": "secret", "awsRegion": "eu-west-1"}, "invalid_argument"},
		"AWS's region as a host":      {image, map[string]string{"type": "aws", "awsAccessKeyId": "a", "awsSecretAccessKey": "secret", "awsRegion": "evil.example/"}, "invalid_argument"},
		"Google's keys elsewhere":     {image, map[string]string{"type": "gcp", "serviceAccountJson": `{"type":"service_account","private_key":"secret"}`}, "invalid_argument"},
		"Google's keys that are none": {"gcr.io/x/y", map[string]string{"type": "gcp", "serviceAccountJson": "secret"}, "invalid_argument"},
	}
	for title, refusal := range cases {
		t.Run(title, func(t *testing.T) {
			answer := w.ask(map[string]any{"command": "resolve", "reference": refusal.reference, "auth": refusal.auth})
			if answer.Kind != refusal.kind || answer.Message == "" {
				t.Errorf("the answer is %+v, not of the kind %s", answer, refusal.kind)
			}
		})
	}
	if found := w.ask(map[string]any{"command": "resolve", "reference": image, "auth": right}); found.Type != "result" {
		t.Errorf("with the right password: %+v", found)
	}
	w.caFile = ""
	if answer := w.ask(map[string]any{"command": "resolve", "reference": image, "auth": right}); answer.Kind != "unavailable" || !strings.Contains(answer.Message, "not trusted") {
		t.Errorf("without its certificate: %+v", answer)
	}
}

func TestPlainHTTPNeedsTheOperator(t *testing.T) {
	w := newWorld(t, false, open)
	image := w.push(randomImage(t, 1), "app:v1")
	w.insecure = nil
	if answer := w.ask(map[string]any{"command": "resolve", "reference": image}); answer.Kind != "unavailable" || !strings.Contains(answer.Message, "HTTPS") {
		t.Errorf("%+v", answer)
	}
}

func TestPlatformIsChosen(t *testing.T) {
	w := newWorld(t, false, open)
	here := forPlatform(t, randomImage(t, 1), runtime.GOARCH)
	push := func(images map[string]v1.Image, repository string) string {
		reference, err := name.ParseReference(w.host+"/"+repository, name.Insecure)
		if err == nil {
			err = remote.WriteIndex(reference, index(t, images), remote.WithAuth(authn.Anonymous))
		}
		if err != nil {
			t.Fatal(err)
		}
		return reference.String()
	}
	both := push(map[string]v1.Image{"s390x": randomImage(t, 1), runtime.GOARCH: here}, "both:v1")
	digest, _ := here.Digest()
	if found := w.ask(map[string]any{"command": "resolve", "reference": both}); found.Digest != digest.String() {
		t.Errorf("%+v", found)
	}
	other := push(map[string]v1.Image{"s390x": randomImage(t, 1)}, "other:v1")
	if found := w.ask(map[string]any{"command": "resolve", "reference": other}); found.Kind != "unsupported" {
		t.Errorf("%+v", found)
	}
	single := w.push(forPlatform(t, randomImage(t, 1), "s390x"), "single:v1")
	if found := w.ask(map[string]any{"command": "resolve", "reference": single}); found.Kind != "unsupported" {
		t.Errorf("%+v", found)
	}
}

func TestRegistryThatBreaksOffIsAskedAgain(t *testing.T) {
	w := newWorld(t, false, open)
	w.push(randomImage(t, 4), "app:v1")
	found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
	w.breakAfter.Store(32 << 10)
	if answer := w.ask(w.unpackFields(found.Reference, "rootfs")); answer.Kind != "unavailable" {
		t.Fatalf("%+v", answer)
	}
	if _, err := os.Lstat(filepath.Join(w.root, "rootfs.tmp")); err == nil {
		t.Error("the half of a root file system is left")
	}
	if left, _ := filepath.Glob(filepath.Join(w.root, "layers", "*")); len(left) > 0 {
		t.Errorf("halves of layers are left: %v", left)
	}
	w.breakAfter.Store(0)
	if done := w.ask(w.unpackFields(found.Reference, "rootfs")); done.Type != "result" || done.Entries != 4 {
		t.Errorf("%+v", done)
	}
}

func TestDamagedAndUnfinishedFilesAreReplaced(t *testing.T) {
	w := newWorld(t, false, open)
	w.push(randomImage(t, 1), "app:v1")
	found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
	layer := filepath.Join(w.root, "layers", strings.Replace(found.Layers[0].Digest, ":", "-", 1))
	leftover := filepath.Join(w.root, "rootfs.tmp", "left")
	for path, content := range map[string]string{layer: strings.Repeat("x", int(found.Layers[0].Size)), layer + ".part": "half", leftover: "half"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if done := w.ask(w.unpackFields(found.Reference, "rootfs")); done.Type != "result" {
		t.Fatalf("%+v", done)
	}
	if files, _ := os.ReadDir(filepath.Join(w.root, "rootfs")); len(files) != 1 || files[0].Name() == "left" {
		t.Errorf("there is %v", files)
	}
}

func TestToolsAtOnceShareLayersAndTarget(t *testing.T) {
	w := newWorld(t, false, open)
	w.push(randomImage(t, 3), "app:v1")
	found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
	before := w.blobs.Load()
	var group sync.WaitGroup
	for _, target := range []string{"one", "one", "two", "three"} {
		group.Go(func() {
			if done := w.ask(w.unpackFields(found.Reference, target)); done.Type != "result" {
				t.Errorf("%+v", done)
			}
		})
	}
	group.Wait()
	if fetched := w.blobs.Load() - before; fetched > 3+4 {
		t.Errorf("%d blobs were fetched for 3 layers and 4 configurations", fetched)
	}
	if left, _ := filepath.Glob(filepath.Join(w.root, "*.tmp")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestRequestsAreChecked(t *testing.T) {
	w := newWorld(t, false, open)
	pinned := w.host + "/app@sha256:" + strings.Repeat("0", 64)
	change := func(field string, value any) map[string]any {
		fields := w.unpackFields(pinned, "rootfs")
		fields[field] = value
		return fields
	}
	for title, fields := range map[string]map[string]any{
		"not pinned": change("reference", w.host+"/app:v1"), "relative target": change("target", "rootfs"),
		"target with ..": change("target", "/tmp/../etc"), "no limit": change("maxBytes", 0), "endless limit": change("maxEntries", 1<<40),
		"unknown command": change("command", "destroy"), "unknown field": change("password", "secret"),
		"relative layers": change("layersDirectory", "layers"),
	} {
		if answer := w.ask(fields); answer.Kind != "invalid_argument" {
			t.Errorf("%s: %+v", title, answer)
		}
	}
}
