package server

import (
	"errors"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/reply"
	"torpor.dev/agent/proto/filesystem/filesystemconnect"
	"torpor.dev/agent/proto/process/processconnect"
)

var errTooMany = errors.New("too many requests at once: end some of the streams or wait for answers")

// limited answers 429 to more than so many requests in flight. Those by which the control plane keeps the sandbox in hand
// always pass, and what is forwarded has a limit of its own.
func limited(next http.Handler, most int) http.Handler {
	places := make(chan struct{}, most)
	rpc := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if vital(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		default:
			if isRPC(r.URL.Path) && rpc.IsSupported(r) {
				// A client that cannot be told is gone.
				_ = rpc.Write(w, r, connect.NewError(connect.CodeResourceExhausted, errTooMany))
				return
			}
			reply.Error(w, http.StatusTooManyRequests, errTooMany.Error())
		}
	})
}

func isRPC(path string) bool {
	return strings.HasPrefix(path, "/"+processconnect.ProcessName+"/") || strings.HasPrefix(path, "/"+filesystemconnect.FilesystemName+"/")
}

func vital(path string) bool {
	switch path {
	case "/health", "/init", "/logs", "/oom", "/metrics", "/forward":
		return true
	default:
		return false
	}
}
