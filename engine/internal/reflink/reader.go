package reflink

import (
	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
	"gvisor.dev/gvisor/pkg/sentry/state/stateio"
)

// Reader reads an image into memory files by sharing blocks, and by the runtime's own parallel reads where that cannot be.
type Reader struct {
	stateio.AsyncReader
	image     int32
	holed     bool
	cloned    []stateio.Completion
	inFlight  int
	registers []*destination
}

var _ stateio.AsyncReader = (*Reader)(nil)

// destination is a memory file. Once it was seen not to share blocks with the image it is not asked again.
type destination struct {
	fd     int32
	copies bool
}

// NewReader reads the image, of which the copier has the same descriptor and stays the owner.
func NewReader(image int32, copier stateio.AsyncReader) *Reader {
	return &Reader{AsyncReader: copier, image: image, holed: holed(image)}
}

// NeedRegisterDestinationFD asks for the memory file beside its mapping.
func (*Reader) NeedRegisterDestinationFD() bool { return true }

// RegisterDestinationFD keeps a duplicate of a memory file's descriptor until Close.
func (r *Reader) RegisterDestinationFD(fd int32, _ uint64, _ []stateio.ClientFileRangeSetting) (stateio.DestinationFile, error) {
	own, err := unix.Dup(int(fd))
	if err != nil {
		return nil, err
	}
	d := &destination{fd: int32(own)}
	r.registers = append(r.registers, d)
	return d, nil
}

// AddRead is AddReadv with one range.
func (r *Reader) AddRead(id int, off int64, file stateio.DestinationFile, to memmap.FileRange, mapping []byte) {
	if !r.clone(id, off, to.Length(), file, []memmap.FileRange{to}) {
		r.inFlight++
		r.AsyncReader.AddRead(id, off, file, to, mapping)
	}
}

// AddReadv shares the blocks at once, or enqueues a read.
func (r *Reader) AddReadv(id int, off int64, total uint64, file stateio.DestinationFile, to []memmap.FileRange, mappings []unix.Iovec) {
	if !r.clone(id, off, total, file, to) {
		r.inFlight++
		r.AsyncReader.AddReadv(id, off, total, file, to, mappings)
	}
}

func (r *Reader) clone(id int, off int64, total uint64, file stateio.DestinationFile, to []memmap.FileRange) bool {
	d, ok := file.(*destination)
	if !ok || d.copies {
		return false
	}
	spans := intoRanges(uint64(off), to)
	done, err := clone(d.fd, r.image, spans)
	if err == nil && !done {
		d.copies = true
		return false
	}
	if err == nil && r.holed {
		err = takeRoom(d.fd, spans)
	}
	completion := stateio.Completion{ID: id, Err: err}
	if err == nil {
		completion.N = total
	}
	r.cloned = append(r.cloned, completion)
	return true
}

// Wait returns what was cloned, and of the reads as many as are missing to the minimum.
func (r *Reader) Wait(cs []stateio.Completion, minimum int) ([]stateio.Completion, error) {
	cs = append(cs, r.cloned...)
	minimum = max(minimum-len(r.cloned), 0)
	r.cloned = r.cloned[:0]
	if r.inFlight == 0 {
		return cs, nil
	}
	before := len(cs)
	cs, err := r.AsyncReader.Wait(cs, minimum)
	r.inFlight -= len(cs) - before
	return cs, err
}

// Close gives the descriptors back.
func (r *Reader) Close() error {
	err := r.AsyncReader.Close()
	for _, d := range r.registers {
		_ = unix.Close(int(d.fd))
	}
	r.registers = nil
	return err
}
