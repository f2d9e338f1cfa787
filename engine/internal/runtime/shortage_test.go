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
		if got := guard.pause(c.room); got < c.want-time.Millisecond || got > c.want {
			t.Errorf("%d bytes away, after a look of %v: %v, want %v", c.room, c.took, got, c.want)
		}
	}
}
