package reflink

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
	"gvisor.dev/gvisor/pkg/sentry/state/stateio"

	"torpor.dev/engine/internal/trial"
)

// seeking is the runtime's writer of bytes over a file whose place can be moved.
type seeking struct {
	*stateio.IOWriter
	file *os.File
}

func (s seeking) Skip(n uint64) { _, _ = s.file.Seek(int64(n), io.SeekCurrent) }

// save appends, in this order, pages 8-11 and 2-5 of each memory file to the image.
func save(t *testing.T, image *os.File, memories ...*os.File) (shared []bool) {
	t.Helper()
	owned, err := unix.Dup(int(image.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{Bytes: 64 * page, Ranges: 16, InTurn: 1}
	writer := NewWriter(int32(owned), limits, func() Copier {
		own := os.NewFile(uintptr(owned), "image")
		return seeking{stateio.NewIOWriter(own, limits.Bytes, limits.Ranges, limits.InTurn), own}
	})
	defer writer.Close()
	for _, memory := range memories {
		mapping, err := unix.Mmap(int(memory.Fd()), 0, 16*page, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = unix.Munmap(mapping) }()
		file, err := writer.RegisterSourceFD(int32(memory.Fd()), 16*page, nil)
		if err != nil {
			t.Fatal(err)
		}
		vectors := []unix.Iovec{{Base: &mapping[8*page], Len: 4 * page}, {Base: &mapping[2*page], Len: 4 * page}}
		ranges := []memmap.FileRange{{Start: 8 * page, End: 12 * page}, {Start: 2 * page, End: 6 * page}}
		writer.AddWritev(0, 8*page, file, ranges, vectors)
		done, err := writer.Wait(nil, 1)
		if err != nil || len(done) != 1 || done[0] != (stateio.Completion{ID: 0, N: 8 * page}) {
			t.Fatalf("Wait: %v %v", done, err)
		}
		shared = append(shared, !file.(*source).copies)
	}
	if err := writer.Finalize(); err != nil {
		t.Fatal(err)
	}
	return shared
}

func TestAnImageHoldsThePagesOfFilesThatShareAndOfFilesThatDoNot(t *testing.T) {
	volume, other := trial.XFS(t, 512), trial.Tmpfs(t)
	first, second, third := make([]byte, 16*page), make([]byte, 16*page), make([]byte, 16*page)
	var want []byte
	for _, each := range [][]byte{first, second, third} {
		_, _ = rand.Read(each)
		want = append(append(want, each[8*page:12*page]...), each[2*page:6*page]...)
	}
	image := open(t, volume, nil)
	memory := open(t, volume, first)
	shared := save(t, image, memory, open(t, other, second), open(t, volume, third))
	if !shared[0] || shared[1] || !shared[2] {
		t.Errorf("shared: %v", shared)
	}
	if _, err := memory.WriteAt(make([]byte, 16*page), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(image.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the image does not hold the pages as they were: %d bytes, %v", len(got), err)
	}
}
