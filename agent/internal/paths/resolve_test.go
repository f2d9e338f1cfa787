package paths

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	home := Base{Home: "/home/user"}
	workdir := Base{Home: "/home/user", Workdir: "/app"}
	for _, test := range []struct {
		name, path string
		base       Base
		want       string
	}{
		{"absolute stays", "/etc/hosts", home, "/etc/hosts"},
		{"relative starts at home", "a/b", home, "/home/user/a/b"},
		{"relative starts at the workdir if there is one", "a", workdir, "/app/a"},
		{"empty is home", "", home, "/home/user"},
		{"empty is the workdir if there is one", "", workdir, "/app"},
		{"tilde is home, whatever the workdir", "~", workdir, "/home/user"},
		{"tilde path is in home", "~/x", workdir, "/home/user/x"},
		{"tilde elsewhere is a name", "a/~", home, "/home/user/a/~"},
		{"slashes and dots are tidied", "//a///./b/", home, "/a/b"},
		{"parent of root is root", "/../../x", home, "/x"},
		{"parent of what is missing is dropped", "/nonexistent-x/../y", home, "/y"},
		{"dots in names are names", "/a/..b/c..", home, "/a/..b/c.."},
		{"spaces and unicode are names", "/ü b", home, "/ü b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Resolve(test.path, test.base)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, path := range []string{"/a\x00b", "\x00", "~other", "~other/x"} {
		_, err := Resolve(path, Base{Home: "/home/user"})
		if _, ok := errors.AsType[*InvalidError](err); !ok {
			t.Errorf("%q: got %v", path, err)
		}
	}
}

func TestParentOfLinkIsParentOfItsTarget(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "deep/down"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "deep/down"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got, err := Resolve(dir+"/link/../x", Base{})
	if want := filepath.Join(dir, "deep/x"); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func FuzzResolveIsAbsoluteAndTidy(f *testing.F) {
	for _, seed := range []string{"", "~", "~/..", "/../..", "a/./b//..", "..", "/proc/self/../x", "\x00", "~x", "../../../.."} {
		f.Add(seed, "/home/user", "")
		f.Add(seed, "", "/app")
	}
	f.Fuzz(func(t *testing.T, path, home, workdir string) {
		if strings.ContainsRune(home+workdir, 0) {
			t.Skip()
		}
		got, err := Resolve(path, Base{Home: home, Workdir: workdir})
		if err != nil {
			if !strings.ContainsRune(path, 0) && !strings.HasPrefix(path, "~") {
				t.Fatalf("%q was refused: %v", path, err)
			}
			return
		}
		if !filepath.IsAbs(got) || filepath.Clean(got) != got || strings.ContainsRune(got, 0) {
			t.Fatalf("%q became %q", path, got)
		}
		if again, err := Resolve(got, Base{}); err != nil || again != got {
			t.Fatalf("%q is not stable: %q, %v", got, again, err)
		}
	})
}
