package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestRequestsAreValidated(t *testing.T) {
	good := Start{Target: Target{"a-1"}, Bundle: "/b", OverlayDirectory: "/o", DiskBytes: 1}
	for _, request := range []interface{ Validate() error }{
		good, Boot{Start: good}, Boot{Start: good, Files: "/f"},
		Prefetch{Target: good.Target}, Space{Target: good.Target}, Space{Directory: "/d"}, Compact{Directory: "/d"},
	} {
		if err := request.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	bad := map[string]interface{ Validate() error }{
		"no id":           Target{},
		"capitals":        Target{"A"},
		"slash":           Target{"a/b"},
		"dots":            Target{".."},
		"long id":         Target{strings.Repeat("a", 65)},
		"newline":         Target{"a\n"},
		"relative bundle": Start{Target: good.Target, Bundle: "b", OverlayDirectory: "/o", DiskBytes: 1},
		"bundle up":       Start{Target: good.Target, Bundle: "/a/../b", OverlayDirectory: "/o", DiskBytes: 1},
		"bundle zero":     Start{Target: good.Target, Bundle: "/a\x00", OverlayDirectory: "/o", DiskBytes: 1},
		"no overlay":      Start{Target: good.Target, Bundle: "/b", DiskBytes: 1},
		"overlay comma":   Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o,size=1", DiskBytes: 1},
		"overlay colon":   Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o:x", DiskBytes: 1},
		"no disk":         Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o"},
		"negative disk":   Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o", DiskBytes: -1},
		"relative floor":  Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o", DiskBytes: 1, FloorFile: "f"},
		"reserve":         Start{Target: good.Target, Bundle: "/b", OverlayDirectory: "/o", DiskBytes: 1, FloorFile: "/f", DiskReserveBytes: -1},
		"no image":        Restore{Start: good},
		"relative files":  Boot{Start: good, Files: "f"},
		"boot in restore": Restore{Image: "/i"},
		"no directory":    Capture{Target: good.Target},
		"less than free":  Prefetch{Target: good.Target, KeepFreeBytes: -1},
		"prefetch of all": Prefetch{KeepFreeBytes: 1},
		"space of none":   Space{},
		"space of two":    Space{Target: good.Target, Directory: "/d"},
		"space up":        Space{Directory: "/d/.."},
		"space of a/b":    Space{Target: Target{"a/b"}},
		"compact here":    Compact{Directory: "."},
	}
	for name, request := range bad {
		var failure *Error
		if err := request.Validate(); !errors.As(err, &failure) || failure.Kind != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKindsHaveTheirStatus(t *testing.T) {
	for kind, status := range map[Kind]int{Invalid: 400, NotFound: 404, Conflict: 409, NoSpace: 507, Damaged: 422, TimedOut: 504, Internal: 500, "": http.StatusInternalServerError} {
		if got := kind.Status(); got != status {
			t.Errorf("%s: %d, want %d", kind, got, status)
		}
	}
}

func TestWrapKnowsAFullDisk(t *testing.T) {
	for kind, cause := range map[Kind]error{
		NoSpace:  fmt.Errorf("writing: %w", syscall.ENOSPC),
		Internal: errors.New("something else"),
		Conflict: fmt.Errorf("deep: %w", Errorf(Conflict, "no")),
	} {
		if got := Wrap(cause, "m").Kind; got != kind {
			t.Errorf("%v: %s, want %s", cause, got, kind)
		}
	}
	if got := Wrap(errors.New(`urpc failed: write: disk quota exceeded`), "m").Kind; got != NoSpace {
		t.Errorf("a quota reported as text is %s", got)
	}
}
