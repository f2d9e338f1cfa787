// Package paths turns the paths that clients send into absolute ones (protocol.md §3.2, §3.5).
package paths

import (
	"fmt"
	"path/filepath"
	"strings"
)

// InvalidError says why a path cannot be resolved.
type InvalidError struct{ Path, Reason string }

func (e *InvalidError) Error() string { return fmt.Sprintf("invalid path %q: %s", e.Path, e.Reason) }

// Base is what relative paths and `~` are resolved against.
type Base struct {
	Home    string // of the user
	Workdir string // where relative paths start; empty means Home
}

// Resolve makes a path absolute and tidy: a relative one starts at the base, `~` and `~/x` are in the home. It returns an
// *InvalidError for a NUL byte or another user's home. The file system is asked only for a path with `..`.
func Resolve(path string, base Base) (string, error) {
	if strings.IndexByte(path, 0) >= 0 {
		return "", &InvalidError{Path: path, Reason: "it contains a NUL byte"}
	}
	absolute, err := anchor(path, base)
	if err != nil {
		return "", err
	}
	return tidy(absolute, filepath.EvalSymlinks), nil
}

func anchor(path string, base Base) (string, error) {
	start := base.Workdir
	if start == "" {
		start = base.Home
	}
	switch {
	case strings.HasPrefix(path, "/"):
		return path, nil
	case path == "~" || strings.HasPrefix(path, "~/"):
		return "/" + base.Home + "/" + path[1:], nil
	case strings.HasPrefix(path, "~"):
		return "", &InvalidError{Path: path, Reason: "the home of another user cannot be named with ~"}
	default:
		return "/" + start + "/" + path, nil
	}
}

// tidy removes double slashes, `.` and `..` as Linux would: `..` after a link is the parent of the link's target, not of
// the link. Where the part before `..` does not exist, it is simply dropped.
func tidy(absolute string, evalSymlinks func(string) (string, error)) string {
	if !hasParentStep(absolute) {
		return filepath.Clean(absolute)
	}
	clean := "/"
	for part := range strings.SplitSeq(absolute, "/") {
		switch part {
		case "", ".":
		case "..":
			if real, err := evalSymlinks(clean); err == nil {
				clean = real
			}
			clean = filepath.Dir(clean)
		default:
			clean = filepath.Join(clean, part)
		}
	}
	return clean
}

func hasParentStep(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}
