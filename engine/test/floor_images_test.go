package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFloorHoldsAfterARestore(t *testing.T) {
	f := newFloored(t, 512<<20)
	n := f.boot("a", 0)
	sum := n.hear("/fill?megabytes=32")
	if written, reason := n.pour("/x", 256<<20, ""); written != 256<<20 {
		t.Fatalf("%d bytes, %s", written, reason)
	}
	image := f.capture("a", "image")
	f.host.call("destroy", map[string]any{"execution": "a"})
	for name, below := range map[string]int64{"spent": 0, "unspent": 32 << 20} {
		n.prepare()
		f.host.call("restore", with(f.request(name, n, 256<<20+below), "image", image))
		n.hear("/count")
		f.leave(512 << 20)
		n.expectFull(name+" reserve, at the floor", "/x", below)
		f.lay(448 << 20)
		n.expectFull(name+" reserve, lower", "/y", 64<<20-below)
		if n.hear("/sum") != sum {
			t.Errorf("%s: the memory has become another", name)
		}
		f.host.call("destroy", map[string]any{"execution": name})
		f.lay(512 << 20)
	}
}

// TestWhatIsGrantedHasItsRoomAtOnce: a hole that is mapped and read, room that fallocate gives, and zeroes may be written whenever the
// sandbox likes, also when others have taken what was free meanwhile, and also after images.
func TestWhatIsGrantedHasItsRoomAtOnce(t *testing.T) {
	f := newFloored(t, 0)
	n := f.boot("a", 0)
	const each = 128 << 20
	free := f.free()
	f.expectSuccess(n, "/mapped?path=/read&read=only", each)
	f.expectFree("with a hole that was read", free-each)
	f.expectSuccess(n, "/take?path=/allocated&how=fallocate", each)
	f.expectSuccess(n, "/take?path=/zeroes&how=zeroes", each)
	f.settle()
	f.expectFree("with all", free-3*each)
	for _, name := range []string{"b", "c"} {
		image := f.capture("a", name)
		f.settle()
		f.expectFree("beside its image", free-3*each)
		if name == "b" {
			f.host.call("destroy", map[string]any{"execution": "a"})
			n.prepare()
			f.host.call("restore", with(f.request("a", n, 0), "image", image))
			f.host.call("waitRestored", map[string]any{"execution": "a"})
		}
		f.must(os.RemoveAll(image))
		f.settle()
		f.expectFree("from its image", free-3*each)
	}
	f.leave(slack)
	for _, path := range []string{"/read", "/allocated", "/zeroes"} {
		f.expectSuccess(n, "/mapped?path="+path, each)
	}
	n.hear("/count")
}

func (f *floored) expectSuccess(n *network, request string, bytes int64) {
	f.t.Helper()
	if answer := n.hear(fmt.Sprintf("%s&bytes=%d", request, bytes)); !strings.HasPrefix(answer, "<nil>") {
		f.t.Fatalf("%s ends so: %.300s", request, answer)
	}
}

// TestARootWithMoreThanIsLeftGoesOnAtOnce writes while the content of the image streams in, which takes long for one in many pieces: what
// has no block yet must not be taken for what will need one.
func TestARootWithMoreThanIsLeftGoesOnAtOnce(t *testing.T) {
	f := newFloored(t, 512<<20)
	n := f.boot("a", 0)
	if written, reason := n.pour("/x", 300<<20, "&block=4096&writers=2"); written != 300<<20 {
		t.Fatalf("%d bytes, %s", written, reason)
	}
	n.hear("/cut?path=/x-0")
	image := f.capture("a", "image")
	f.leave(512<<20 + 40<<20)
	other := f.newNetwork()
	f.host.call("restore", with(f.request("b", other, 0), "image", image))
	if written, reason := other.pour("/y", 4<<20, ""); written != 4<<20 {
		t.Errorf("%d bytes, %s", written, reason)
	}
}

// TestFilesAreBootedBelowTheFloor: what an image of files brings along was the root's before.
func TestFilesAreBootedBelowTheFloor(t *testing.T) {
	f := newFloored(t, 0)
	f.lower()
	n := f.boot("a", 0)
	n.hear("/zoo")
	n.hear("/write?path=/kept&bytes=5000000")
	files := f.host.captureFiles("a", "files")
	f.host.call("destroy", map[string]any{"execution": "a"})
	f.lay(1 << 40)
	n.prepare()
	f.host.call("boot", with(f.request("b", n, 0), "files", files))
	if kept := n.hear("/read?path=/kept"); len(kept) != 5_000_000 {
		t.Errorf("%d bytes come back", len(kept))
	}
	n.expectFull("below the floor", "/more", 0)
}

