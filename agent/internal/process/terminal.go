package process

import (
	"errors"
	"log"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/agent/internal/users"
)

// ErrNoTerminal says that the process was started without a terminal, ErrTerminal that it was started with one.
var (
	ErrNoTerminal = errors.New("the process has no terminal")
	ErrTerminal   = errors.New("the process has a terminal: send input to it, and Ctrl+D (0x04) to end the input")
)

// Size is that of a terminal in characters; zero leaves it to the program.
type Size struct{ Columns, Rows uint32 }

// maxTerminalChunk bounds the data of one event of a terminal (protocol.md §3.4).
const maxTerminalChunk = 16 << 10

// afterHangup is how long a terminal may be silent after its process has ended before it is closed: its leftovers are still to
// be read, but a child that holds it must not keep it for ever.
const afterHangup = 200 * time.Millisecond

// openTerminal makes a terminal that belongs to the user, as a login would.
func (s *streams) openTerminal(size Size, owner users.User) error {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	s.terminal, s.input = ours, ours
	s.outputs = []source{{channel: Terminal, file: ours}}
	var number int
	err = control(ours, func(descriptor int) (err error) {
		if number, err = unix.IoctlGetInt(descriptor, unix.TIOCGPTN); err != nil {
			return os.NewSyscallError("TIOCGPTN", err)
		}
		return os.NewSyscallError("TIOCSPTLCK", unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0))
	})
	if err = errors.Join(err, setSize(ours, size)); err != nil {
		return err
	}
	name := "/dev/pts/" + strconv.Itoa(number)
	theirs, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	s.toClose = []int{theirs}
	s.theirs = [3]uintptr{uintptr(theirs), uintptr(theirs), uintptr(theirs)}
	if err := unix.Fchown(theirs, int(owner.UID), int(owner.GID)); err != nil {
		log.Printf("the terminal %s stays with root: %v", name, err)
	}
	return nil
}

// control calls the kernel about a file without taking it from Go's poller, as github.com/creack/pty does: reads could not
// be ended any more, and each would take a thread.
func control(file *os.File, call func(descriptor int) error) error {
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := connection.Control(func(descriptor uintptr) { failed = call(int(descriptor)) }); err != nil {
		return os.ErrClosed // nothing else makes it fail
	}
	return failed
}

func setSize(terminal *os.File, size Size) error {
	window := &unix.Winsize{Col: uint16(min(size.Columns, math.MaxUint16)), Row: uint16(min(size.Rows, math.MaxUint16))}
	return control(terminal, func(descriptor int) error {
		return os.NewSyscallError("TIOCSWINSZ", unix.IoctlSetWinsize(descriptor, unix.TIOCSWINSZ, window))
	})
}

// Resize gives the terminal another size, of which its foreground processes are told. It returns ErrNoTerminal.
func (p *Process) Resize(size Size) error {
	if p.terminal == nil {
		return ErrNoTerminal
	}
	err := setSize(p.terminal, size)
	if errors.Is(err, os.ErrClosed) {
		return nil // it ends at this moment
	}
	return err
}

// pumpTerminal reads a terminal until nobody holds its other end, or until it is silent after its process has ended.
func (p *Process) pumpTerminal(from *os.File) {
	defer from.Close()
	buffer := make([]byte, maxTerminalChunk)
	for silent := false; ; {
		n, err := from.Read(buffer)
		if n > 0 {
			p.output.append(Terminal, buffer[:n])
			silent = false
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !silent:
			silent = true
			_ = from.SetReadDeadline(time.Now().Add(afterHangup))
		case errors.Is(err, syscall.EINTR), err == nil:
		default:
			return // EIO: everybody has closed it
		}
	}
}
