package reflink

import (
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
	"gvisor.dev/gvisor/pkg/sentry/state/stateio"
)

// Copier writes bytes where nothing can be shared. It appends, so it must be told of what was appended beside it.
type Copier interface {
	stateio.AsyncWriter
	// Skip moves the place of the next write by n bytes.
	Skip(n uint64)
}

// Limits are what a writer takes at once; its copier has the same.
type Limits struct {
	// Bytes of one write, Ranges that it may come from, and writes InTurn.
	Bytes          uint64
	Ranges, InTurn int
}

// Writer appends pages of memory files to an image by sharing blocks, and by the copier where that cannot be.
type Writer struct {
	image  int32
	limits Limits
	// newCopier makes the copier when the first bytes have to be copied: one for direct access costs a grace period of the kernel
	// when it is closed, 20 to 30 ms of a pause.
	newCopier func() Copier
	copier    Copier
	end       uint64
	reserved  uint64
	cloned    []stateio.Completion
	inFlight  int
	sources   []*source
}

var _ stateio.AsyncWriter = (*Writer)(nil)

// source is a memory file. Once it was seen not to share blocks with the image it is not asked again.
type source struct {
	fd     int32
	copies bool
}

// NewWriter appends to the empty image, whose descriptor it owns until there is a copier, which has the same and owns it then.
func NewWriter(image int32, limits Limits, newCopier func() Copier) *Writer {
	return &Writer{image: image, limits: limits, newCopier: newCopier}
}

// MaxWriteBytes is the most that one write takes.
func (w *Writer) MaxWriteBytes() uint64 { return w.limits.Bytes }

// MaxRanges is of how many ranges one write can be.
func (w *Writer) MaxRanges() int { return w.limits.Ranges }

// MaxParallel is how many writes can be under way.
func (w *Writer) MaxParallel() int { return w.limits.InTurn }

// Reserve tells the copier, which makes room for what is shared beside it as well.
func (w *Writer) Reserve(n uint64) {
	w.reserved = n
	if w.copier != nil {
		w.copier.Reserve(n)
	}
}

// NeedRegisterSourceFD asks for the memory file beside its mapping.
func (*Writer) NeedRegisterSourceFD() bool { return true }

// RegisterSourceFD keeps a duplicate of a memory file's descriptor until Close.
func (w *Writer) RegisterSourceFD(fd int32, _ uint64, _ []stateio.ClientFileRangeSetting) (stateio.SourceFile, error) {
	own, err := unix.Dup(int(fd))
	if err != nil {
		return nil, err
	}
	s := &source{fd: int32(own)}
	w.sources = append(w.sources, s)
	return s, nil
}

// AddWrite is AddWritev with one range.
func (w *Writer) AddWrite(id int, file stateio.SourceFile, from memmap.FileRange, mapping []byte) {
	if !w.clone(id, from.Length(), file, []memmap.FileRange{from}) {
		w.copying().AddWrite(id, file, from, mapping)
	}
	w.end += from.Length()
}

// AddWritev shares the blocks at once, or enqueues a write.
func (w *Writer) AddWritev(id int, total uint64, file stateio.SourceFile, from []memmap.FileRange, mappings []unix.Iovec) {
	if !w.clone(id, total, file, from) {
		w.copying().AddWritev(id, total, file, from, mappings)
	}
	w.end += total
}

// copying gives the copier for one more write.
func (w *Writer) copying() Copier {
	if w.copier == nil {
		w.copier = w.newCopier()
		w.copier.Skip(w.end)
		w.copier.Reserve(w.reserved)
	}
	w.inFlight++
	return w.copier
}

func (w *Writer) clone(id int, total uint64, file stateio.SourceFile, from []memmap.FileRange) bool {
	s, ok := file.(*source)
	if !ok || s.copies {
		return false
	}
	done, err := clone(w.image, s.fd, fromRanges(from, w.end))
	if err == nil && !done {
		s.copies = true
		return false
	}
	if w.copier != nil {
		w.copier.Skip(total)
	}
	completion := stateio.Completion{ID: id, Err: err}
	if err == nil {
		completion.N = total
	}
	w.cloned = append(w.cloned, completion)
	return true
}

// Wait returns what was cloned, and of the writes as many as are missing to the minimum.
func (w *Writer) Wait(cs []stateio.Completion, minimum int) ([]stateio.Completion, error) {
	cs = append(cs, w.cloned...)
	minimum = max(minimum-len(w.cloned), 0)
	w.cloned = w.cloned[:0]
	if w.inFlight == 0 {
		return cs, nil
	}
	before := len(cs)
	cs, err := w.copier.Wait(cs, minimum)
	w.inFlight -= len(cs) - before
	return cs, err
}

// Finalize lets the copier write what it still has.
func (w *Writer) Finalize() error {
	if w.copier == nil {
		return nil
	}
	return w.copier.Finalize()
}

// Close gives the descriptors back.
func (w *Writer) Close() error {
	for _, s := range w.sources {
		_ = unix.Close(int(s.fd))
	}
	w.sources = nil
	if w.copier != nil {
		return w.copier.Close()
	}
	return unix.Close(int(w.image))
}
