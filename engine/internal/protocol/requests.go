package protocol

import (
	"path/filepath"
	"regexp"
	"strings"
)

var executionID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Empty is the body or the answer without content.
type Empty struct{}

// Validate accepts everything: there is nothing to check.
func (Empty) Validate() error { return nil }

// Target names one execution.
type Target struct {
	Execution string `json:"execution"`
}

// Validate checks the id.
func (t Target) Validate() error {
	if !executionID.MatchString(t.Execution) {
		return Errorf(Invalid, "execution must match %s.", executionID)
	}
	return nil
}

// Start is what every new execution needs.
type Start struct {
	Target
	Bundle           string `json:"bundle"`
	OverlayDirectory string `json:"overlayDirectory"`
	DiskBytes        int64  `json:"diskBytes"`
	// MemoryDirectory, if not empty, holds the sandbox's memory in files without a name; else it is the kernel's own.
	MemoryDirectory string `json:"memoryDirectory"`
	// FloorFile, if not empty, says how many bytes of the disk the root leaves free; DiskReserveBytes it may have all the same.
	FloorFile        string `json:"floorFile"`
	DiskReserveBytes int64  `json:"diskReserveBytes"`
}

// Validate checks the shape of the request, not what is on disk.
func (s Start) Validate() error {
	if err := s.Target.Validate(); err != nil {
		return err
	}
	if err := absolute("bundle", s.Bundle); err != nil {
		return err
	}
	if err := absolute("overlayDirectory", s.OverlayDirectory); err != nil {
		return err
	}
	// The runtime takes the directory inside a flag that these characters would split.
	if strings.ContainsAny(s.OverlayDirectory, ":,") {
		return Errorf(Invalid, "overlayDirectory must not contain a colon or a comma.")
	}
	if s.MemoryDirectory != "" {
		if err := absolute("memoryDirectory", s.MemoryDirectory); err != nil {
			return err
		}
	}
	if s.DiskBytes <= 0 {
		return Errorf(Invalid, "diskBytes must be positive.")
	}
	return s.validateFloor()
}

func (s Start) validateFloor() error {
	if s.DiskReserveBytes < 0 {
		return Errorf(Invalid, "diskReserveBytes must not be negative.")
	}
	if s.FloorFile == "" {
		return nil
	}
	return absolute("floorFile", s.FloorFile)
}

// Boot asks for a new execution, on an image of files if one is named.
type Boot struct {
	Start
	Files string `json:"files"`
}

// Validate checks the shape of the request, not what is on disk.
func (b Boot) Validate() error {
	if err := b.Start.Validate(); err != nil || b.Files == "" {
		return err
	}
	return absolute("files", b.Files)
}

// Restore asks for a new execution from a memory image.
type Restore struct {
	Start
	Image string `json:"image"`
}

// Validate checks the shape of the request, not what is on disk.
func (r Restore) Validate() error {
	if err := r.Start.Validate(); err != nil {
		return err
	}
	return absolute("image", r.Image)
}

// Capture asks for an image of an execution, of its memory or of its files.
type Capture struct {
	Target
	Directory string `json:"directory"`
	Direct    bool   `json:"direct"`
}

// Validate checks the shape of the request, not what is on disk.
func (c Capture) Validate() error {
	if err := c.Target.Validate(); err != nil {
		return err
	}
	return absolute("directory", c.Directory)
}

// Prefetch asks for an execution's memory to be read into the machine's.
type Prefetch struct {
	Target
	// KeepFreeBytes is what must stay available on the machine.
	KeepFreeBytes int64 `json:"keepFreeBytes"`
}

// Validate checks the shape of the request.
func (p Prefetch) Validate() error {
	if err := p.Target.Validate(); err != nil {
		return err
	}
	if p.KeepFreeBytes < 0 {
		return Errorf(Invalid, "keepFreeBytes must not be negative.")
	}
	return nil
}

// Space asks what an execution or the files of a directory take of the disk.
type Space struct {
	Target
	Directory string `json:"directory"`
}

// Validate checks the shape of the request, not what is on disk.
func (s Space) Validate() error {
	if (s.Execution == "") == (s.Directory == "") {
		return Errorf(Invalid, "Either execution or directory must be given.")
	}
	if s.Directory != "" {
		return absolute("directory", s.Directory)
	}
	return s.Target.Validate()
}

// Compact asks for the image in a directory to be written anew in one piece.
type Compact struct {
	Directory string `json:"directory"`
}

// Validate checks the shape of the request, not what is on disk.
func (c Compact) Validate() error { return absolute("directory", c.Directory) }

func absolute(name, path string) error {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsRune(path, 0) {
		return Errorf(Invalid, "%s must be an absolute path in its shortest form.", name)
	}
	return nil
}

// ID is the id of the execution that a request is about.
func (t Target) ID() string { return t.Execution }
