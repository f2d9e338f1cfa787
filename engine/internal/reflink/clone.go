// Package reflink moves pages between a sandbox's memory file and its image by sharing blocks instead of copying bytes, where both
// lie on one file system that can (XFS with reflink=1, btrfs).
package reflink

import (
	"errors"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
)

// span is a part of the source and where it goes in the destination.
type span struct {
	from, to, length uint64
}

// clone shares the blocks of the spans. False: this pair of files cannot, or not at these offsets, and bytes must be copied; what
// was shared by then is the same content. A full volume (ENOSPC) is an error: copying bytes would need even more room.
func clone(destination, source int32, spans []span) (bool, error) {
	for _, s := range spans {
		arguments := unix.FileCloneRange{
			Src_fd: int64(source), Src_offset: s.from, Src_length: s.length, Dest_offset: s.to,
		}
		err := retried(func() error { return unix.IoctlFileCloneRange(int(destination), &arguments) })
		if cannot(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// holed tells that the file has fewer blocks than bytes: room that was taken and never written to is not shared.
func holed(file int32) bool {
	var stat unix.Stat_t
	return unix.Fstat(int(file), &stat) == nil && stat.Blocks*512 < stat.Size
}

// takeRoom gives blocks to what has none of the destination: the sandbox was granted it, and will not ask again.
func takeRoom(destination int32, spans []span) error {
	for _, s := range spans {
		if err := retried(func() error { return unix.Fallocate(int(destination), 0, int64(s.to), int64(s.length)) }); err != nil {
			return err
		}
	}
	return nil
}

// cannot tells that these files do not share blocks: other file systems or mounts, no such ioctl, or unaligned offsets.
func cannot(err error) bool {
	for _, each := range []error{unix.EOPNOTSUPP, unix.EXDEV, unix.EINVAL, unix.ENOTTY, unix.ENOSYS} {
		if errors.Is(err, each) {
			return true
		}
	}
	return false
}

func retried(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// intoRanges are the spans from one offset of a source to many ranges of the destination. Neighbours become one: a call costs 20 µs or more.
func intoRanges(from uint64, ranges []memmap.FileRange) []span {
	var spans []span
	for _, r := range ranges {
		if last := len(spans) - 1; last >= 0 && spans[last].to+spans[last].length == r.Start {
			spans[last].length += r.Length()
		} else {
			spans = append(spans, span{from: from, to: r.Start, length: r.Length()})
		}
		from += r.Length()
	}
	return spans
}

// fromRanges are the spans from many ranges of the source to one offset of the destination, neighbours as one.
func fromRanges(ranges []memmap.FileRange, to uint64) []span {
	var spans []span
	for _, r := range ranges {
		if last := len(spans) - 1; last >= 0 && spans[last].from+spans[last].length == r.Start {
			spans[last].length += r.Length()
		} else {
			spans = append(spans, span{from: r.Start, to: to, length: r.Length()})
		}
		to += r.Length()
	}
	return spans
}
