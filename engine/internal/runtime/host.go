package runtime

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/runsc/sandbox"
	"gvisor.dev/gvisor/runsc/specutils"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/protocol"
)

// Host implements the methods of the protocol on the embedded runtime.
type Host struct {
	settings Settings
	log      *slog.Logger
	// publish tells of exits (once per execution that ends without having been destroyed) and of shortages of memory.
	publish func(protocol.Event)

	mu         sync.Mutex
	executions map[string]*execution

	// joining serialises the making of sandboxes on version 1 of control groups, where the runtime moves this whole process
	// into the new sandbox's groups while it forks: two at once would land in each other's.
	joining sync.Mutex
	unified bool
}

// memoryDirectories says where the memory of executions that are being made lies; the runtime asks by a function of the package.
var memoryDirectories sync.Map

func init() {
	sandbox.MemoryDirectory = func(execution string) string {
		directory, _ := memoryDirectories.Load(execution)
		text, _ := directory.(string)
		return text
	}
}

// New makes a host without executions; Adopt finds those of an earlier host.
func New(settings Settings, log *slog.Logger, publish func(protocol.Event)) *Host {
	return &Host{
		settings:   settings,
		log:        log,
		publish:    publish,
		executions: map[string]*execution{},
		unified:    cgroups.Unified(),
	}
}

// claim reserves an id for a new execution and gives its first turn to the caller.
func (h *Host) claim(id string) (*execution, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.executions[id]; taken {
		return nil, protocol.Errorf(protocol.Conflict, "The execution exists already.")
	}
	e := &execution{id: id, turn: newTurn()}
	e.turn.take(context.Background())
	h.executions[id] = e
	return e, nil
}

func (h *Host) find(id string) (*execution, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.executions[id]
	return e, ok
}

// present gives an execution that is made and not being destroyed, for methods that take no turn.
func (h *Host) present(id string) (*execution, error) {
	e, ok := h.find(id)
	if !ok || e.ending.Load() || !e.listed() {
		return nil, protocol.Errorf(protocol.NotFound, "There is no such execution.")
	}
	return e, nil
}

func (h *Host) forget(e *execution) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.executions[e.id] == e {
		delete(h.executions, e.id)
	}
}

// List tells what runs. An execution that is still being made or already being destroyed is not in it.
func (h *Host) List(protocol.Empty) (protocol.Executions, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []protocol.Execution{}
	for _, e := range h.executions {
		if !e.ending.Load() && e.listed() {
			list = append(list, e.describe())
		}
	}
	slices.SortFunc(list, func(a, b protocol.Execution) int { return strings.Compare(a.Execution, b.Execution) })
	return protocol.Executions{Executions: list}, nil
}

// Version tells which build this is.
func (h *Host) Version(protocol.Empty) (protocol.Version, error) {
	return protocol.Version{Version: h.settings.VersionID, Runtime: runtimeVersion(), PID: os.Getpid()}, nil
}

func runtimeVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "gvisor.dev/gvisor" {
				return module.Version
			}
		}
	}
	return "unknown"
}

// Leave is called when the host stops: without executions, the root directory is left free of mounts.
func (h *Host) Leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.executions) > 0 {
		return
	}
	pinned := filepath.Join(h.settings.Root, specutils.NullNetNSFilename)
	for unix.Unmount(pinned, 0) == nil {
	}
	_ = os.Remove(pinned)
}
