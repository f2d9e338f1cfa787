package test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	fspb "gvisor.dev/gvisor/pkg/sentry/fscheckpoint/fscheckpoint_proto_go_proto"
)

func directory(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}
}
func file(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o666, Size: 8}
}
func link(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}

// replaceTree gives an image of files another tree, of empty files.
func (w *world) replaceTree(image string, entries []tar.Header) {
	w.t.Helper()
	var tree bytes.Buffer
	writer := tar.NewWriter(&tree)
	for _, entry := range entries {
		w.must(writer.WriteHeader(&entry))
		_, err := writer.Write(make([]byte, entry.Size))
		w.must(err)
	}
	w.must(writer.Close())
	content, err := os.ReadFile(filepath.Join(image, "fscheckpoint.pb"))
	w.must(err)
	var manifest fspb.Manifest
	w.must(proto.Unmarshal(content, &manifest))
	manifest.Tmpfs[0].TarEnd = uint64(tree.Len())
	content, err = proto.Marshal(&manifest)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(image, "fscheckpoint.pb"), content, 0o644))
	w.must(os.WriteFile(filepath.Join(image, "multitar.img"), tree.Bytes(), 0o644))
}

// TestHostileTreesStayInside boots on trees whose names point out of the root. Whatever the boot says, nothing of it reaches the
// machine, and the host goes on.
func TestHostileTreesStayInside(t *testing.T) {
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	files := h.captureFiles("a", "files")
	h.call("destroy", map[string]any{"execution": "a"})
	prey := w.path("prey")
	w.must(os.Mkdir(prey, 0o777))
	root := directory("./")
	for name, entries := range map[string][]tar.Header{
		"upwards":        {root, file("./" + strings.Repeat("../", 40) + prey[1:] + "/upwards")},
		"absolute":       {root, file(prey + "/absolute")},
		"through-link":   {root, link("./way", prey), file("./way/through")},
		"link-to-parent": {root, link("./out", strings.Repeat("../", 40)), directory("./out/"), file("./out/x")},
		"hard-link":      {root, {Typeflag: tar.TypeLink, Name: "./hard", Linkname: prey}},
		"no-root":        {file("./x")},
		"twice":          {root, file("./x"), file("./x"), directory("./x/"), link("./x", prey)},
		"below-file":     {root, file("./x"), file("./x/y")},
		"dots":           {root, directory("./../"), directory("././/"), file("./..")},
		"nothing":        {},
	} {
		copied := w.path("hostile-" + name)
		w.run("cp", "-a", files, copied)
		w.replaceTree(copied, entries)
		n.prepare()
		_, err := h.try("boot", with(w.bundle(name, n, nil), "files", copied))
		if f, ok := err.(*failure); err != nil && (!ok || f.Kind != "damaged") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			n.hear("/count")
		}
		h.call("destroy", map[string]any{"execution": name})
	}
	if caught, err := os.ReadDir(prey); err != nil || len(caught) > 0 {
		t.Errorf("on the machine: %v %v", caught, err)
	}
}
