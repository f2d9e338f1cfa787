package forward

import (
	"context"
	"log"
	"net"
	"strconv"
	"sync"
)

// Target is where a port of the loopback leads. Names below localhost are the loopback to some programs, curl and browsers
// among them, without anybody being asked: under such a domain the platform's own names have to be found there.
type Target struct {
	Port    int    `json:"port"`
	Address string `json:"address"` // host:port
}

// Loopback listens on one port of the loopback for what is meant for the platform. The zero value listens on none; it is
// safe for concurrent use.
type Loopback struct {
	mu       sync.Mutex
	target   Target
	listener net.Listener
}

// Serve leads the port to its target from now on. It says so in the log when something else listens there, and goes on.
func (l *Loopback) Serve(target Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if target == l.target {
		return
	}
	if l.listener != nil {
		_ = l.listener.Close()
	}
	l.target, l.listener = target, nil
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(target.Port)))
	if err != nil {
		log.Printf("the platform's own names do not lead there: %v", err)
		return
	}
	l.listener = listener
	go accept(listener, target.Address)
}

func accept(listener net.Listener, address string) {
	places := make(chan struct{}, maxConnections)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		select {
		case places <- struct{}{}:
			go func() {
				defer func() { <-places }()
				lead(conn, address)
			}()
		default:
			_ = conn.Close()
		}
	}
}

func lead(conn net.Conn, address string) {
	defer conn.Close()
	dialer := net.Dialer{Timeout: dialTimeout}
	far, err := dialer.DialContext(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	defer far.Close()
	client, isTCP := conn.(*net.TCPConn)
	server, isTCPToo := far.(*net.TCPConn)
	if isTCP && isTCPToo {
		join(client, server, client)
	}
}
