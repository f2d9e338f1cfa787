package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// world is a registry (the one of `crane registry serve`) and the directories of a server.
type world struct {
	*testing.T
	host     string
	caFile   string
	insecure []string
	root     string
	// breakAfter, if positive, is how many bytes of each blob are sent before the connection is cut.
	breakAfter atomic.Int64
	blobs      atomic.Int64
}

func newWorld(t *testing.T, encrypted bool, guard func(http.Handler) http.Handler) *world {
	t.Helper()
	w := &world{T: t, root: t.TempDir()}
	handler := guard(w.breaking(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if encrypted {
		server.StartTLS()
		w.caFile = filepath.Join(w.root, "ca.pem")
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(w.caFile, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	w.host = server.Listener.Addr().String()
	if !encrypted {
		w.insecure = []string{w.host}
	}
	return w
}

func open(next http.Handler) http.Handler { return next }

// basic is the reverse proxy that asks for a password.
func basic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "someone" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// breaking cuts the connection in the middle of a blob.
func (w *world) breaking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w.blobs.Add(1)
			if limit := w.breakAfter.Load(); limit > 0 {
				out = &cutting{out, limit}
			}
		}
		next.ServeHTTP(out, r)
	})
}

type cutting struct {
	http.ResponseWriter
	left int64
}

func (c *cutting) Write(content []byte) (int, error) {
	if c.left -= int64(len(content)); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(content)
}

// push puts an image into the registry, past everything that stands before it.
func (w *world) push(image v1.Image, repository string) string {
	w.Helper()
	reference, err := name.ParseReference(w.host+"/"+repository, name.Insecure)
	if err != nil {
		w.Fatal(err)
	}
	transport, err := pushTransport(w.caFile)
	if err != nil {
		w.Fatal(err)
	}
	if err := remote.Write(reference, image, remote.WithTransport(transport)); err != nil {
		w.Fatal(err)
	}
	return reference.String()
}

// line is any line that the tool writes.
type line struct {
	Type, Kind, Message, Cause, Digest, Reference, Platform, Phase, Level string
	Bytes, Entries, Done, Total                                           int64
	Existed                                                               bool
	Config                                                                imageConfig
	Layers                                                                []layerEntry
}

// ask runs a request through the whole tool and returns its last line.
func (w *world) ask(fields map[string]any) line {
	w.Helper()
	if fields["reference"] != nil {
		fields["insecure"], fields["caFile"] = w.insecure, w.caFile
	}
	request, err := json.Marshal(fields)
	if err != nil {
		w.Fatal(err)
	}
	var output bytes.Buffer
	code := run(w.Context(), bytes.NewReader(request), &output)
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	var last line
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		w.Fatal(err, lines)
	}
	if (code == 0) != (last.Type == "result") {
		w.Fatalf("the exit code is %d after %+v", code, last)
	}
	if strings.Contains(output.String(), "secret") || strings.Contains(last.Message, w.root) {
		w.Errorf("the output holds a secret or a path: %s", output.String())
	}
	return last
}

func (w *world) unpackFields(reference, target string) map[string]any {
	return map[string]any{
		"command": "unpack", "reference": reference, "layersDirectory": filepath.Join(w.root, "layers"),
		"target": filepath.Join(w.root, target), "maxBytes": 1 << 30, "maxEntries": 10_000,
	}
}

func randomImage(t *testing.T, layers int64) v1.Image {
	t.Helper()
	image, err := random.Image(64<<10, layers)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// forPlatform gives an image a platform and a process.
func forPlatform(t *testing.T, image v1.Image, architecture string) v1.Image {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", architecture
	file.Config = v1.Config{Env: []string{"A=b"}, WorkingDir: "/srv", User: "www", Entrypoint: []string{"/init"}, ExposedPorts: map[string]struct{}{"80/tcp": {}}}
	changed, err := mutate.ConfigFile(image, file)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func index(t *testing.T, images map[string]v1.Image) v1.ImageIndex {
	t.Helper()
	var all v1.ImageIndex = empty.Index
	for architecture, image := range images {
		platform := &v1.Platform{OS: "linux", Architecture: architecture}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return all
}
