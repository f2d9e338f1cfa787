package process

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// maxChunk bounds the data of one event (protocol.md §3.4).
const maxChunk = 32 << 10

// Process is one started process. It is over when it is reaped and its outputs are closed, by itself and by all that
// inherited them. It is safe for concurrent use.
type Process struct {
	spec     Spec
	pid      int
	reaper   *Reaper
	output   fanout
	stdin    *stdin // nil when none was asked for
	timedOut atomic.Bool
	done     chan struct{}
	end      End // valid once done is closed
}

// PID is the process id as the sandbox sees it.
func (p *Process) PID() int { return p.pid }

// Spec is what the process was started with.
func (p *Process) Spec() Spec { return p.spec }

// Subscribe receives the output from now on. The caller closes the subscription.
func (p *Process) Subscribe() *Subscription { return p.output.subscribe() }

// Done is closed when the process is over; every subscriber has been handed all output by then.
func (p *Process) Done() <-chan struct{} { return p.done }

// End is how the process ended; to be asked after Done.
func (p *Process) End() End { return p.end }

// TimedOut reports whether the deadline of its Spec ended the process.
func (p *Process) TimedOut() bool { return p.timedOut.Load() }

// Signal sends a signal to the process and everything in its group. A group that is gone already is no error.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.reaper.signalGroup(p.pid, sig); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// WriteStdin writes all data, waiting while the pipe is full until the context ends. It returns ErrNoStdin when stdin was
// not asked for or is closed.
func (p *Process) WriteStdin(ctx context.Context, data []byte) error {
	if p.stdin == nil {
		return ErrNoStdin
	}
	return p.stdin.write(ctx, data)
}

// CloseStdin lets the process read the end of its input. Closing twice is no error.
func (p *Process) CloseStdin() error {
	if p.stdin == nil {
		return ErrNoStdin
	}
	p.stdin.close()
	return nil
}

// attend reads the outputs to their end, then notes how the process ended and runs over.
func (p *Process) attend(stdout, stderr *os.File, exited <-chan syscall.WaitStatus, over func()) {
	var pumps sync.WaitGroup
	pumps.Go(func() { p.pump(Stdout, stdout) })
	pumps.Go(func() { p.pump(Stderr, stderr) })
	p.end = endOf(<-exited)
	pumps.Wait()
	if p.stdin != nil {
		p.stdin.close()
	}
	over()
	close(p.done)
}

func (p *Process) pump(channel Channel, from *os.File) {
	defer from.Close()
	buffer := make([]byte, maxChunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.output.publish(channel, buffer[:n])
		}
		if err != nil {
			if err != io.EOF {
				// The writer must not wait for a reader that has given up.
				_, _ = io.Copy(io.Discard, from)
			}
			return
		}
	}
}
