package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestATextThatIsNotThereOnceIsRefusedAndNothingIsChanged(t *testing.T) {
	for name, content := range map[string]string{"never": "other", "twice": "old old"} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			file := filepath.Join(directory, "file.go")
			if err := os.WriteFile(file, []byte(content), 0o444); err != nil {
				t.Fatal(err)
			}
			err := apply(directory, []edit{{"file.go", "old", "new"}})
			if err == nil || !strings.Contains(err.Error(), "file.go: the text to be replaced is there") {
				t.Errorf("got %v", err)
			}
			if kept, _ := os.ReadFile(file); string(kept) != content {
				t.Errorf("the file has become %q", kept)
			}
		})
	}
}

func TestEditsAndFilesOfOursAreInTheCopy(t *testing.T) {
	directory := t.TempDir()
	for _, place := range []string{"pkg/sentry/state/stateio", "pkg/sentry/fsimpl/tmpfs", "pkg/sentry/pgalloc", "runsc/boot", "runsc/sandbox"} {
		if err := os.MkdirAll(filepath.Join(directory, place), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(directory, "file.go"), []byte("an old text"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := apply(directory, []edit{{"file.go", "old", "new"}}); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(filepath.Join(directory, "file.go")); string(content) != "an new text" {
		t.Errorf("got %q", content)
	}
	if _, err := os.Stat(filepath.Join(directory, "runsc/sandbox/torpor.go")); err != nil {
		t.Error(err)
	}
}

func TestTheModuleIsFetchedOnAMachineThatDoesNotHaveIt(t *testing.T) {
	here, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("..")
	t.Setenv("GOPROXY", "file://"+filepath.Join(strings.TrimSpace(string(here)), "cache", "download"))
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOTOOLCHAIN", "local")
	directory, err := findModule()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(directory, "runsc", "boot", "loader.go")); err != nil {
		t.Error(err)
	}
}

func TestAnotherModuleIsRefused(t *testing.T) {
	if err := check(version, sum); err != nil {
		t.Error(err)
	}
	for name, each := range map[string]struct{ version, sum, says string }{
		"version": {"v1.2.3", sum, "go.mod has v1.2.3"},
		"content": {version, "h1:other", "go.sum has h1:other"},
	} {
		if err := check(each.version, each.sum); err == nil || !strings.Contains(err.Error(), each.says) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}
