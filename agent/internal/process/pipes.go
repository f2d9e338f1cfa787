package process

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// pipes are the ends of a process's standard streams: ours are polled by Go's runtime, theirs are plain descriptors.
type pipes struct {
	stdin, stdout, stderr *os.File
	theirs                [3]uintptr
	toClose               []int
}

// openPipes makes the streams of one process. Without stdin the process reads /dev/null.
func (t *Table) openPipes(withStdin bool) (*pipes, error) {
	p := &pipes{}
	err := p.open(withStdin, &t.null)
	if err != nil {
		p.closeTheirs()
		p.closeOurs()
		return nil, err
	}
	return p, nil
}

func (p *pipes) open(withStdin bool, null *devNull) (err error) {
	if withStdin {
		if p.stdin, err = p.pipe(0, 1, "stdin"); err != nil {
			return err
		}
	} else if p.theirs[0], err = null.descriptor(); err != nil {
		return err
	}
	if p.stdout, err = p.pipe(1, 0, "stdout"); err != nil {
		return err
	}
	p.stderr, err = p.pipe(2, 0, "stderr")
	return err
}

// pipe makes one pipe; ours is its end 0 (reading) or 1 (writing), theirs is the other.
func (p *pipes) pipe(stream, ours int, name string) (*os.File, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	theirs := ends[1-ours]
	p.theirs[stream] = uintptr(theirs)
	p.toClose = append(p.toClose, theirs)
	// Only our end may be non-blocking: programs do not expect that of theirs.
	if err := unix.SetNonblock(ends[ours], true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[ours]), name), nil
}

func (p *pipes) closeTheirs() {
	for _, descriptor := range p.toClose {
		_ = unix.Close(descriptor)
	}
	p.toClose = nil
}

func (p *pipes) closeOurs() {
	for _, file := range []*os.File{p.stdin, p.stdout, p.stderr} {
		if file != nil {
			_ = file.Close()
		}
	}
}

// devNull is opened once: an open is costly inside a sandbox, and most commands need it.
type devNull struct {
	once sync.Once
	file *os.File
	err  error
}

func (d *devNull) descriptor() (uintptr, error) {
	d.once.Do(func() { d.file, d.err = os.OpenFile(os.DevNull, os.O_RDWR, 0) })
	if d.err != nil {
		return 0, d.err
	}
	return d.file.Fd(), nil
}
