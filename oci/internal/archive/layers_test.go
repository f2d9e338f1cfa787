package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// listing is every path below a directory, sorted.
func listing(t *testing.T, target string) []string {
	t.Helper()
	found := []string{}
	err := filepath.WalkDir(target, func(path string, _ os.DirEntry, err error) error {
		if name, _ := filepath.Rel(target, path); name != "." {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhiteouts(t *testing.T) {
	lower := []tar.Header{dir("d"), file("d/a", "1"), dir("d/s"), file("d/s/b", "1"), file("top", "1")}
	cases := map[string]struct {
		upper []tar.Header
		want  []string
	}{
		"a file":                              {[]tar.Header{file("d/.wh.a", "")}, []string{"d", "d/s", "d/s/b", "top"}},
		"a directory":                         {[]tar.Header{file(".wh.d", "")}, []string{"top"}},
		"opaque":                              {[]tar.Header{file("d/.wh..wh..opq", ""), file("d/new", "2")}, []string{"d", "d/new", "top"}},
		"opaque after its siblings":           {[]tar.Header{file("d/new", "2"), file("d/s/new", "2"), file("d/.wh..wh..opq", "")}, []string{"d", "d/new", "d/s", "d/s/new", "top"}},
		"opaque twice":                        {[]tar.Header{file("d/.wh..wh..opq", ""), file("d/new", "2"), file("d/.wh..wh..opq", "")}, []string{"d", "d/new", "top"}},
		"a directory that is made anew":       {[]tar.Header{file(".wh.d", ""), dir("d"), file("d/new", "2")}, []string{"d", "d/new", "top"}},
		"the same in the other order":         {[]tar.Header{dir("d"), file("d/new", "2"), file(".wh.d", "")}, []string{"d", "d/new", "top"}},
		"a file that is made anew, reversed":  {[]tar.Header{file("top", "2"), file(".wh.top", "")}, []string{"d", "d/a", "d/s", "d/s/b", "top"}},
		"of nothing":                          {[]tar.Header{file("x/.wh.y", ""), file("d/.wh.y", "")}, []string{"d", "d/a", "d/s", "d/s/b", "top"}},
		"aufs's own files":                    {[]tar.Header{dir(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", ""), file(".wh..wh.aufs", "")}, []string{"d", "d/a", "d/s", "d/s/b", "top"}},
		"a directory becomes a file":          {[]tar.Header{file("d", "2")}, []string{"d", "top"}},
		"a directory becomes a link and back": {[]tar.Header{symlink("d", "/"), dir("d")}, []string{"d", "top"}},
	}
	for name, layer := range cases {
		t.Run(name, func(t *testing.T) {
			target, _ := outside(t)
			if _, _, err := layers(t, target, plenty, bundle(t, lower...), bundle(t, layer.upper...)); err != nil {
				t.Fatal(err)
			}
			if found := listing(t, target); !slices.Equal(found, layer.want) {
				t.Errorf("there is %v, not %v", found, layer.want)
			}
		})
	}
}

func TestHardLinksAcrossLayers(t *testing.T) {
	target, _ := outside(t)
	first := bundle(t, file("a", "1"), hardLink("b", "a"))
	second := bundle(t, hardLink("c", "/b"), hardLink("c", "b"))
	third := bundle(t, file("a", "3"))
	if _, _, err := layers(t, target, plenty, first, second, third); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "3", "b": "1", "c": "1"} {
		if found := content(t, target, name); found != want {
			t.Errorf("%s is %q, not %q", name, found, want)
		}
	}
	if stat, err := os.Stat(filepath.Join(target, "c")); err != nil || stat.Sys().(*syscall.Stat_t).Nlink != 2 {
		t.Errorf("b and c are not one file: %v (%v)", stat, err)
	}
}

func TestLinksOfTheImageAreFollowedInside(t *testing.T) {
	target, _ := outside(t)
	lower := bundle(t, dir("run"), dir("var"), symlink("var/run", "/run"), symlink("up", "../../../../run"))
	upper := bundle(t, file("var/run/a", "1"), file("up/b", "2"))
	if _, _, err := layers(t, target, plenty, lower, upper); err != nil {
		t.Fatal(err)
	}
	if content(t, target, "run/a") != "1" || content(t, target, "run/b") != "2" {
		t.Error("the links do not lead to /run of the image")
	}
}

func TestAttributesAreKept(t *testing.T) {
	capability := string([]byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	when := time.Unix(1234567890, 123456789)
	ping := tar.Header{Name: "d/ping", Typeflag: tar.TypeReg, Mode: 0o4751, Uid: 123456, Gid: 54321, ModTime: when, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.note": "x", "SCHILY.xattr.trusted.overlay.opaque": "y",
		"SCHILY.xattr.security.selinux": "system_u:object_r:unlabeled_t:s0", "SCHILY.xattr.user.overlay.whiteout": "y",
	}}
	odd := "d/na\xffme " + strings.Repeat("long", 50)
	target, _ := outside(t)
	archive := bundle(t, tar.Header{Name: "d", Typeflag: tar.TypeDir, Mode: 0o1711, Uid: 7, ModTime: when, Format: tar.FormatPAX}, ping, file(odd, "odd"))
	_, lines, err := layers(t, target, plenty, archive, bundle(t, file("d/later", "x")))
	if err != nil || len(lines) != 1 {
		t.Fatal(lines, err)
	}
	names := make([]byte, 1024)
	size, err := unix.Listxattr(filepath.Join(target, "d/ping"), names)
	kept := strings.Split(strings.TrimRight(string(names[:max(size, 0)]), "\x00"), "\x00")
	slices.Sort(kept)
	if err != nil || !slices.Equal(kept, []string{"security.capability", "user.note"}) {
		t.Errorf("the attributes are %q (%v)", kept, err)
	}
	wantStat(t, filepath.Join(target, "d/ping"), 0o4751, 123456, when)
	wantStat(t, filepath.Join(target, "d"), 0o1711, 7, when)
	if content(t, target, odd) != "odd" {
		t.Error("a long name that is not UTF-8 is lost")
	}
}

func wantStat(t *testing.T, path string, mode, uid uint32, modified time.Time) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		t.Fatal(err)
	}
	if stat.Mode&0o7777 != mode || stat.Uid != uid || !time.Unix(stat.Mtim.Unix()).Equal(modified) {
		t.Errorf("%s has the mode %o, the owner %d, the time %v", path, stat.Mode, stat.Uid, time.Unix(stat.Mtim.Unix()))
	}
}

func TestLayerWithAnotherDigestIsRefused(t *testing.T) {
	target, _ := outside(t)
	applied, err := NewLayers(target, plenty)
	if err != nil {
		t.Fatal(err)
	}
	defer applied.Close()
	archive := bundle(t, file("f", "x"))
	err = applied.Apply(context.Background(), bytes.NewReader(append(archive, "trailing"...)), digestOf(t, archive), nil)
	wantKind(t, err, fault.InvalidArgument)
	err = applied.Apply(context.Background(), bytes.NewReader(archive), v1.Hash{Algorithm: "md5", Hex: "0"}, nil)
	wantKind(t, err, fault.Unsupported)
}

func TestCancelledWorkEnds(t *testing.T) {
	target, _ := outside(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	archive := bundle(t, file("f", "x"))
	_, _, err := Upload(ctx, bytes.NewReader(archive), Detect, target, plenty)
	wantKind(t, err, fault.Unavailable)
}
