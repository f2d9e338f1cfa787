package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// pushManifest puts a changed copy of an image's manifest under the tag "lie".
func (w *world) pushManifest(repository string, change func(manifest map[string]any)) string {
	w.Helper()
	url := "http://" + w.host + "/v2/" + repository + "/manifests/"
	answer, err := http.Get(url + "v1")
	if err != nil {
		w.Fatal(err)
	}
	defer answer.Body.Close()
	var manifest map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&manifest); err != nil {
		w.Fatal(err)
	}
	change(manifest)
	encoded, _ := json.Marshal(manifest)
	request, _ := http.NewRequest(http.MethodPut, url+"lie", bytes.NewReader(encoded))
	request.Header.Set("Content-Type", answer.Header.Get("Content-Type"))
	stored, err := http.DefaultClient.Do(request)
	if err != nil || stored.StatusCode >= 300 {
		w.Fatal(err, stored)
	}
	return w.host + "/" + repository + ":lie"
}

func firstLayer(manifest map[string]any) map[string]any {
	return manifest["layers"].([]any)[0].(map[string]any)
}

func TestManifestsThatLie(t *testing.T) {
	for title, lie := range map[string]struct {
		change func(manifest map[string]any)
		kind   string
	}{
		"a layer is smaller than said": {func(m map[string]any) { firstLayer(m)["size"] = 1e6 }, "unavailable"},
		"a layer is larger than said":  {func(m map[string]any) { firstLayer(m)["size"] = 10 }, "unavailable"},
		"a layer of negative size":     {func(m map[string]any) { firstLayer(m)["size"] = -5 }, "invalid_argument"},
		"layers larger than allowed":   {func(m map[string]any) { firstLayer(m)["size"] = 1 << 40 }, "invalid_argument"},
		"a layer that is elsewhere":    {func(m map[string]any) { firstLayer(m)["urls"] = []string{"http://127.0.0.1/x"} }, "unsupported"},
		"an encrypted layer": {func(m map[string]any) {
			firstLayer(m)["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
		}, "unsupported"},
		"an artefact": {func(m map[string]any) {
			m["config"].(map[string]any)["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
		}, "unsupported"},
		"a huge configuration": {func(m map[string]any) { m["config"].(map[string]any)["size"] = 1 << 40 }, "invalid_argument"},
		"a layer less":         {func(m map[string]any) { m["layers"] = m["layers"].([]any)[1:] }, "invalid_argument"},
		"a layer twice":        {func(m map[string]any) { m["layers"].([]any)[1] = firstLayer(m) }, "invalid_argument"},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t, false, open)
			w.push(randomImage(t, 2), "app:v1")
			reference := w.pushManifest("app", lie.change)
			answer := w.ask(map[string]any{"command": "resolve", "reference": reference})
			if answer.Type == "result" {
				answer = w.ask(w.unpackFields(answer.Reference, "rootfs"))
			}
			if answer.Kind != lie.kind {
				t.Errorf("the answer is %+v, not of the kind %s", answer, lie.kind)
			}
		})
	}
}

// swapping answers each request for a blob that is no configuration with another content of the same length.
func swapping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&swapped{w, r.Method == http.MethodGet && len(r.URL.Query()) == 0 && filepath.Base(filepath.Dir(r.URL.Path)) == "blobs"}, r)
	})
}

type swapped struct {
	http.ResponseWriter
	armed bool
}

func (s *swapped) Write(content []byte) (int, error) {
	if s.armed && bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		content = bytes.Clone(content)
		content[len(content)-1] ^= 1
	}
	return s.ResponseWriter.Write(content)
}

func (s *swapped) ReadFrom(source io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, source)
}

func TestLayerThatIsNotWhatItsDigestSays(t *testing.T) {
	w := newWorld(t, false, swapping)
	w.push(randomImage(t, 1), "app:v1")
	found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
	if answer := w.ask(w.unpackFields(found.Reference, "rootfs")); answer.Kind != "unavailable" {
		t.Errorf("%+v", answer)
	}
	if left, _ := os.ReadDir(filepath.Join(w.root, "layers")); len(left) > 0 {
		t.Errorf("%v is kept", left)
	}
}