func TestAFloorThatCannotBeReadIsNone(t *testing.T) {
	f := newFloored(t, 0)
	n := f.newNetwork()
	for name, value := range map[string]any{"floorFile": f.path("nowhere"), "diskReserveBytes": -1} {
		f.host.refused("invalid", "boot", with(f.request("a", n, 0), name, value))
	}
	f.host.refused("invalid", "boot", with(f.request("a", n, 0), "floorFile", f.volume))
	f.expectNothingLeft("a floor file that is not there")
	f.host.call("boot", f.request("a", n, 0))
	for _, content := range []string{"", "99999999999999999999\n", "no number\n"} {
		f.must(os.WriteFile(f.file, []byte(content), 0o644))
		if written, reason := n.pour("/x", 16<<20, ""); written != 16<<20 {
			t.Errorf("%q: %d bytes, %s", content, written, reason)
		}
	}
	warnings, err := os.ReadFile(f.path("logs", "a", "fatal.log"))
	f.must(err)
	if strings.Count(string(warnings), "floor") == 0 || strings.Count(string(warnings), `"level"`) != 1 {
		t.Errorf("the log says %q", warnings)
	}
	f.must(os.WriteFile(f.file, nil, 0o644))
	f.lay(1 << 40)
	n.expectFull("a good one again", "/y", 0)
}

// TestWithoutAFloorNothingEndsEarly has the root on a file system of another kind, and then one without a floor on the volume.
func TestWithoutAFloorNothingEndsEarly(t *testing.T) {
	f := newFloored(t, 1<<40)
	n := f.newNetwork()
	elsewhere := f.sharing.request("a", n, false)
	f.host.call("boot", elsewhere)
	if written, reason := n.pour("/x", 16<<20, ""); written != 16<<20 {
		t.Errorf("elsewhere: %d bytes, %s", written, reason)
	}
	other := f.newNetwork()
	request := f.request("b", other, 0)
	delete(request, "floorFile")
	f.host.call("boot", request)
	if written, reason := other.pour("/x", 16<<20, ""); written != 16<<20 {
		t.Errorf("without a floor: %d bytes, %s", written, reason)
	}
}

// TestACaptureOnAFullVolumeHarmsNothing: the sandbox has its memory on that volume, and goes on when there is room again.
func TestACaptureOnAFullVolumeHarmsNothing(t *testing.T) {
	f := newFloored(t, 512<<20)
	n := f.boot("a", 0)
	sum := n.hear("/fill?megabytes=128")
	target := map[string]any{"execution": "a"}
	f.host.call("freeze", target)
	for _, direct := range []bool{false, true} {
		image := f.volume + "/image"
		f.must(os.Mkdir(image, 0o700))
		f.fill()
		f.host.refused("no_space", "capture", map[string]any{"execution": "a", "directory": image, "direct": direct})
		f.host.expect("a", "frozen")
		f.must(os.RemoveAll(image))
		f.leave(512 << 20)
	}
	image := f.volume + "/good"
	f.must(os.Mkdir(image, 0o700))
	f.host.call("capture", map[string]any{"execution": "a", "directory": image, "direct": true})
	f.host.call("thaw", target)
	other := f.restored("b", image, true)
	if n.hear("/sum") != sum || other.hear("/sum") != sum {
		t.Error("the memory has become another")
	}
}

// fill takes all of the volume that can be had.
func (f *floored) fill() {
	f.t.Helper()
	f.run("sync", "-f", f.volume)
	file, err := os.OpenFile(f.volume+"/others", os.O_WRONLY|os.O_CREATE, 0o600)
	f.must(err)
	defer file.Close()
	end, err := file.Seek(0, 2)
	f.must(err)
	for piece := int64(1 << 30); piece >= 4096; {
		if err := unix.Fallocate(int(file.Fd()), 0, end, piece); err != nil {
			piece /= 2
			continue
		}
		end += piece
	}
}
