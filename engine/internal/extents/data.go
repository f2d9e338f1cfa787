package extents

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Data calls each for every part of the file that is no hole, in order, from one offset up to another. An error of it ends that.
func Data(file *os.File, each func(from, to int64) error) error {
	for at := int64(0); ; {
		from, err := unix.Seek(int(file.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // nothing but a hole is left
			return nil
		}
		if err != nil {
			return err
		}
		to, err := unix.Seek(int(file.Fd()), from, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := each(from, to); err != nil {
			return err
		}
		at = to
	}
}
