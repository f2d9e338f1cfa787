package test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slack is what a sandbox's memory and the file system's own records take beside the root, and what one look is good for.
const slack = 16 << 20

// floored is a volume whose sandboxes have a floor.
type floored struct {
	*sharing
	file string
}

func newFloored(t *testing.T, floor int64) *floored {
	w := newWorld(t)
	f := &floored{sharing: &sharing{world: w, volume: w.volumeOf(2 << 30)}, file: w.path("floor")}
	w.must(os.WriteFile(f.file, nil, 0o644))
	f.lay(floor)
	f.host = w.start()
	return f
}

// lay writes the floor in place, as the server does.
func (f *floored) lay(bytes int64) {
	f.t.Helper()
	file, err := os.OpenFile(f.file, os.O_WRONLY, 0)
	f.must(err)
	defer file.Close()
	_, err = file.WriteAt(fmt.Appendf(nil, "%020d\n", bytes), 0)
	f.must(err)
}

func (f *floored) free() int64 {
	f.t.Helper()
	var stat unix.Statfs_t
	f.must(unix.Statfs(f.volume, &stat))
	return int64(stat.Bavail) * stat.Bsize
}

// leave takes so much of the volume that so many bytes are free.
func (f *floored) leave(bytes int64) {
	f.t.Helper()
	path := f.volume + "/others"
	_ = os.Remove(path)
	f.settle()
	file, err := os.Create(path)
	f.must(err)
	defer file.Close()
	f.must(unix.Fallocate(int(file.Fd()), 0, 0, f.free()-bytes))
}

// settle waits until the file system has given back what was deleted.
func (f *floored) settle() {
	f.t.Helper()
	f.run("sync", "-f", f.volume)
	before := int64(-1)
	for deadline := time.Now().Add(60 * time.Second); f.free() != before; time.Sleep(50 * time.Millisecond) {
		if before = f.free(); time.Now().After(deadline) {
			f.t.Fatal("the volume does not come to rest")
		}
	}
}

// request is one whose memory and root are on the volume, above the floor.
func (f *floored) request(execution string, n *network, reserve int64) map[string]any {
	request := with(f.sharing.request(execution, n, true), "floorFile", f.file)
	overlay := f.volume + "/root-of-" + execution
	f.must(os.MkdirAll(overlay, 0o755))
	request["overlayDirectory"], request["diskReserveBytes"], request["diskBytes"] = overlay, reserve, int64(20<<30)
	return request
}

func (f *floored) boot(execution string, reserve int64) *network {
	f.t.Helper()
	n := f.newNetwork()
	f.host.call("boot", f.request(execution, n, reserve))
	n.hear("/count")
	return n
}

// pour writes to a file and tells how many bytes, and the reason for no more.
func (n *network) pour(path string, bytes int64, options string) (written int64, reason string) {
	n.w.t.Helper()
	answer := n.hear(fmt.Sprintf("/pour?path=%s&bytes=%d%s", path, bytes, options))
	count, reason, _ := strings.Cut(answer, " ")
	written, err := strconv.ParseInt(count, 10, 64)
	n.w.must(err)
	return written, reason
}

// expectFull demands that the root takes so many bytes, more or less, and then says that the disk is full.
func (n *network) expectFull(when, path string, want int64) {
	n.w.t.Helper()
	written, reason := n.pour(path, 1<<31, "")
	if !strings.Contains(reason, "no space left on device") || written < want-slack || written > want+slack {
		n.w.t.Errorf("%s: %d bytes are written instead of %d, and then: %s", when, written, want, reason)
	}
}

// expectFree demands that so many bytes of the volume are left, more or less.
func (f *floored) expectFree(when string, want int64) {
	f.t.Helper()
	if got := f.free(); got < want-slack || got > want+slack {
		f.t.Errorf("%s: %d bytes are free instead of %d", when, got, want)
	}
}

