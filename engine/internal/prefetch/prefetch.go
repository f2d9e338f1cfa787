// Package prefetch reads files into the machine's memory before anybody asks for them.
package prefetch

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/extents"
)

const (
	// piece is what one request asks for: the kernel cuts larger ones at the disk's limit without a word.
	piece = 256 << 10
	// inTurn is how many requests are on their way at most, 4 MiB: who needs a page at once waits behind no more than that.
	inTurn = 16
)

// errUnwanted ends a walk that nobody wants any more.
var errUnwanted = errors.New("unwanted")

// Read brings the data of the file, not its holes, into the page cache, as long as wanted says so. It gives the bytes that were not there.
//
// Pages must come in one by one. An ordinary read takes large folios, of which one written word makes every page dirty: afterwards,
// 735 MiB were written to the disk for 10 MiB of random pages of 1 GiB, instead of 10. POSIX_FADV_WILLNEED does so, but does not wait:
// the end of each piece is read before the queue gets long. It takes 0.6 s for 1 GiB; reads without read-ahead, the other way to single
// pages, wait by themselves, but take 1.2 s and twice the time of the processor.
func Read(file *os.File, wanted func() bool) (int64, error) {
	own, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return 0, err
	}
	defer own.Close()
	// What is read to wait for a piece must not be taken for the beginning of more.
	if err := unix.Fadvise(int(own.Fd()), 0, 0, unix.FADV_RANDOM); err != nil {
		return 0, err
	}
	r := reader{file: own, buffer: make([]byte, piece)}
	err = extents.Data(own, func(from, to int64) error {
		for at := from; at < to; at += piece {
			if !wanted() {
				return errUnwanted
			}
			if err := r.bring(at, min(at+piece, to)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = r.await(0)
	}
	if errors.Is(err, errUnwanted) {
		err = nil
	}
	return r.bytes, err
}

type reader struct {
	file   *os.File
	buffer []byte
	// underWay are the last bytes of the pieces that were asked for.
	underWay []int64
	bytes    int64
}

// bring asks for a piece that is not there. One that is there in part is read at once: its last byte would not tell when the rest is there.
func (r *reader) bring(from, to int64) error {
	missing := missingBytes(r.file, from, to)
	r.bytes += missing
	switch {
	case missing == 0:
		return nil
	case missing < to-from:
		return r.read(r.buffer[:to-from], from)
	}
	if err := unix.Fadvise(int(r.file.Fd()), from, to-from, unix.FADV_WILLNEED); err != nil {
		return err
	}
	r.underWay = append(r.underWay, to-1)
	return r.await(inTurn - 1)
}

// await waits until no more pieces are on their way.
func (r *reader) await(most int) error {
	for ; len(r.underWay) > most; r.underWay = r.underWay[1:] {
		if err := r.read(r.buffer[:1], r.underWay[0]); err != nil {
			return err
		}
	}
	return nil
}

// read may meet the end of a file that became shorter.
func (r *reader) read(into []byte, offset int64) error {
	if _, err := r.file.ReadAt(into, offset); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
