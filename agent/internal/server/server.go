// Package server puts the agent's endpoints together (protocol.md §3).
package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/files"
	"torpor.dev/agent/internal/filesystemrpc"
	"torpor.dev/agent/internal/forward"
	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/journal"
	"torpor.dev/agent/internal/machine"
	"torpor.dev/agent/internal/metrics"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/processrpc"
	"torpor.dev/agent/internal/reply"
	"torpor.dev/agent/internal/users"
	"torpor.dev/agent/proto/filesystem/filesystemconnect"
	"torpor.dev/agent/proto/process/processconnect"
)

const (
	maxHeaderBytes = 64 << 10
	// maxMessageBytes bounds one message in memory; file contents do not travel in messages.
	maxMessageBytes = 64 << 20
	// compressFrom is the size from which a message is worth compressing for a client that accepts it.
	compressFrom = 64 << 10
	// maxRequests bounds the requests in flight; every command that is followed takes one.
	maxRequests       = 1000
	maxStreams        = 1000 // of one HTTP/2 connection; every command that is followed takes one
	readHeaderTimeout = 30 * time.Second
	// idleTimeout is longer than that of the edge, so that the edge never writes into a connection being closed.
	idleTimeout = 640 * time.Second
)

// Parts are what the endpoints work on.
type Parts struct {
	Database  *users.Database
	Processes *process.Table
	Machine   *machine.Files // nil leaves the system's files alone
	Journal   *journal.Journal
}

// New makes the server that answers everything the agent answers: HTTP/1.1 and HTTP/2 without TLS on one port.
func New(parts Parts) *http.Server {
	open := newConnections()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           handler(parts, open),
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
	}
	open.watch(server)
	return server
}

func handler(parts Parts, open *connections) http.Handler {
	token := &access.Token{}
	who := identity.New(parts.Database)
	forwarded := forward.New()
	options := []connect.HandlerOption{
		connect.WithReadMaxBytes(maxMessageBytes),
		connect.WithCompressMinBytes(compressFrom),
	}
	mux := http.NewServeMux()
	mux.Handle(processconnect.NewProcessHandler(processrpc.New(parts.Processes, who), options...))
	mux.Handle(filesystemconnect.NewFilesystemHandler(filesystemrpc.New(who, parts.Database), options...))
	files.New(who, token).Register(mux)
	mux.Handle("GET /metrics", metrics.Handler())
	mux.Handle("GET /envs", who.EnvsHandler())
	mux.Handle("POST /init", who.InitHandler(identity.Host{
		Token:     token,
		Files:     parts.Machine,
		Processes: parts.Processes,
		EndOthers: func(request context.Context) {
			open.endOthers(request)
			forwarded.EndAll()
		},
		Journal: parts.Journal,
	}))
	// Like /init these are for the control plane: the edge lets nobody else through to them.
	mux.Handle("GET /forward", forwarded.Handler())
	mux.Handle("GET /logs", parts.Journal.Handler())
	mux.Handle("POST /oom", outOfMemory(parts.Processes))
	mux.HandleFunc("GET /health", health)
	mux.HandleFunc("/", unknown)
	return allowAnyOrigin(token.Guard(limited(mux, maxRequests)))
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// outOfMemory answers POST /oom?least=<bytes>, by which the control plane saves a sandbox whose memory is full: 200 with the process
// that was killed, 404 when there is none that takes so much.
func outOfMemory(processes *process.Table) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		least, err := leastBytes(r)
		if err != nil {
			reply.Error(w, http.StatusBadRequest, "least is not a number of bytes")
			return
		}
		victim, found := processes.KillBiggest(least)
		if !found {
			reply.Error(w, http.StatusNotFound, "there is no process to kill")
			return
		}
		reply.JSON(w, http.StatusOK, victim)
	})
}

func leastBytes(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("least")
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

func unknown(w http.ResponseWriter, r *http.Request) {
	reply.Error(w, http.StatusNotFound, "there is no endpoint "+r.Method+" "+r.URL.Path)
}
