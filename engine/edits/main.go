// Command edits makes the copy of the gVisor module that the engine is built with: `go run ./edits DIRECTORY`, in the directory of go.mod.
//
// It makes DIRECTORY with the copy, and with the go.mod and go.sum for `go build -modfile`, or nothing when the module is not the one that
// the edits were written for. docs/runtime-edits.md tells what they do and how to move to a newer module.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// findModule returns where the module of the right version lies.
func findModule() (string, error) {
	listed, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}\n{{.Sum}}\n{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", module, err)
	}
	lines := strings.SplitN(strings.TrimSpace(string(listed)), "\n", 3)
	if len(lines) != 3 {
		return "", fmt.Errorf("finding %s: go list says %q", module, listed)
	}
	if err := check(lines[0], lines[1]); err != nil {
		return "", err
	}
	// What lies in the module cache may have been changed since it was fetched.
	if said, err := exec.Command("go", "mod", "verify").CombinedOutput(); err != nil {
		return "", fmt.Errorf("the modules in the cache are not what go.sum names; `go clean -modcache` fetches them anew: %s", bytes.TrimSpace(said))
	}
	return lines[2], nil
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
