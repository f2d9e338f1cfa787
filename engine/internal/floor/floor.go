// Package floor keeps the root of a sandbox from taking the last of a disk on which others have been promised room: new pages beyond it
// are refused as ENOSPC, to the program that asks.
package floor

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/sentry/fsimpl/tmpfs"
	"gvisor.dev/gvisor/pkg/sentry/pgalloc"
	"gvisor.dev/gvisor/runsc/boot"
	"gvisor.dev/gvisor/runsc/cmd/util"
)

func init() {
	boot.TakeFloor = func(file int, reserveBytes uint64) {
		g := &gate{reserve: reserveBytes, now: time.Now}
		var once sync.Once
		warn := func(err error) { once.Do(func() { util.Errorf("the disk's floor is not kept: %v", err) }) }
		g.look = func(root int) disk { return look(file, root, warn) }
		tmpfs.RoomOnDisk = g.grant
		pgalloc.KeepDiskPages = true
	}
}

// look sees the disk that the root's file is on. What cannot be read refuses nothing, and warns.
func look(floor, root int, warn func(error)) disk {
	var system unix.Statfs_t
	var file unix.Stat_t
	if err := unix.Fstatfs(root, &system); err != nil {
		warn(fmt.Errorf("asking for the disk's free room: %w", err))
		return disk{free: 1 << 62}
	}
	if err := unix.Fstat(root, &file); err != nil {
		warn(fmt.Errorf("asking for the root's blocks: %w", err))
		return disk{free: 1 << 62}
	}
	bytes, err := read(floor)
	if err != nil {
		warn(err)
	}
	return disk{free: system.Bavail * uint64(system.Bsize), floor: bytes, blocks: uint64(file.Blocks) * 512}
}

// length is that of the file: an unsigned decimal number of bytes with leading zeroes, and a newline.
const length = 21

// read gives the number, and 0 where there is none.
func read(file int) (uint64, error) {
	var text [length]byte
	count, err := unix.Pread(file, text[:], 0)
	if err != nil {
		return 0, fmt.Errorf("reading the floor file: %w", err)
	}
	return parse(string(text[:count]))
}

func parse(text string) (uint64, error) {
	if len(text) != length || text[length-1] != '\n' {
		return 0, fmt.Errorf("the floor file begins with %q instead of %d digits and a newline", text, length-1)
	}
	bytes, err := strconv.ParseUint(text[:length-1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the floor file: %w", err)
	}
	return bytes, nil
}
