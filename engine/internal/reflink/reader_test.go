package reflink

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/memmap"
	"gvisor.dev/gvisor/pkg/sentry/state/stateio"

	"torpor.dev/engine/internal/trial"
)

const page = 4096

// open makes a file with this content.
func open(t *testing.T, directory string, content []byte) *os.File {
	t.Helper()
	file, err := os.CreateTemp(directory, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	return file
}

// load reads pages 0-7 of the image into pages 8-11 and 2-5 of the mapped memory file, as a restore does.
func load(t *testing.T, image, memory *os.File) (mapping []byte, shared bool) {
	t.Helper()
	mapping, err := unix.Mmap(int(memory.Fd()), 0, 16*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(mapping) })
	owned, err := unix.Dup(int(image.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(int32(owned), stateio.NewPagesFileFDReader(int32(owned), 1<<20, 16))
	defer reader.Close()
	file, err := reader.RegisterDestinationFD(int32(memory.Fd()), 16*page, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, second := mapping[8*page:12*page], mapping[2*page:6*page]
	vectors := []unix.Iovec{{Base: &first[0], Len: 4 * page}, {Base: &second[0], Len: 4 * page}}
	ranges := []memmap.FileRange{{Start: 8 * page, End: 12 * page}, {Start: 2 * page, End: 6 * page}}
	reader.AddReadv(3, 0, 8*page, file, ranges, vectors)
	done, err := reader.Wait(nil, 1)
	if err != nil || len(done) != 1 || done[0] != (stateio.Completion{ID: 3, N: 8 * page}) {
		t.Fatalf("Wait: %v %v", done, err)
	}
	return mapping, !file.(*destination).copies
}

func TestPagesAreSharedWithTheImageOrCopiedFromItAndAreTheSame(t *testing.T) {
	volume, other := trial.XFS(t, 512), trial.Tmpfs(t)
	for name, each := range map[string]struct {
		image, memory string
		shared        bool
	}{
		"one volume":        {volume, volume, true},
		"memory elsewhere":  {volume, other, false},
		"image elsewhere":   {other, volume, false},
		"neither can share": {other, other, false},
	} {
		t.Run(name, func(t *testing.T) {
			content := make([]byte, 8*page)
			_, _ = rand.Read(content)
			image, memory := open(t, each.image, content), open(t, each.memory, make([]byte, 16*page))
			mapping, shared := load(t, image, memory)
			if shared != each.shared {
				t.Errorf("shared: %v", shared)
			}
			if !bytes.Equal(mapping[8*page:12*page], content[:4*page]) || !bytes.Equal(mapping[2*page:6*page], content[4*page:]) {
				t.Error("the memory is not what the image holds")
			}
			if !bytes.Equal(mapping[6*page:8*page], make([]byte, 2*page)) {
				t.Error("pages that were not read have changed")
			}
			mapping[8*page] ^= 1
			kept := make([]byte, 8*page)
			if _, err := image.ReadAt(kept, 0); err != nil || !bytes.Equal(kept, content) {
				t.Errorf("a write to the memory changed the image: %v", err)
			}
		})
	}
}

func TestARoomThatTheImageDoesNotHoldIsTakenAnew(t *testing.T) {
	volume := trial.XFS(t, 512)
	content := bytes.Repeat([]byte{7}, 8*page)
	image, memory := open(t, volume, content[:3*page]), open(t, volume, nil)
	trial.Must(t, image.Truncate(8*page))
	trial.Must(t, memory.Truncate(16*page))
	mapping, _ := load(t, image, memory)
	trial.Must(t, memory.Sync())
	var stat unix.Stat_t
	trial.Must(t, unix.Fstat(int(memory.Fd()), &stat))
	if stat.Blocks*512 < 8*page {
		t.Errorf("the memory has %d bytes of room instead of %d", stat.Blocks*512, 8*page)
	}
	if !bytes.Equal(mapping[8*page:11*page], content[:3*page]) || !bytes.Equal(mapping[2*page:6*page], make([]byte, 4*page)) {
		t.Error("the memory is not what the image holds")
	}
}
