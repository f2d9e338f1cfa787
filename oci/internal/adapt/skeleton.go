package adapt

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/tree"
)

// Bounds of a skeleton: it is a handful of small files.
const (
	maxSkeletonFiles = 200
	maxSkeletonBytes = 1 << 20
)

// skeleton copies the files of /etc/skel (no directories, no links) into a new home.
func (i image) skeleton(home string, user User) error {
	source, err := i.Dir("etc/skel")
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	handle, err := source.Handle()
	if err != nil {
		return err
	}
	defer handle.Close()
	into, err := i.Dir(home)
	if err != nil {
		return err
	}
	left := maxSkeletonFiles
	return tree.EachEntry(handle, func(entry os.DirEntry) error {
		if left--; left < 0 || !entry.Type().IsRegular() {
			return nil
		}
		return copyFile(handle, entry.Name(), into, user)
	})
}

func copyFile(from *os.File, base string, into *tree.Dir, user User) error {
	content, err := tree.ReadBelow(from, base, maxSkeletonBytes)
	if err != nil {
		return err
	}
	err = into.WriteFile(base, content, 0o644, user.UID, user.GID)
	if errors.Is(err, unix.ENAMETOOLONG) {
		return nil
	}
	return err
}
