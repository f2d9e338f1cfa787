package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"torpor.dev/oci/internal/fault"
)

var plenty = Limits{MaxBytes: 64 << 20, MaxEntries: 10_000}

// bundle writes a tar archive; content goes by name, sizes are set for files.
func bundle(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, header := range headers {
		content := header.PAXRecords["TEST.content"]
		delete(header.PAXRecords, "TEST.content")
		header.Size = int64(len(content))
		if header.Mode == 0 {
			header.Mode = 0o755
		}
		if err := writer.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, PAXRecords: map[string]string{"TEST.content": content}}
}
func dir(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir} }
func symlink(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
}
func hardLink(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
}
func device(name string, n int64) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeChar, Devmajor: n, Devminor: n}
}

// outside is a place with something worth attacking beside the target.
func outside(t *testing.T) (target, victim string) {
	t.Helper()
	root := t.TempDir()
	target, victim = filepath.Join(root, "target"), filepath.Join(root, "victim")
	if err := errors.Join(os.Mkdir(target, 0o755), os.WriteFile(victim, []byte("untouched"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if content, err := os.ReadFile(victim); err != nil || string(content) != "untouched" {
			t.Errorf("the file outside is %q (%v)", content, err)
		}
		entries, _ := os.ReadDir(root)
		if len(entries) != 2 {
			t.Errorf("there are %d entries beside the target, not 2: %v", len(entries), entries)
		}
	})
	return target, victim
}

func digestOf(t *testing.T, content []byte) v1.Hash {
	t.Helper()
	digest, _, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// layers unpacks archives as the layers of one image.
func layers(t *testing.T, target string, limits Limits, archives ...[]byte) (Usage, []string, error) {
	t.Helper()
	applied, err := NewLayers(target, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer applied.Close()
	for _, archive := range archives {
		if err := applied.Apply(context.Background(), bytes.NewReader(archive), digestOf(t, archive), nil); err != nil {
			return Usage{}, nil, err
		}
	}
	return applied.Finish()
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	var known *fault.Fault
	if !errors.As(err, &known) || known.Kind != kind {
		t.Fatalf("the error is %v, not of the kind %s", err, kind)
	}
}

func content(t *testing.T, path ...string) string {
	t.Helper()
	found, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(found)
}

func TestHostileLayerIsRefused(t *testing.T) {
	deep := strings.Repeat("d/", maxTestDepth)
	cases := map[string][]tar.Header{
		"name with ..":                     {file("../victim", "x")},
		"name with .. in the middle":       {file("a/../../victim", "x")},
		"hard link to outside":             {hardLink("mine", "../victim")},
		"hard link to a missing file":      {hardLink("mine", "nowhere")},
		"hard link to a directory":         {dir("d"), hardLink("mine", "d")},
		"whiteout of ..":                   {dir("d"), file("d/.wh...", "")},
		"whiteout of .":                    {dir("d"), file("d/.wh..", "")},
		"a file named .wh.":                {file(".wh.", "")},
		"cyclic links as a parent":         {symlink("a", "b"), symlink("b", "a"), file("a/x", "x")},
		"a circle over what is missing":    {symlink("x", "y/../x"), file("x/z", "x")},
		"links to nowhere in a circle":     {symlink("a", "b/x"), symlink("b", "a/y"), file("a/z", "x")},
		"a link to itself as a parent":     {symlink("a", "a"), file("a/x", "x")},
		"a file as a parent":               {file("a", "x"), file("a/b", "x")},
		"a name longer than a path":        {file(strings.Repeat("n/", 3000)+"x", "x")},
		"a component longer than a name":   {file(strings.Repeat("n", 256), "x")},
		"directories too deep":             {file(deep+"x", "x")},
		"the root as a link":               {symlink(".", "/etc")},
		"an owner that Linux has not":      {{Name: "f", Typeflag: tar.TypeReg, Uid: 1 << 33}},
		"a link without destination":       {symlink("l", "")},
		"an entry of a type not for files": {{Name: "m", Typeflag: 'M'}},
	}
	for name, headers := range cases {
		t.Run(name, func(t *testing.T) {
			target, _ := outside(t)
			_, _, err := layers(t, target, plenty, bundle(t, headers...))
			wantKind(t, err, fault.InvalidArgument)
		})
	}
}

const maxTestDepth = 300

func TestHostileLayerStaysInside(t *testing.T) {
	cases := map[string][][]tar.Header{
		"write through an absolute link":            {{symlink("out", "/"), file("out/victim", "x")}},
		"write through a relative link":             {{symlink("out", "../.."), file("out/victim", "x")}},
		"write over a link":                         {{symlink("victim", "../victim"), file("victim", "x")}},
		"a directory becomes a link between layers": {{dir("d"), file("d/a", "x")}, {symlink("d", ".."), file("d/victim", "x")}},
		"a link in a link's place":                  {{symlink("a", "b"), symlink("b", "../.."), file("a/victim", "x")}},
		"a link to nowhere as a parent":             {{symlink("a", "/../nowhere"), symlink("b", "a/c"), file("b/victim", "x")}},
		"absolute names":                            {{file("/victim", "x")}},
		"whiteout through a link":                   {{symlink("out", "/..")}, {file("out/.wh.victim", "")}},
		"opaque whiteout through a link":            {{symlink("out", "..")}, {file("out/.wh..wh..opq", "")}},
		"a hard link to a link, then written":       {{symlink("l", "../victim"), hardLink("h", "l"), file("h", "x")}},
		"a directory over a link":                   {{symlink("d", ".."), dir("d"), file("d/victim", "x")}},
	}
	for name, archives := range cases {
		t.Run(name, func(t *testing.T) {
			target, _ := outside(t)
			packed := [][]byte{}
			for _, headers := range archives {
				packed = append(packed, bundle(t, headers...))
			}
			if _, _, err := layers(t, target, plenty, packed...); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestDeviceNodesAreLeftOut(t *testing.T) {
	target, _ := outside(t)
	lower := bundle(t, file("sda", "lower"), file("gone", "lower"))
	upper := bundle(t, device("sda", 8), device("gone", 0), tar.Header{Name: "pipe", Typeflag: tar.TypeFifo})
	_, lines, err := layers(t, target, plenty, lower, upper)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || !strings.Contains(lines[0], `(1: "sda")`) {
		t.Errorf("the log says %q", lines)
	}
	entries, _ := os.ReadDir(target)
	if len(entries) != 1 || entries[0].Type() != os.ModeNamedPipe {
		t.Errorf("there is %v, not the pipe alone", entries)
	}
}

func TestUploadIsRefused(t *testing.T) {
	cases := map[string][]tar.Header{
		"name with ..":                 {file("../victim", "x")},
		"absolute name":                {file("/victim", "x")},
		"write through any link":       {dir("d"), symlink("l", "d"), file("l/x", "x")},
		"hard link with ..":            {hardLink("h", "../victim")},
		"hard link with absolute name": {hardLink("h", "/etc/passwd")},
		"hard link through a link":     {symlink("l", ".."), hardLink("h", "l/victim")},
	}
	for name, headers := range cases {
		t.Run(name, func(t *testing.T) {
			target, _ := outside(t)
			_, _, err := Upload(context.Background(), bytes.NewReader(bundle(t, headers...)), Detect, target, plenty)
			wantKind(t, err, fault.InvalidArgument)
		})
	}
}

func TestUploadDropsWhatOnlyRootMayGive(t *testing.T) {
	target, _ := outside(t)
	archive := bundle(t, symlink("abs", "/etc/passwd"), device("null", 1), tar.Header{Name: "pipe", Typeflag: tar.TypeFifo},
		tar.Header{Name: "su", Typeflag: tar.TypeReg, Mode: 0o6755, Uid: 12, Gid: 34, ModTime: time.Unix(1e9, 0)}, file(".wh.kept", "x"))
	usage, lines, err := Upload(context.Background(), bytes.NewReader(archive), Detect, target, plenty)
	if err != nil || usage.Entries != 5 || len(lines) != 2 {
		t.Fatalf("%+v %q %v", usage, lines, err)
	}
	stat, err := os.Lstat(filepath.Join(target, "su"))
	if err != nil || stat.Mode() != 0o755 || stat.ModTime().Unix() != 1e9 {
		t.Errorf("su is %v (%v)", stat, err)
	}
	if to, err := os.Readlink(filepath.Join(target, "abs")); to != "/etc/passwd" {
		t.Errorf("abs leads to %q (%v)", to, err)
	}
	if content(t, target, ".wh.kept") != "x" {
		t.Error("a name that means something in layers is a plain name in an upload")
	}
}
