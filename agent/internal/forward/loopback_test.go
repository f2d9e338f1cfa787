package forward_test

import (
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"torpor.dev/agent/internal/forward"
)

// freePorts are two different ones.
func freePorts(t *testing.T) (first, second int) {
	t.Helper()
	var ports [2]int
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer listener.Close()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1]
}

// talk sends a word to a port of the loopback and returns all that comes back.
func talk(t *testing.T, port int) string {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(60*time.Second)))
	_, err = io.WriteString(conn, "word ")
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	all, err := io.ReadAll(conn)
	must(t, err)
	return string(all)
}

func TestAPortOfTheLoopbackLeadsToTheTargetOfTheLastCall(t *testing.T) {
	loopback := &forward.Loopback{}
	echo := net.JoinHostPort("127.0.0.1", startEcho(t, "127.0.0.1"))
	first, second := freePorts(t)
	loopback.Serve(forward.Target{Port: first, Address: "127.0.0.1:1"})
	target := forward.Target{Port: second, Address: echo}
	for range 2 {
		loopback.Serve(target)
	}
	if got := talk(t, second); got != "word bye" {
		t.Errorf("got %q", got)
	}
	if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first))); err == nil {
		_ = conn.Close()
		t.Error("the former port still listens")
	}
}

func TestAPortInUseIsLeftToItsOwner(t *testing.T) {
	port, err := strconv.Atoi(startEcho(t, "127.0.0.1"))
	must(t, err)
	(&forward.Loopback{}).Serve(forward.Target{Port: port, Address: "127.0.0.1:1"})
	if got := talk(t, port); got != "word bye" {
		t.Errorf("got %q", got)
	}
}
