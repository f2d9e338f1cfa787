package runtime

import (
	"testing"
	"time"
)

func TestMemoryInFilesIsLookedAtBeforeItCanBeTooMuch(t *testing.T) {
	for _, c := range []struct {
		room int64
		took time.Duration
		want time.Duration
	}{
		{room: 64 << 40, want: longestLook},
		{room: 1 << 30, want: longestLook},
		{room: 512 << 20, want: 250 * time.Millisecond},
		{room: 1 << 20, want: shortestLook},
		{room: -1 << 30, want: shortestLook},
		{room: 1 << 20, took: 40 * time.Millisecond, want: 200 * time.Millisecond},
	} {
		guard := &memoryGuard{took: c.took}
		if got := guard.pause(c.room, fastestGrowth); got < c.want-time.Millisecond || got > c.want {
			t.Errorf("%d bytes away, after a look of %v: %v, want %v", c.room, c.took, got, c.want)
		}
	}
}

func TestLongPausesEndTogetherAndNeverLater(t *testing.T) {
	now := time.Unix(1_700_000_000, int64(123*time.Millisecond))
	for pause, want := range map[time.Duration]time.Duration{
		20 * time.Millisecond:  20 * time.Millisecond,
		99 * time.Millisecond:  99 * time.Millisecond,
		100 * time.Millisecond: 77 * time.Millisecond,
		226 * time.Millisecond: 177 * time.Millisecond,
		227 * time.Millisecond: 227 * time.Millisecond,
		500 * time.Millisecond: 477 * time.Millisecond,
	} {
		if got := together(now, pause); got != want {
			t.Errorf("%v became %v, want %v", pause, got, want)
		}
	}
}
