package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFactsAreWrittenIntoTheSystem(t *testing.T) {
	root, named := t.TempDir(), ""
	files := New(root, func(name string) error { named = name; return nil })
	files.Write(Facts{SandboxID: "i1", TemplateID: "t1", Hostname: "box", Nameservers: []string{"1.1.1.1", "8.8.8.8"}})
	for name, want := range map[string]string{
		"run/e2b/.E2B_SANDBOX":     "true",
		"run/e2b/.E2B_SANDBOX_ID":  "i1",
		"run/e2b/.E2B_TEMPLATE_ID": "t1",
		"etc/hostname":             "box\n",
		"etc/resolv.conf":          "nameserver 1.1.1.1\nnameserver 8.8.8.8\n",
	} {
		if got := read(t, root, name); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if named != "box" || !strings.Contains(read(t, root, "etc/hosts"), "127.0.0.1 box") {
		t.Errorf("named %q, hosts %q", named, read(t, root, "etc/hosts"))
	}
}

func TestNewNameReplacesTheOldOneAndNothingElse(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	own := "127.0.0.1 localhost\n10.0.0.9 database\n"
	if err := os.WriteFile(filepath.Join(root, "etc/hosts"), []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	files := New(root, func(string) error { return errors.New("not permitted") })
	files.Write(Facts{Hostname: "first"})
	files.Write(Facts{Hostname: "second"})
	if got := read(t, root, "etc/hosts"); got != own+"127.0.0.1 second "+hostsMark+"\n" {
		t.Errorf("got %q", got)
	}
}

func TestWhatIsTheSameIsNotWrittenAgain(t *testing.T) {
	root := t.TempDir()
	files := New(root, func(string) error { return nil })
	facts := Facts{SandboxID: "i1", Hostname: "box", Nameservers: []string{"1.1.1.1"}}
	files.Write(facts)
	if err := os.RemoveAll(filepath.Join(root, "etc")); err != nil {
		t.Fatal(err)
	}
	files.Write(facts)
	if _, err := os.Stat(filepath.Join(root, "etc")); err == nil {
		t.Error("it was written again")
	}
}

func TestForeignMachineIsLeftAlone(*testing.T) {
	var files *Files
	files.Write(Facts{Hostname: "box"})
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