func TestARootStopsAtTheFloorAndMemoryGoesOn(t *testing.T) {
	f := newFloored(t, 512<<20)
	exits := f.host.events()
	a, b := f.boot("a", 0), f.boot("b", 0)
	sum := a.hear("/fill?megabytes=64")
	f.leave(640 << 20)
	if left, err := strconv.ParseInt(a.hear("/left?path=/"), 10, 64); err != nil || left < 128<<20-slack || left > 128<<20 {
		t.Errorf("inside, %d bytes seem to be left (%v)", left, err)
	}
	a.expectFull("above the floor", "/large", 128<<20)
	f.expectFree("at the floor", 512<<20)
	if left := a.hear("/left?path=/"); left != "0" {
		t.Errorf("at the floor, %s bytes seem to be left", left)
	}
	for _, path := range []string{"/tmp/x", "/dev/shm/x"} {
		if written, reason := a.pour(path, 16<<20, ""); written != 16<<20 {
			t.Errorf("%s is no part of the root, but: %s", path, reason)
		}
	}
	b.hear("/fill?megabytes=256")
	if free := f.free(); free > 256<<20+slack {
		t.Errorf("%d bytes are free, so the other's memory does not lie on the volume", free)
	}
	if a.hear("/sum") != sum {
		t.Error("the memory has become another")
	}
	expectSilence(t, exits, 0)
}

func TestAFloorThatIsMovedCountsAtOnce(t *testing.T) {
	f := newFloored(t, 512<<20)
	n := f.boot("a", 0)
	f.leave(512 << 20)
	n.expectFull("at the floor", "/x", 0)
	f.lay(384 << 20)
	n.expectFull("lower", "/x", 128<<20)
	f.lay(448 << 20)
	n.expectFull("raised above what is free", "/x", 0)
	n.hear("/cut?path=/x-0&bytes=0")
	f.awaitFree(512 << 20)
	n.expectFull("truncated", "/x", 64<<20)
	n.hear("/cut?path=/x-0")
	f.awaitFree(512 << 20)
	n.expectFull("deleted", "/y", 64<<20)
	f.lay(0)
	if written, reason := n.pour("/z", 100<<20, ""); written != 100<<20 {
		t.Errorf("without a floor: %d bytes, %s", written, reason)
	}
}

// awaitFree waits for what the runtime and the file system give back in their own time.
func (f *floored) awaitFree(bytes int64) {
	f.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); f.free() < bytes-slack; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%d bytes are free instead of %d", f.free(), bytes)
		}
	}
}

func TestAReserveIsTheRootsBelowTheFloor(t *testing.T) {
	f := newFloored(t, 1<<40)
	n := f.boot("a", 64<<20)
	n.expectFull("a reserve", "/x", 64<<20)
	n.hear("/cut?path=/x-0")
	if written, reason := n.pour("/y", 60<<20, "&writers=4"); written != 60<<20 {
		t.Errorf("again: %d bytes, %s", written, reason)
	}
}

// TestWritersAtTheSameTimeShareWhatIsLeft has each of them ask for all of it at once: none has a block yet when the others ask.
func TestWritersAtTheSameTimeShareWhatIsLeft(t *testing.T) {
	f := newFloored(t, 512<<20)
	n := f.boot("a", 0)
	const block, room = 128 << 20, 192 << 20
	f.leave(512<<20 + block + room)
	written, reason := n.pour("/x", 8*block, fmt.Sprintf("&writers=8&block=%d", block))
	if !strings.Contains(reason, "no space left on device") || written > room+slack {
		t.Errorf("%d bytes are written, %s", written, reason)
	}
	f.expectFree("at the floor", 512<<20)
}

func TestMappedHolesEndAtTheFloor(t *testing.T) {
	f := newFloored(t, 512<<20)
	exits := f.host.events()
	n := f.boot("a", 0)
	f.leave(512<<20 + 96<<20)
	for _, read := range []string{"", "first"} {
		answer := n.hear(fmt.Sprintf("/mapped?path=/hole&bytes=%d&read=%s", 256<<20, read))
		if !strings.Contains(answer, "SIGBUS") {
			t.Errorf("the process that maps a hole ends so: %s", answer)
		}
		if free := f.free(); free < 512<<20-slack {
			t.Errorf("%d bytes are left", free)
		}
		n.hear("/cut?path=/hole")
		f.awaitFree(512<<20 + 96<<20 - slack)
	}
	if answer := n.hear(fmt.Sprintf("/mapped?path=/hole&bytes=%d&read=first", 32<<20)); !strings.HasPrefix(answer, "<nil>") {
		t.Errorf("a hole for which there is room: %s", answer)
	}
	if got := n.hear("/count"); got != "2" {
		t.Errorf("count = %s", got)
	}
	expectSilence(t, exits, 0)
}
