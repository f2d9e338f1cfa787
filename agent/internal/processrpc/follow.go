package processrpc

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	wire "torpor.dev/agent/proto/process"
)

// deathWait bounds the wait for a killed process.
const deathWait = 500 * time.Millisecond

// follower tells one client about one process: its start, its output, its end.
type follower struct {
	process      *process.Process
	subscription *process.Subscription
	keepalive    time.Duration
	bounded      bool // the request's timeout is the process's
	send         func(*wire.ProcessEvent) error
}

// follow returns when the process is over or the client or its time is gone.
func (f *follower) follow(ctx context.Context) error {
	defer f.subscription.Close()
	if err := f.send(startEvent(f.process.PID())); err != nil {
		return err
	}
	silence := time.NewTimer(f.keepalive)
	defer silence.Stop()
	for over := false; ; {
		if err := f.sendOutput(ctx); err != nil {
			return f.leave(ctx, err)
		}
		if over {
			return f.finish()
		}
		silence.Reset(f.keepalive)
		select {
		case <-f.subscription.Ready():
		case <-f.process.Done():
			over = true // after what it wrote last
		case <-silence.C:
			if err := f.send(keepaliveEvent); err != nil {
				return err
			}
		case <-ctx.Done():
			return f.leave(ctx, ctx.Err())
		}
	}
}

// sendOutput sends what is there already.
func (f *follower) sendOutput(ctx context.Context) error {
	for ctx.Err() == nil {
		chunk, found := f.subscription.Take()
		if !found {
			return nil
		}
		if err := f.send(dataEvent(chunk)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leave gives up on a client that is gone or whose time is over.
func (f *follower) leave(ctx context.Context, err error) error {
	if f.bounded && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f.awaitDeath()
	}
	return rpcerror.Of(err)
}

// awaitDeath lets the client that is told of the timeout find the process gone, as its deadline kills it at this moment. A
// process that has left the group may hold the output for ever, so the wait is short.
func (f *follower) awaitDeath() {
	f.subscription.Close()
	select {
	case <-f.process.Done():
	case <-time.After(deathWait):
	}
}

// finish sends the end, except to the client whose timeout was the end.
func (f *follower) finish() error {
	if f.bounded && f.process.TimedOut() {
		return connect.NewError(connect.CodeDeadlineExceeded, context.DeadlineExceeded)
	}
	return f.send(endEvent(f.process.End()))
}

func startEvent(pid int) *wire.ProcessEvent {
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_Start{Start: &wire.ProcessEvent_StartEvent{Pid: uint32(pid)}}}
}

var keepaliveEvent = &wire.ProcessEvent{Event: &wire.ProcessEvent_Keepalive{Keepalive: &wire.ProcessEvent_KeepAlive{}}}

func dataEvent(chunk process.Chunk) *wire.ProcessEvent {
	data := &wire.ProcessEvent_DataEvent{}
	switch chunk.Channel {
	case process.Stderr:
		data.Output = &wire.ProcessEvent_DataEvent_Stderr{Stderr: chunk.Data}
	case process.Terminal:
		data.Output = &wire.ProcessEvent_DataEvent_Pty{Pty: chunk.Data}
	default:
		data.Output = &wire.ProcessEvent_DataEvent_Stdout{Stdout: chunk.Data}
	}
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_Data{Data: data}}
}

func endEvent(end process.End) *wire.ProcessEvent {
	event := &wire.ProcessEvent_EndEvent{ExitCode: int32(end.ExitCode), Exited: end.Exited, Status: end.Status}
	if end.Failed() {
		failure := end.Failure()
		event.Error = &failure
	}
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_End{End: event}}
}
