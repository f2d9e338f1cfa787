package compact

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/extents"
)

const (
	// copiedAtOnce is large enough for a disk's full speed, and small enough that others come in between.
	copiedAtOnce = 4 << 20
	// alignment suits the direct access to any disk.
	alignment = 4096
)

// file is read or written past the page cache, where its file system can do that, so that what others have there stays.
type file struct {
	*os.File
	direct bool
}

func open(path string, flags int) (*file, error) {
	const mode = 0o600
	opened, err := os.OpenFile(path, flags|unix.O_DIRECT, mode)
	if err == nil {
		return &file{opened, true}, nil
	}
	if !errors.Is(err, unix.EINVAL) {
		return nil, err
	}
	// The kernel may have made the file before it refused.
	opened, err = os.OpenFile(path, flags&^os.O_EXCL, mode)
	return &file{opened, false}, err
}

// access does one read or write, once more through the page cache if the file system refuses only now to go without it.
func (f *file) access(do func([]byte, int64) (int, error), block []byte, offset int64) (int, error) {
	n, err := do(block, offset)
	if f.direct && errors.Is(err, unix.EINVAL) {
		f.direct = false
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFL, 0); err != nil {
			return 0, err
		}
		return do(block, offset)
	}
	return n, err
}

// drop takes out of the page cache what an access brought there.
func (f *file) drop(offset, length int64) error {
	if f.direct {
		return nil
	}
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	return firstOf(
		func() error { return unix.SyncFileRange(int(f.Fd()), offset, length, all) },
		func() error { return unix.Fadvise(int(f.Fd()), offset, length, unix.FADV_DONTNEED) },
	)
}

// reserve takes the room of the data at once: so it lies together, and what does not fit is known before anything is written.
func reserve(old, anew *file, size int64) error {
	if err := anew.Truncate(size); err != nil {
		return err
	}
	return extents.Data(old.File, func(from, to int64) error {
		err := unix.Fallocate(int(anew.Fd()), unix.FALLOC_FL_KEEP_SIZE, from, to-from)
		if errors.Is(err, unix.EOPNOTSUPP) { // then it lies as it comes
			return nil
		}
		return err
	})
}

// copyData copies what is no hole. It gives the bytes.
func copyData(ctx context.Context, old, anew *file) (total int64, err error) {
	// Memory of the kernel's is aligned; no slice of Go's needs to be.
	block, err := unix.Mmap(-1, 0, copiedAtOnce, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Munmap(block) }()
	err = extents.Data(old.File, func(from, to int64) error {
		for at := from &^ (alignment - 1); at < to; at += copiedAtOnce {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			part := block[:min(copiedAtOnce, (to-at+alignment-1)&^(alignment-1))]
			if err := copyBlock(old, anew, part, at); err != nil {
				return err
			}
			total += min(int64(len(part)), to-at)
		}
		return nil
	})
	return total, err
}

func copyBlock(old, anew *file, block []byte, offset int64) error {
	length := int64(len(block))
	n, err := old.access(old.ReadAt, block, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	clear(block[n:])
	if _, err := anew.access(anew.WriteAt, block, offset); err != nil {
		return err
	}
	return firstOf(
		func() error { return old.drop(offset, length) },
		func() error { return anew.drop(offset, length) },
	)
}
