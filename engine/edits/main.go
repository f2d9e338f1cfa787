// Command edits makes the copy of the gVisor module that the engine is built with: `go run ./edits DIRECTORY`, in the directory of go.mod.
//
// It makes DIRECTORY with the copy, and with the go.mod and go.sum for `go build -modfile`, or nothing when the module is not the one that
// the edits were written for. docs/runtime-edits.md tells what they do and how to move to a newer module.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const module = "gvisor.dev/gvisor"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./edits DIRECTORY")
		os.Exit(2)
	}
	if err := makeCopy(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "edits:", err)
		os.Exit(1)
	}
}

func makeCopy(directory string) error {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
		return nil
	}
	source, err := findModule()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(directory), 0o755); err != nil {
		return err
	}
	staged, err := os.MkdirTemp(filepath.Dir(directory), ".edited-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staged)
	if err := os.CopyFS(filepath.Join(staged, "gvisor"), os.DirFS(source)); err != nil {
		return fmt.Errorf("copying the module: %w", err)
	}
	if err := apply(filepath.Join(staged, "gvisor"), edits); err != nil {
		return err
	}
	if err := writeModuleFiles(staged, filepath.Join(directory, "gvisor")); err != nil {
		return err
	}
	// Whoever was quicker has made the same.
	if err := os.Rename(staged, directory); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// findModule returns where the module of the right version lies, and fetches it where it is not there yet.
func findModule() (string, error) {
	said, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var found struct{ Version, Sum, Dir, Error string }
	// A failed download says why in the same form.
	if broken := json.Unmarshal(said, &found); err != nil || broken != nil {
		return "", fmt.Errorf("fetching %s: %w: %s", module, errors.Join(err, broken), found.Error)
	}
	if err := check(found.Version, found.Sum); err != nil {
		return "", err
	}
	// What lies in the module cache may have been changed since it was fetched.
	if said, err := exec.Command("go", "mod", "verify").CombinedOutput(); err != nil {
		return "", fmt.Errorf("the modules in the cache are not what go.sum names; `go clean -modcache` fetches them anew: %s", bytes.TrimSpace(said))
	}
	return found.Dir, nil
}

// check refuses every module but the one that the edits were written for.
func check(foundVersion, foundSum string) error {
	if foundVersion != version {
		return fmt.Errorf("the edits are for %s %s, and go.mod has %s: see docs/runtime-edits.md", module, version, foundVersion)
	}
	if foundSum != sum {
		return fmt.Errorf("the edits are for the %s %s with the hash %s, and go.sum has %s: see docs/runtime-edits.md", module, version, sum, foundSum)
	}
	return nil
}

// writeModuleFiles writes ours with the edited module in the place of the other.
func writeModuleFiles(directory, edited string) error {
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	requirements, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(directory, "go.sum"), sums, 0o644); err != nil {
		return err
	}
	replaced := fmt.Sprintf("%s\n\nreplace %s => %s\n", bytes.TrimSpace(requirements), module, edited)
	return os.WriteFile(filepath.Join(directory, "go.mod"), []byte(replaced), 0o644)
}
