package process

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// streams are the ends of a process's standard streams: ours are polled by Go's runtime, theirs are plain descriptors.
type streams struct {
	input    *os.File // nil when the process gets none
	outputs  []source
	terminal *os.File // our end of it, which is input and output too; nil without one
	theirs   [3]uintptr
	toClose  []int
}

// source is one output as we read it.
type source struct {
	channel Channel
	file    *os.File
}

// openStreams makes the streams of one process.
func (t *Table) openStreams(spec Spec) (*streams, error) {
	s := &streams{}
	var err error
	if spec.Terminal != nil {
		err = s.openTerminal(*spec.Terminal, spec.User)
	} else {
		err = s.openPipes(spec.Stdin, &t.null)
	}
	if err != nil {
		s.closeTheirs()
		s.closeOurs()
		return nil, err
	}
	return s, nil
}

// openPipes makes two or three pipes. Without stdin the process reads /dev/null.
func (s *streams) openPipes(withStdin bool, null *devNull) (err error) {
	if withStdin {
		if s.input, err = s.pipe(0, 1, "stdin"); err != nil {
			return err
		}
	} else if s.theirs[0], err = null.descriptor(); err != nil {
		return err
	}
	for channel, name := range map[Channel]string{Stdout: "stdout", Stderr: "stderr"} {
		file, err := s.pipe(1+int(channel), 0, name)
		if err != nil {
			return err
		}
		s.outputs = append(s.outputs, source{channel: channel, file: file})
	}
	return nil
}

// pipe makes one pipe; ours is its end 0 (reading) or 1 (writing), theirs is the other.
func (s *streams) pipe(stream, ours int, name string) (*os.File, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	theirs := ends[1-ours]
	s.theirs[stream] = uintptr(theirs)
	s.toClose = append(s.toClose, theirs)
	// Only our end may be non-blocking: programs do not expect that of theirs.
	if err := unix.SetNonblock(ends[ours], true); err != nil {
		_ = unix.Close(ends[ours])
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[ours]), name), nil
}

func (s *streams) closeTheirs() {
	for _, descriptor := range s.toClose {
		_ = unix.Close(descriptor)
	}
	s.toClose = nil
}

func (s *streams) closeOurs() {
	if s.input != nil {
		_ = s.input.Close()
	}
	for _, output := range s.outputs {
		_ = output.file.Close()
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
