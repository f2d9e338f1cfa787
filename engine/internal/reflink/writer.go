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

// Writer appends pages of memory files to an image by sharing blocks, and by the copier where that cannot be.
type Writer struct {
	Copier
	image    int32
	end      uint64
	cloned   []stateio.Completion
	inFlight int
	sources  []*source
}

var _ stateio.AsyncWriter = (*Writer)(nil)

// source is a memory file. Once it was seen not to share blocks with the image it is not asked again.
type source struct {
	fd     int32
	copies bool
}

// NewWriter appends to the empty image, of which the copier has the same descriptor and stays the owner.
func NewWriter(image int32, copier Copier) *Writer {
	return &Writer{Copier: copier, image: image}
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
		w.inFlight++
		w.Copier.AddWrite(id, file, from, mapping)
	}
	w.end += from.Length()
}

// AddWritev shares the blocks at once, or enqueues a write.
func (w *Writer) AddWritev(id int, total uint64, file stateio.SourceFile, from []memmap.FileRange, mappings []unix.Iovec) {
	if !w.clone(id, total, file, from) {
		w.inFlight++
		w.Copier.AddWritev(id, total, file, from, mappings)
	}
	w.end += total
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
	w.Skip(total)
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
	cs, err := w.Copier.Wait(cs, minimum)
	w.inFlight -= len(cs) - before
	return cs, err
}

// Close gives the descriptors back.
func (w *Writer) Close() error {
	err := w.Copier.Close()
	for _, s := range w.sources {
		_ = unix.Close(int(s.fd))
	}
	w.sources = nil
	return err
}
