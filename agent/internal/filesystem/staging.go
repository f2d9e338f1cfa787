package filesystem

import (
	"crypto/rand"
	"path/filepath"
	"strings"
)

// stagingPrefix begins the names of files that are not complete yet.
const stagingPrefix = ".torpor-upload-"

// StagingName is a free name beside a path, for a file that is to take its place.
func StagingName(path string) string {
	return filepath.Join(filepath.Dir(path), stagingPrefix+rand.Text())
}

// IsStaging reports whether the last part of a path is such a name.
func IsStaging(path string) bool { return strings.HasPrefix(filepath.Base(path), stagingPrefix) }
