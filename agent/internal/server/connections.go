package server

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// connections knows the open connections of a server, so that those of an earlier life can be ended: in a memory image
// they look alive, but nobody is at their other end. It is safe for concurrent use.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// ownConnection is the key of a request's connection in its context.
type ownConnection struct{}

func newConnections() *connections { return &connections{open: map[net.Conn]struct{}{}} }

// watch makes a server report its connections here.
func (c *connections) watch(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, ownConnection{}, conn)
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch state {
		case http.StateNew:
			c.open[conn] = struct{}{}
		case http.StateClosed, http.StateHijacked:
			delete(c.open, conn)
		}
	}
}

// endOthers closes every connection but that of the request, and with them their streams.
func (c *connections) endOthers(request context.Context) {
	own, _ := request.Value(ownConnection{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if conn != own {
			_ = conn.Close()
		}
	}
}
