package runtime

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"torpor.dev/engine/internal/protocol"
)

// turn is a lock that is not waited for without end.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) bool {
	select {
	case t <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t turn) give() { <-t }

// patience decides how long a method may take, its turn included: until the context ends.
type patience func() (context.Context, context.CancelFunc)

func within(limit time.Duration) patience {
	return func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), limit)
	}
}

// whileGrowing is patient as long as files in the directory grow at least every so often: an image may be of any size, and
// any disk slow.
func whileGrowing(directory string, stall time.Duration) patience {
	return func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			defer cancel()
			var last int64
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(stall):
				}
				// A file that is renamed just now is seen the next time.
				now, _ := sizeOf(directory)
				if now == last {
					return
				}
				last = now
			}
		}()
		return ctx, cancel
	}
}

type outcome[Reply any] struct {
	reply Reply
	err   error
}

// with runs a method on a living execution, when its turn has come. When patience ends first, the call fails and the method goes
// on: the sandbox does not answer, and whatever it still does is seen in its status. Only destroy helps against that.
func with[Reply any](h *Host, id string, p patience, method func(*execution) (Reply, error)) (Reply, error) {
	var none Reply
	e, ok := h.find(id)
	if !ok {
		return none, protocol.Errorf(protocol.NotFound, "There is no such execution.")
	}
	ctx, cancel := p()
	defer cancel()
	if !e.turn.take(ctx) {
		return none, protocol.Errorf(protocol.TimedOut, "An earlier method of the execution does not end.")
	}
	done := make(chan outcome[Reply], 1)
	go func() {
		defer e.turn.give()
		done <- attempt(e, method)
	}()
	select {
	case result := <-done:
		return result.reply, result.err
	case <-ctx.Done():
		return none, protocol.Errorf(protocol.TimedOut, "The execution does not answer.")
	}
}

// attempt runs the method in a state that allows one. A bug in it must not take the host down.
func attempt[Reply any](e *execution, method func(*execution) (Reply, error)) (result outcome[Reply]) {
	defer func() {
		if cause := recover(); cause != nil {
			failure := protocol.Errorf(protocol.Internal, "The method ran into a bug.")
			failure.Detail = slog.AnyValue(cause).String() + "\n" + string(debug.Stack())
			result.err = failure
		}
	}()
	if e.ending.Load() {
		result.err = protocol.Errorf(protocol.NotFound, "The execution is being destroyed.")
	} else if e.status() == protocol.Stopped {
		result.err = protocol.Errorf(protocol.Conflict, "The execution has stopped.")
	} else {
		result.reply, result.err = method(e)
	}
	return result
}
