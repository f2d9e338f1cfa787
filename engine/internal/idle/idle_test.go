package idle

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func priority(t *testing.T) uintptr {
	t.Helper()
	value, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, whoThread, thisThread, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return value
}

func TestOnlyTheWorkItselfIsIdle(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := priority(t)
	failure := errors.New("of the work")
	inside, err := Run(func() (uintptr, error) { return priority(t), failure })
	if inside != idleClass || !errors.Is(err, failure) {
		t.Errorf("inside %#x, %v", inside, err)
	}
	if after := priority(t); after != before {
		t.Errorf("afterwards %#x, before %#x", after, before)
	}
}

func TestABugInTheWorkIsAnError(t *testing.T) {
	if _, err := Run(func() (int, error) { panic("a bug") }); err == nil {
		t.Error("no error")
	}
}
