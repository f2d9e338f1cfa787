package forward_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"torpor.dev/agent/internal/forward"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantStatus(t *testing.T, answer *http.Response, status int) {
	t.Helper()
	if answer.StatusCode != status {
		t.Errorf("status is %d, not %d", answer.StatusCode, status)
	}
}

// open asks for a connection to a port and returns it with the answer.
func open(t *testing.T, agent, port, upgrade string) (*net.TCPConn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", agent)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(60*time.Second)))
	_, err = fmt.Fprintf(conn, "GET /forward?port=%s HTTP/1.1\r\nHost: agent\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nearly ", port, upgrade)
	must(t, err)
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	must(t, err)
	return conn.(*net.TCPConn), reader, answer
}

func startAgent(t *testing.T) string {
	t.Helper()
	agent := httptest.NewServer(forward.New().Handler())
	t.Cleanup(agent.Close)
	return agent.Listener.Addr().String()
}

// startEcho listens on one address of the loopback, sends back what it is sent, and `bye` at the end.
func startEcho(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("there is no %s here", address)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
				_, _ = io.WriteString(conn, "bye")
			}()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	return port
}

func TestBytesGoBothWaysAndEachSideEndsByItself(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			port := startEcho(t, address)
			conn, reader, answer := open(t, startAgent(t), port, forward.Protocol)
			wantStatus(t, answer, http.StatusSwitchingProtocols)
			_, err := io.WriteString(conn, "late ")
			must(t, err)
			must(t, conn.CloseWrite())
			all, err := io.ReadAll(reader)
			must(t, err)
			if string(all) != "early late bye" {
				t.Errorf("got %q", all)
			}
		})
	}
}

func TestConnectionsOfAnEarlierLifeEnd(t *testing.T) {
	forwarder := forward.New()
	agent := httptest.NewServer(forwarder.Handler())
	t.Cleanup(agent.Close)
	_, reader, answer := open(t, agent.Listener.Addr().String(), startEcho(t, "127.0.0.1"), forward.Protocol)
	wantStatus(t, answer, http.StatusSwitchingProtocols)
	must(t, discard(reader, "early "))
	forwarder.EndAll()
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection goes on")
	}
}

func discard(reader *bufio.Reader, word string) error {
	_, err := reader.Discard(len(word))
	return err
}

func TestAClosedPortIs502(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	must(t, listener.Close())
	_, _, answer := open(t, startAgent(t), port, forward.Protocol)
	wantStatus(t, answer, http.StatusBadGateway)
}

func TestWhatMakesNoSenseIs400(t *testing.T) {
	agent := startAgent(t)
	for _, port := range []string{"", "0", "65536", "-1", "x"} {
		_, _, answer := open(t, agent, port, forward.Protocol)
		wantStatus(t, answer, http.StatusBadRequest)
	}
	_, _, answer := open(t, agent, "80", "websocket")
	wantStatus(t, answer, http.StatusBadRequest)
}
