package process

import (
	"context"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxChunk bounds the data of one event (protocol.md §3.4).
const maxChunk = 32 << 10

// Process is one started process. It is over when it is reaped and its outputs are closed, by itself and by all that
// inherited them. It is safe for concurrent use.
type Process struct {
	spec     Spec
	pid      int
	reaper   *Reaper
	output   *output
	stdin    *stdin   // nil when none was asked for
	terminal *os.File // nil when none was asked for
	timedOut atomic.Bool
	starved  atomic.Int64 // when it, or a process of its session, was killed for its memory: unix nanoseconds
	started  time.Time
	done     chan struct{}
	end      End // valid once done is closed
}

// PID is the process id as the sandbox sees it.
func (p *Process) PID() int { return p.pid }

// Spec is what the process was started with.
func (p *Process) Spec() Spec { return p.spec }

// The offsets from which output can be asked for, besides the number of bytes that came before.
const (
	FromStart int64 = 0
	FromNow   int64 = math.MaxInt64
)

// Subscribe receives the output from an offset on, as far as it is kept. The caller closes the subscription.
func (p *Process) Subscribe(offset int64) *Subscription { return p.output.subscribe(offset) }

// Done is closed when the process is over: what subscribers have not taken by then is all that is left for them.
func (p *Process) Done() <-chan struct{} { return p.done }

// End is how the process ended; to be asked after Done.
func (p *Process) End() End { return p.end }

// TimedOut reports whether the deadline of its Spec ended the process.
func (p *Process) TimedOut() bool { return p.timedOut.Load() }

// Signal sends a signal to the process and everything in its group. SIGKILL reaches the other groups of its session too:
// the jobs of a shell with job control. A group that is gone already is no error.
func (p *Process) Signal(sig syscall.Signal) error {
	if sig == syscall.SIGKILL {
		p.reaper.killSession(p.pid)
	}
	if err := p.reaper.signalGroup(p.pid, sig); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// WriteStdin writes all data, waiting while the pipe is full until the context ends. It returns ErrNoStdin when stdin was
// not asked for or is closed.
func (p *Process) WriteStdin(ctx context.Context, data []byte) error {
	if p.terminal != nil {
		return ErrTerminal
	}
	return p.input(ctx, data)
}

// WriteTerminal types into the terminal, waiting like WriteStdin. It returns ErrNoTerminal.
func (p *Process) WriteTerminal(ctx context.Context, data []byte) error {
	if p.terminal == nil {
		return ErrNoTerminal
	}
	return p.input(ctx, data)
}

func (p *Process) input(ctx context.Context, data []byte) error {
	if p.stdin == nil {
		return ErrNoStdin
	}
	return p.stdin.write(ctx, data)
}

// CloseStdin lets the process read the end of its input. Closing twice is no error. It returns
// ErrTerminal for a terminal, which has no end of input.
func (p *Process) CloseStdin() error {
	if p.terminal != nil {
		return ErrTerminal
	}
	if p.stdin == nil {
		return ErrNoStdin
	}
	p.stdin.close()
	return nil
}

// attend reads the outputs to their end, then notes how the process ended and runs over.
func (p *Process) attend(sources []source, exited <-chan syscall.WaitStatus, over func()) {
	var pumps sync.WaitGroup
	for _, from := range sources {
		if from.channel == Terminal {
			pumps.Go(func() { p.pumpTerminal(from.file) })
		} else {
			pumps.Go(func() { p.pump(from) })
		}
	}
	p.end = endOf(<-exited)
	if killed := p.starved.Load(); killed != 0 && time.Since(time.Unix(0, killed)) < blameTime {
		p.end.Reason = outOfMemory
	}
	if p.terminal != nil {
		_ = p.terminal.SetReadDeadline(time.Now().Add(afterHangup))
	}
	pumps.Wait()
	if p.stdin != nil {
		p.stdin.close()
	}
	over()
	close(p.done)
}

func (p *Process) pump(from source) {
	defer from.file.Close()
	buffer := make([]byte, maxChunk)
	for {
		n, err := from.file.Read(buffer)
		if n > 0 {
			p.output.append(from.channel, buffer[:n])
		}
		if err != nil {
			if err != io.EOF {
				// The writer must not wait for a reader that has given up.
				_, _ = io.Copy(io.Discard, from.file)
			}
			return
		}
	}
}
