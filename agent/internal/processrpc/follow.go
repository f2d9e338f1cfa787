package processrpc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	wire "torpor.dev/agent/proto/process"
)

// usualKeepalive is the silence after which a keep-alive is sent to clients that do not ask for another one.
const usualKeepalive = 90 * time.Second

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
	for {
		var event *wire.ProcessEvent
		select {
		case chunk := <-f.subscription.Output():
			event = dataEvent(chunk)
		case <-silence.C:
			event = &wire.ProcessEvent{Event: &wire.ProcessEvent_Keepalive{Keepalive: &wire.ProcessEvent_KeepAlive{}}}
		case <-f.process.Done():
			return f.finish()
		case <-ctx.Done():
			if f.bounded && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				f.awaitDeath()
			}
			return rpcerror.Of(ctx.Err())
		}
		if err := f.send(event); err != nil {
			return err
		}
		silence.Reset(f.keepalive)
	}
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

// keepalive is the interval a client asks for, in whole seconds.
func keepalive(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Keepalive-Ping-Interval"))
	if err != nil || seconds < 1 || seconds > int(time.Hour/time.Second) {
		return usualKeepalive
	}
	return time.Duration(seconds) * time.Second
}

func startEvent(pid int) *wire.ProcessEvent {
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_Start{Start: &wire.ProcessEvent_StartEvent{Pid: uint32(pid)}}}
}

func dataEvent(chunk process.Chunk) *wire.ProcessEvent {
	data := &wire.ProcessEvent_DataEvent{Output: &wire.ProcessEvent_DataEvent_Stdout{Stdout: chunk.Data}}
	if chunk.Channel == process.Stderr {
		data.Output = &wire.ProcessEvent_DataEvent_Stderr{Stderr: chunk.Data}
	}
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_Data{Data: data}}
}

func endEvent(end process.End) *wire.ProcessEvent {
	event := &wire.ProcessEvent_EndEvent{ExitCode: int32(end.ExitCode), Exited: end.Exited, Status: end.Status}
	if end.Failed() {
		event.Error = &end.Status
	}
	return &wire.ProcessEvent{Event: &wire.ProcessEvent_End{End: event}}
}
