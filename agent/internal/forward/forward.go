// Package forward lets the edge reach servers that listen on the sandbox's loopback only (protocol.md §3.10).
package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"torpor.dev/agent/internal/reply"
)

const (
	// Protocol is the word of the Upgrade header.
	Protocol = "torpor-forward"
	// maxConnections is above what the edge lets into one sandbox, with the connections it keeps for later.
	maxConnections = 2048
	dialTimeout    = 5 * time.Second
)

// loopback is where servers of the sandbox may listen; a name such as localhost is either.
var loopback = []string{"127.0.0.1", "::1"}

// Forwarder knows the connections it has taken, so that those of an earlier life can be ended. It is safe for concurrent
// use.
type Forwarder struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// New makes a forwarder without connections.
func New() *Forwarder { return &Forwarder{open: map[net.Conn]struct{}{}} }

// EndAll closes every connection: in a memory image they look alive, but nobody is at their far end.
func (f *Forwarder) EndAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		_ = conn.Close()
	}
}

func (f *Forwarder) opened(conn net.Conn) (closed func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[conn] = struct{}{}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open, conn)
	}
}

// Handler answers `GET /forward?port=<port>` with `Upgrade: torpor-forward`: 101, and from then on every byte goes to and
// from that port of the loopback. 400 for a request that makes no sense, 502 when nobody listens, 503 when there are too
// many connections.
func (f *Forwarder) Handler() http.Handler {
	places := make(chan struct{}, maxConnections)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		port, err := strconv.ParseUint(r.URL.Query().Get("port"), 10, 16)
		if err != nil || port == 0 || !strings.EqualFold(r.Header.Get("Upgrade"), Protocol) {
			reply.Error(w, http.StatusBadRequest, "needed are a port and the header Upgrade: "+Protocol)
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			reply.Error(w, http.StatusServiceUnavailable, "too many connections are forwarded")
			return
		}
		server, err := dial(r.Context(), strconv.FormatUint(port, 10))
		if err != nil {
			reply.Error(w, http.StatusBadGateway, "nobody listens on the port")
			return
		}
		defer server.Close()
		f.forward(w, server)
	})
}

// dial tries every loopback address and returns the last failure when none takes the connection.
func dial(ctx context.Context, port string) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	failures := make([]error, 0, len(loopback))
	for _, address := range loopback {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, port))
		if err != nil {
			failures = append(failures, err)
			continue
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			_ = conn.Close()
			return nil, fmt.Errorf("%T is no TCP connection", conn)
		}
		return tcp, nil
	}
	return nil, errors.Join(failures...)
}

// forward takes the connection of the request and joins it with the server's until both sides have ended.
func (f *Forwarder) forward(w http.ResponseWriter, server *net.TCPConn) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		reply.Error(w, http.StatusBadRequest, "only HTTP/1.1 can be upgraded")
		return
	}
	defer conn.Close()
	defer f.opened(conn)()
	client, ok := conn.(*net.TCPConn)
	if !ok || conn.SetDeadline(time.Time{}) != nil {
		return
	}
	const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + Protocol + "\r\n\r\n"
	if _, err := io.WriteString(client, accepted); err != nil {
		return
	}
	join(client, server, early(buffered.Reader, client))
}

// join passes bytes both ways until both sides have ended; fromClient is what the client sends.
func join(client, server *net.TCPConn, fromClient io.Reader) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(client, server, server)
	}()
	pass(server, client, fromClient)
	<-done
}

// early reads first what came with the request.
func early(buffered *bufio.Reader, conn io.Reader) io.Reader {
	return io.MultiReader(io.LimitReader(buffered, int64(buffered.Buffered())), conn)
}

// pass copies until the source ends, which it tells the target; a failure ends both.
func pass(target, source *net.TCPConn, from io.Reader) {
	if _, err := io.Copy(target, from); err != nil {
		_ = target.Close()
		_ = source.Close()
		return
	}
	_ = target.CloseWrite()
}
