package floor

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestRoomEndsAtTheFloorOrTheReserve(t *testing.T) {
	for name, each := range map[string]struct {
		disk          disk
		used, reserve uint64
		want          uint64
	}{
		"plenty":                       {disk{free: 100, floor: 30}, 0, 0, 70},
		"at the floor":                 {disk{free: 30, floor: 30, blocks: 50}, 50, 0, 0},
		"below the floor":              {disk{free: 10, floor: 30, blocks: 50}, 50, 0, 0},
		"no floor":                     {disk{free: 100, blocks: 50}, 50, 0, 100},
		"a reserve at the floor":       {disk{free: 30, floor: 30}, 5, 20, 15},
		"a reserve with plenty":        {disk{free: 100, floor: 30}, 5, 20, 70},
		"a reserve that is used up":    {disk{free: 30, floor: 30, blocks: 20}, 20, 20, 0},
		"pages without blocks":         {disk{free: 100, floor: 30, blocks: 10}, 50, 0, 30},
		"more of them than room":       {disk{free: 100, floor: 30}, 80, 0, 0},
		"of them, some in the reserve": {disk{free: 100, floor: 30}, 50, 40, 60},
		"blocks that are being freed":  {disk{free: 30, floor: 30, blocks: 90}, 50, 0, 0},
	} {
		if got := each.disk.room(each.used, each.reserve); got != each.want {
			t.Errorf("%s: %d, want %d", name, got, each.want)
		}
	}
}

// watched is a gate of which a test moves the clock and changes the disk.
type watched struct {
	gate
	disk  disk
	time  time.Time
	looks int
}

func newWatched(seen disk, reserve uint64) *watched {
	w := &watched{disk: seen, time: time.Unix(1, 0)}
	w.reserve = reserve
	w.now = func() time.Time { return w.time }
	w.look = func(int) disk { w.looks++; return w.disk }
	return w
}

func (w *watched) expect(t *testing.T, used, more, granted uint64, looks int) {
	t.Helper()
	if got := w.grant(0, used, more); got != granted || w.looks != looks {
		t.Errorf("%d of %d bytes are granted after %d looks, want %d after %d", got, more, w.looks, granted, looks)
	}
}

func TestALookIsGoodForAWhile(t *testing.T) {
	w := newWatched(disk{free: 10 << 30}, 0)
	w.expect(t, 0, 1<<20, 1<<20, 1)
	for range 4 {
		w.expect(t, 0, 1<<20, 1<<20, 1)
	}
	w.expect(t, 0, 1<<20, 1<<20, 2)
	w.time = w.time.Add(recent - 1)
	w.expect(t, 0, 4096, 4096, 2)
	w.time = w.time.Add(1)
	w.expect(t, 0, 4096, 4096, 3)
}

func TestNearTheFloorEachAnswerIsNew(t *testing.T) {
	w := newWatched(disk{free: near + 4096, floor: 4096}, 0)
	w.expect(t, 0, 4096, 4096, 1)
	w.expect(t, 0, 4096, 4096, 2)
	w.disk.floor = near
	w.expect(t, 0, 8192, 4096, 3)
	w.expect(t, 0, 4096, 4096, 4)
	w.disk.floor = near + 4096
	w.expect(t, 0, 4096, 0, 5)
}

func TestARaisedFloorCountsSoon(t *testing.T) {
	w := newWatched(disk{free: 10 << 30}, 0)
	w.expect(t, 0, 4096, 4096, 1)
	w.disk.floor = 10 << 30
	w.expect(t, 0, 4096, 4096, 1)
	w.time = w.time.Add(recent)
	w.expect(t, 0, 4096, 0, 2)
}

func TestAReserveNeedsNoLook(t *testing.T) {
	w := newWatched(disk{floor: 1}, 8192)
	w.expect(t, 0, 8192, 8192, 0)
	w.expect(t, 4096, 8192, 4096, 1)
	w.expect(t, 8192, 4096, 0, 2)
}

func TestOnlyAWholeNumberIsAFloor(t *testing.T) {
	for text, want := range map[string]uint64{
		"00000000000000000000\n": 0,
		"00000000000536870912\n": 512 << 20,
		"18446744073709551615\n": 1<<64 - 1,
	} {
		if got, err := parse(text); got != want || err != nil {
			t.Errorf("%q: %d %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0\n", "000000000005368709120", "-0000000000536870912\n", "+0000000000536870912\n", "0x000000000000000010\n", "18446744073709551616\n", strings.Repeat(" ", 20) + "\n"} {
		if got, err := parse(text); got != 0 || err == nil {
			t.Errorf("%q: %d %v", text, got, err)
		}
	}
}

func TestWhatCannotBeReadRefusesNothingAndWarns(t *testing.T) {
	root, err := os.Create(t.TempDir() + "/root")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	warnings := 0
	warn := func(error) { warnings++ }
	if seen := look(int(root.Fd()), int(root.Fd()), warn); seen.floor != 0 || seen.free == 0 || warnings != 1 {
		t.Errorf("an empty floor file: %+v, %d warnings", seen, warnings)
	}
	if seen := look(-1, int(root.Fd()), warn); seen.floor != 0 || seen.free == 0 || warnings != 2 {
		t.Errorf("no floor file: %+v, %d warnings", seen, warnings)
	}
	if seen := look(int(root.Fd()), -1, warn); seen.room(1<<40, 0) < 1<<40 || warnings != 3 {
		t.Errorf("no root: %+v, %d warnings", seen, warnings)
	}
}
