// Package server puts the agent's endpoints together (protocol.md §3).
package server

import (
	"net/http"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/files"
	"torpor.dev/agent/internal/filesystemrpc"
	"torpor.dev/agent/internal/forward"
	"torpor.dev/agent/internal/identity"
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
	compressFrom      = 64 << 10
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
}

// Handler answers everything the agent answers.
func Handler(parts Parts) http.Handler {
	token := &access.Token{}
	who := identity.New(parts.Database)
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
	mux.Handle("GET /forward", forward.Handler())
	mux.Handle("POST /init", who.InitHandler(token, parts.Machine))
	mux.HandleFunc("GET /health", health)
	mux.HandleFunc("/", unknown)
	return allowAnyOrigin(token.Guard(mux))
}

// New makes the server of a handler: HTTP/1.1 and HTTP/2 without TLS on one port.
func New(handler http.Handler) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
	}
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func unknown(w http.ResponseWriter, r *http.Request) {
	reply.Error(w, http.StatusNotFound, "there is no endpoint "+r.Method+" "+r.URL.Path)
}
