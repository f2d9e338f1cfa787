// Package httpapi turns the protocol's HTTP requests into calls of an engine.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"torpor.dev/engine/internal/protocol"
)

// maxBody bounds a request; the largest honest one is a few paths.
const maxBody = 1 << 20

// Engine is what the methods of the protocol call.
type Engine interface {
	Boot(protocol.Boot) (protocol.Started, error)
	Restore(protocol.Restore) (protocol.Started, error)
	WaitRestored(protocol.Target) (protocol.Empty, error)
	Freeze(protocol.Target) (protocol.Empty, error)
	Thaw(protocol.Target) (protocol.Empty, error)
	Capture(protocol.Capture) (protocol.Captured, error)
	CaptureFiles(protocol.Capture) (protocol.Captured, error)
	Destroy(protocol.Target) (protocol.Empty, error)
	List(protocol.Empty) (protocol.Executions, error)
	Stats(protocol.Target) (protocol.Stats, error)
	Flush(context.Context, protocol.Target) (protocol.Empty, error)
	Prefetch(context.Context, protocol.Prefetch) (protocol.Prefetched, error)
	Space(protocol.Space) (protocol.Taken, error)
	Compact(context.Context, protocol.Compact) (protocol.Compacted, error)
	Version(protocol.Empty) (protocol.Version, error)
}

// body is a request that can check itself.
type body interface{ Validate() error }

// methods are the calls that are served, and their names.
type methods struct {
	*http.ServeMux
	log   *slog.Logger
	names []string
}

// New makes the handler of the whole protocol.
func New(engine Engine, hub *Hub, log *slog.Logger) http.Handler {
	mux := &methods{ServeMux: http.NewServeMux(), log: log}
	register(mux, "boot", engine.Boot)
	register(mux, "restore", engine.Restore)
	register(mux, "waitRestored", engine.WaitRestored)
	register(mux, "freeze", engine.Freeze)
	register(mux, "thaw", engine.Thaw)
	register(mux, "capture", engine.Capture)
	register(mux, "captureFiles", engine.CaptureFiles)
	register(mux, "destroy", engine.Destroy)
	register(mux, "list", engine.List)
	register(mux, "stats", engine.Stats)
	register(mux, "version", func(none protocol.Empty) (protocol.Version, error) {
		version, err := engine.Version(none)
		version.Methods = mux.names
		return version, err
	})
	register(mux, "space", engine.Space)
	registerEnding(mux, "flush", engine.Flush)
	registerEnding(mux, "prefetch", engine.Prefetch)
	registerEnding(mux, "compact", engine.Compact)
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) { stream(w, r, hub) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, protocol.Errorf(protocol.NotFound, "There is no method %s %s.", r.Method, r.URL.Path))
	})
	return mux
}

// register serves POST /v1/<name> by one call, which is made to its end.
func register[Request body, Reply any](mux *methods, name string, call func(Request) (Reply, error)) {
	registerEnding(mux, name, func(_ context.Context, request Request) (Reply, error) { return call(request) })
}

// registerEnding serves it by a call that is given up when its caller is gone or the host is asked to stop.
func registerEnding[Request body, Reply any](mux *methods, name string, call func(context.Context, Request) (Reply, error)) {
	mux.names = append(mux.names, name)
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		var request Request
		err := decode(w, r, &request)
		var reply Reply
		if err == nil {
			reply, err = guarded(r.Context(), call, request)
		}
		record(mux.log, name, execution(request), started, err)
		if err != nil {
			fail(w, protocol.Wrap(err, "The method failed."))
			return
		}
		respond(w, http.StatusOK, reply)
	})
}

func decode[Request body](w http.ResponseWriter, r *http.Request, into *Request) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &protocol.Error{Kind: protocol.Invalid, Message: "The body is not the JSON object that the method wants.", Detail: err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return protocol.Errorf(protocol.Invalid, "The body holds more than one JSON object.")
	}
	return (*into).Validate()
}

// guarded keeps a bug in one call from taking the host down.
func guarded[Request body, Reply any](ctx context.Context, call func(context.Context, Request) (Reply, error), request Request) (reply Reply, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			failure := protocol.Errorf(protocol.Internal, "The method ran into a bug.")
			failure.Detail = slog.AnyValue(cause).String() + "\n" + string(debug.Stack())
			err = failure
		}
	}()
	return call(ctx, request)
}

func execution(request body) string {
	if target, ok := request.(interface{ ID() string }); ok {
		return target.ID()
	}
	return ""
}

// levels keep what is only asked, and often, out of the log. A missing entry is Info.
var levels = map[string]slog.Level{"list": slog.LevelDebug, "stats": slog.LevelDebug, "version": slog.LevelDebug, "space": slog.LevelDebug}

func record(log *slog.Logger, method, execution string, started time.Time, err error) {
	fields := []any{"method", method, "milliseconds", float64(time.Since(started).Microseconds()) / 1000}
	if execution != "" {
		fields = append(fields, "execution", execution)
	}
	if err == nil {
		log.Log(context.Background(), levels[method], "done", fields...)
		return
	}
	failure := protocol.Wrap(err, "The method failed.")
	log.Error(failure.Message, append(fields, "kind", failure.Kind, "detail", failure.Detail)...)
}

func fail(w http.ResponseWriter, failure *protocol.Error) {
	respond(w, failure.Kind.Status(), failure)
}

func respond[Reply any](w http.ResponseWriter, status int, reply Reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that is gone cannot be told anything.
	_ = json.NewEncoder(w).Encode(reply)
}
