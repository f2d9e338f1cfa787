package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// edit replaces one text in one file of the module.
type edit struct {
	file string
	// old must be there exactly once.
	old, new string
}

// added are whole files of ours: added/<path with two underscores for each slash>.txt.
//
//go:embed added/*.txt
var added embed.FS

// apply edits a copy of the module. An error names the file and what was expected there.
func apply(directory string, edits []edit) error {
	for _, e := range edits {
		if err := applyOne(filepath.Join(directory, e.file), e); err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
	}
	entries, err := added.ReadDir("added")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := added.ReadFile("added/" + entry.Name())
		if err != nil {
			return err
		}
		name := strings.ReplaceAll(strings.TrimSuffix(entry.Name(), ".txt"), "__", "/")
		if err := addOne(filepath.Join(directory, name), content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func applyOne(path string, e edit) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if count := strings.Count(string(content), e.old); count != 1 {
		return fmt.Errorf("the text to be replaced is there %d times instead of once:\n%s", count, e.old)
	}
	// The module cache is read-only, and so is what was copied from it.
	if err := os.Chmod(path, 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Replace(string(content), e.old, e.new, 1)), 0o644)
}

func addOne(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
