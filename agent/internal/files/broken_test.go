package files_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"torpor.dev/agent/internal/agenttest"
)

// patience bounds waiting for what should come soon.
const patience = 20 * time.Second

// The sizes on both sides of what is held before a file is touched.
var sizes = map[string]int{"small": 1000, "big": 3 << 20}

func TestBodyThatBreaksOffLeavesWhatWasThere(t *testing.T) {
	a := agenttest.Start(t)
	for name, size := range sizes {
		old := filepath.Join(a.Home, name)
		if err := os.WriteFile(old, []byte("old content"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{name, name + "-new"} {
			breakOff(t, a, path, size)
		}
		expectFile(t, old, "old content", 0, 0o600)
	}
	until(t, "something is left behind", func() bool {
		left, err := os.ReadDir(a.Home)
		return err == nil && len(left) == len(sizes)
	})
}

func TestBigFilesKeepModeLinksAndOwner(t *testing.T) {
	a := agenttest.Start(t)
	content := strings.Repeat("0123456789abcdef", sizes["big"]/16)
	real, link, twin := filepath.Join(a.Home, "real"), filepath.Join(a.Home, "link"), filepath.Join(a.Home, "twin")
	for _, err := range []error{
		os.WriteFile(real, []byte("old"), 0o750),
		os.Chmod(real, 0o751),
		os.Symlink("real", link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	expectStatus(t, a.Do(t, "POST", query("link"), content, octets), 200, "")
	expectFile(t, real, content, agenttest.UID, 0o751)
	if target, err := os.Readlink(link); err != nil || target != "real" {
		t.Errorf("the link: %q, %v", target, err)
	}
	// A file with several names stays one file.
	if err := os.Link(real, twin); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, a.Do(t, "POST", query("twin"), content[:1<<20], octets), 200, "")
	expectFile(t, real, content[:1<<20], agenttest.UID, 0o751)
	expectStatus(t, a.Do(t, "POST", query("deep/er/new"), content, octets, "X-Metadata-A: b"), 200, "")
	expectFile(t, filepath.Join(a.Home, "deep/er/new"), content, agenttest.UID, 0o644)
	// A link to nowhere makes its target.
	if err := os.Symlink(filepath.Join(a.Home, "target"), filepath.Join(a.Home, "dangling")); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, a.Do(t, "POST", query("dangling"), content, octets), 200, "")
	expectFile(t, filepath.Join(a.Home, "target"), content, agenttest.UID, 0o644)
}

func TestFullDiskLeavesWhatWasThere(t *testing.T) {
	a := agenttest.Start(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("nothing can be mounted here")
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	path := filepath.Join(disk, "f")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("x", sizes["big"])
	expectStatus(t, a.Do(t, "POST", query(path), content, octets), 507, "not enough disk space: write "+path)
	expectStatus(t, a.Do(t, "POST", query(path+"-new"), content, octets), 507, "not enough disk space")
	expectFile(t, path, "old", 0, 0o644)
	if left, err := os.ReadDir(disk); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSpecialNamesComeAndGo(t *testing.T) {
	a := agenttest.Start(t)
	for _, name := range []string{"with space", "new\nline", "-rf", "ünïcödé 🦜", `quote"back\slash`, "percent%41", "plus+and&", "..dots", "~tilde", "\xff\xfe"} {
		path := "./" + name
		expectStatus(t, a.Do(t, "POST", query(path), "content of "+name, octets), 200, "")
		if got, err := os.ReadFile(filepath.Join(a.Home, name)); err != nil || string(got) != "content of "+name {
			t.Errorf("%q: %q, %v", name, got, err)
		}
		expectStatus(t, a.Do(t, "GET", query(path), ""), 200, "content of "+name)
	}
}

func TestFileLargerThanAnyBufferStreamsBothWays(t *testing.T) {
	a := agenttest.Start(t)
	const size = 300 << 20
	answer := a.Stream(t, "POST", query("huge"), io.LimitReader(zeros{}, size), octets)
	expectStatus(t, answer, 200, "")
	answer = a.Do(t, "GET", query("huge"), "")
	if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// breakOff announces more than it sends.
func breakOff(t *testing.T, a *agenttest.Agent, path string, size int) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n", query(path), octets, size+1)
	if _, err := io.CopyN(conn, zeros{}, int64(size)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn) // until the agent has given up
	conn.Close()
}

func until(t *testing.T, complaint string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal(complaint)
}
