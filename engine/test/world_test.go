// Package test runs the real engine: sandboxes are booted, frozen, captured, restored and broken.
package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// world is everything a host and its sandboxes need on this machine, in directories and namespaces of its own.
type world struct {
	t         *testing.T
	binaries  string
	directory string
	name      string
	networks  atomic.Int32
}

// newWorld skips the test where no engine was built or the machine cannot run one.
func newWorld(t *testing.T) *world {
	binaries := os.Getenv("TORPOR_ENGINE_OUT")
	if binaries == "" {
		t.Skip("TORPOR_ENGINE_OUT does not name the output of build.sh")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	w := &world{t: t, binaries: binaries, directory: t.TempDir(), name: fmt.Sprintf("te%d-%d", os.Getpid(), worlds.Add(1))}
	rootfs := w.path("rootfs")
	w.must(os.MkdirAll(filepath.Join(rootfs, "bin"), 0o755))
	w.run("go", "build", "-o", filepath.Join(rootfs, "bin", "guest"), "./guest")
	w.must(os.MkdirAll(w.path("agent"), 0o755))
	w.must(os.WriteFile(w.path("agent", "marker"), []byte("agent"), 0o644))
	return w
}

var worlds atomic.Int32

func (w *world) path(parts ...string) string {
	return filepath.Join(append([]string{w.directory}, parts...)...)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run(name string, args ...string) string {
	w.t.Helper()
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := command.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
	return string(output)
}

// network is a namespace with one link to the machine.
type network struct {
	w       *world
	name    string
	number  int
	address string
}

func (w *world) newNetwork() *network {
	w.t.Helper()
	number := int(w.networks.Add(1))
	n := &network{w: w, name: fmt.Sprintf("%s-%d", w.name, number), number: number}
	n.address = n.at(2)
	w.run("ip", "netns", "add", n.name)
	w.t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", n.name).Run() })
	w.run("ip", "link", "add", n.outside(), "type", "veth", "peer", "name", "eth0", "netns", n.name)
	w.t.Cleanup(func() { _ = exec.Command("ip", "link", "delete", n.outside()).Run() })
	w.run("ip", "addr", "add", n.gateway()+"/30", "dev", n.outside())
	w.run("ip", "link", "set", n.outside(), "up")
	n.prepare()
	return n
}

func (n *network) outside() string { return n.name }

func (n *network) gateway() string {
	return n.at(1)
}

// at is an address of this network. Test runs side by side have ranges of their own.
func (n *network) at(host int) string {
	return fmt.Sprintf("10.213.%d.%d", ownRange()*4+n.number/60, n.number%60*4+host)
}

// ownRange is a number that no other test run on this machine has; the lock ends with this process.
var ownRange = sync.OnceValue(func() int {
	removeLeftLinks()
	for number := range 64 {
		lock, err := os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("torpor-engine-test-%d.lock", number)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			locks = append(locks, lock)
			return number
		}
		lock.Close()
	}
	panic("64 test runs at once")
})

// locks stay open.
var locks []*os.File

// removeLeftLinks ends what test runs that were killed have left: an old link would answer for the address of a new one.
func removeLeftLinks() {
	links, _ := filepath.Glob("/sys/class/net/te*-*")
	spaces, _ := filepath.Glob("/run/netns/te*-*")
	for _, path := range append(links, spaces...) {
		name := filepath.Base(path)
		pid, _, _ := strings.Cut(strings.TrimPrefix(name, "te"), "-")
		if _, err := os.Stat("/proc/" + pid); err == nil {
			continue
		}
		_ = exec.Command("ip", "link", "delete", name).Run()
		_ = exec.Command("ip", "netns", "delete", name).Run()
	}
}

// prepare gives the namespace its address and route. The sandbox takes both away, so it is needed before every start.
func (n *network) prepare() {
	n.w.t.Helper()
	n.w.run("ip", "-n", n.name, "link", "set", "lo", "up")
	n.w.run("ip", "-n", n.name, "addr", "replace", n.address+"/30", "dev", "eth0")
	n.w.run("ip", "-n", n.name, "link", "set", "eth0", "up")
	n.w.run("ip", "-n", n.name, "route", "replace", "default", "via", n.gateway())
}

// bundle writes the config.json of an execution as the engine's caller does, and the overlay's directory.
func (w *world) bundle(execution string, n *network, adjust func(*specs.Spec)) (request map[string]any) {
	w.t.Helper()
	spec := w.spec(execution, n)
	if adjust != nil {
		adjust(spec)
	}
	directory := w.path("bundles", execution)
	w.must(os.MkdirAll(directory, 0o755))
	content, err := json.MarshalIndent(spec, "", "  ")
	w.must(err)
	w.must(os.WriteFile(filepath.Join(directory, "config.json"), content, 0o644))
	overlay := w.path("overlays", execution)
	w.must(os.MkdirAll(overlay, 0o755))
	return map[string]any{"execution": execution, "bundle": directory, "overlayDirectory": overlay, "diskBytes": 1 << 30}
}

func (w *world) spec(execution string, n *network) *specs.Spec {
	spec := &specs.Spec{}
	content, err := os.ReadFile("config.json")
	w.must(err)
	w.must(json.Unmarshal(content, spec))
	spec.Root.Path = w.path("rootfs")
	spec.Hostname = execution
	spec.Linux.CgroupsPath = "/" + w.name + "/" + execution
	for i := range spec.Mounts {
		if spec.Mounts[i].Destination == "/usr/lib/torpor" {
			spec.Mounts[i].Source = w.path("agent")
		}
	}
	for i := range spec.Linux.Namespaces {
		if spec.Linux.Namespaces[i].Type == specs.NetworkNamespace {
			spec.Linux.Namespaces[i].Path = filepath.Join("/run/netns", n.name)
		}
	}
	return spec
}

// groups are the control group directories that exist for this world.
func (w *world) groups() []string {
	found, err := filepath.Glob("/sys/fs/cgroup/*/" + w.name + "/*")
	w.must(err)
	unified, err := filepath.Glob("/sys/fs/cgroup/" + w.name + "/*")
	w.must(err)
	var groups []string
	for _, path := range append(found, unified...) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			groups = append(groups, path)
		}
	}
	return groups
}

func (w *world) removeGroups() {
	for _, pattern := range []string{"/sys/fs/cgroup/*/" + w.name, "/sys/fs/cgroup/" + w.name} {
		found, _ := filepath.Glob(pattern)
		for _, path := range found {
			_ = os.Remove(path)
		}
	}
}

// processes are the runtime's processes that work for this world.
func (w *world) processes() []string {
	var found []string
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	w.must(err)
	for _, path := range lines {
		line, _ := os.ReadFile(path)
		if text := string(line); strings.Contains(text, "runsc-") && strings.Contains(text, "--root="+w.path("root")) {
			found = append(found, filepath.Base(filepath.Dir(path)))
		}
	}
	return found
}

func (n *network) endpoint() string { return net.JoinHostPort(n.address, "8080") }

// roomy gives an execution memory enough for large tests.
func roomy(spec *specs.Spec) { *spec.Linux.Resources.Memory.Limit = 2 << 30 }
