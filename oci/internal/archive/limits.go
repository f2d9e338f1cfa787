// Package archive unpacks tar archives, the layers of images and what users upload, whose content is hostile.
package archive

import (
	"io"

	"torpor.dev/oci/internal/fault"
)

const (
	// headerAllowance is what an entry may cost in the archive beside its content: its header, its extended header, its padding.
	headerAllowance = 8 << 10
	// ratioGrace is what may be unpacked before the ratio counts, and maxRatio what an uploaded archive may grow by from then on.
	ratioGrace = 256 << 20
	maxRatio   = 250
)

// Limits bounds what archives may bring, together. The sizes are those that the archives claim: holes count.
type Limits struct {
	MaxBytes   int64
	MaxEntries int64
}

// Usage is what has been taken of the limits.
type Usage struct {
	Bytes   int64 `json:"bytes"`
	Entries int64 `json:"entries"`
}

type budget struct {
	limits Limits
	used   Usage
}

// entry counts one more name.
func (b *budget) entry() error {
	if b.used.Entries++; b.used.Entries > b.limits.MaxEntries {
		return fault.New(fault.InvalidArgument, "There are more than the %d files that are allowed.", b.limits.MaxEntries)
	}
	return nil
}

// content counts a file's bytes before they are written.
func (b *budget) content(size int64) error {
	if size < 0 || size > b.limits.MaxBytes-b.used.Bytes {
		return fault.New(fault.InvalidArgument, "The files are larger than the %d MiB that are allowed.", b.limits.MaxBytes>>20)
	}
	b.used.Bytes += size
	return nil
}

// streamLimit bounds what decompressing may bring: headers can be repeated without an entry ever coming out of them.
func (l Limits) streamLimit() int64 { return l.MaxBytes + l.MaxEntries*headerAllowance }

// boundedReader refuses a stream that is longer than allowed, in itself or measured by what it came from.
type boundedReader struct {
	source io.Reader
	left   int64
	given  int64
	taken  *int64 // bytes of the compressed source, nil where the ratio is free
}

func (r *boundedReader) Read(buffer []byte) (int, error) {
	count, err := r.source.Read(buffer)
	r.given += int64(count)
	if r.left -= int64(count); r.left < 0 {
		return 0, fault.New(fault.InvalidArgument, "The archive unpacks to more than is allowed.")
	}
	if r.taken != nil && r.given > ratioGrace && r.given/maxRatio > *r.taken {
		return 0, fault.New(fault.InvalidArgument, "The archive unpacks to more than %d times its size.", maxRatio)
	}
	return count, err
}
