package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSandboxesAreDetached makes sure that nothing ties a sandbox to the host, and that it inherits nothing of it.
func TestSandboxesAreDetached(t *testing.T) {
	t.Setenv("TORPOR_TEST_SECRET", "secret")
	w := newWorld(t)
	h := w.start()
	n := w.newNetwork()
	h.call("boot", w.bundle("a", n, nil))
	n.hear("/count")
	for _, pid := range w.processes() {
		for _, stdio := range []string{"0", "1"} {
			if target, err := os.Readlink("/proc/" + pid + "/fd/" + stdio); err != nil || !strings.HasPrefix(target, "/dev/null") && target != "/null" && target != "/" {
				t.Errorf("%s of %s is %q %v", stdio, pid, target, err)
			}
		}
		if environment := readFile(t, "/proc/"+pid+"/environ"); strings.Contains(environment, "secret") {
			t.Errorf("%s knows %q", pid, environment)
		}
		descriptors, err := filepath.Glob("/proc/" + pid + "/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, descriptor := range descriptors {
			if target, _ := os.Readlink(descriptor); strings.HasSuffix(target, "host.log") || strings.HasSuffix(target, "host.lock") {
				t.Errorf("%s holds %s", pid, target)
			}
		}
		var number int
		if _, err := fmt.Sscan(pid, &number); err != nil {
			t.Fatal(err)
		}
		if session, err := unix.Getsid(number); err != nil || session != number {
			t.Errorf("%s is in session %d: %v", pid, session, err)
		}
	}
	t.Log(readFile(t, fmt.Sprintf("/proc/%d/status", h.command.Process.Pid)))
}
