package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"gvisor.dev/gvisor/pkg/cleanup"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/container"
	"gvisor.dev/gvisor/runsc/specutils"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/protocol"
)

// plan is what makes one way of creating an execution different from another.
type plan struct {
	request protocol.Start
	// files is the directory of the image whose files the root is made of, or empty.
	files string
	// start brings the created container to life; explain makes a failure of what it says when it cannot.
	start   func(*container.Container, *config.Config) error
	explain func(*execution, error) error
	// limit ends a start that does not get anywhere, and all processes of it.
	limit time.Duration
}

// startLimit is what a start may take: a burst of starts on a small machine, and then so much for each byte of an image.
func startLimit(imageBytes int64) time.Duration {
	const bytesPerSecond = 8 << 20
	return 2*time.Minute + time.Duration(imageBytes/bytesPerSecond)*time.Second
}

// Boot creates an execution and starts its first process, on the files of an image if one is named.
func (h *Host) Boot(request protocol.Boot) (protocol.Started, error) {
	start := func(c *container.Container, conf *config.Config) error { return c.Start(conf) }
	p := plan{request: request.Start, files: request.Files, start: start, explain: explainBoot, limit: startLimit(0)}
	if request.Files != "" {
		bytes, err := checkFiles(request)
		if err != nil {
			return protocol.Started{}, err
		}
		p.explain, p.limit = explainFiles, startLimit(bytes)
	}
	return h.create(p)
}

func explainBoot(_ *execution, err error) error {
	return protocol.Wrap(err, "The execution could not be booted.")
}

// Restore creates an execution that goes on where a memory image was captured. Pages may still stream in afterwards.
func (h *Host) Restore(request protocol.Restore) (protocol.Started, error) {
	bytes, err := checkImage(request.Image)
	if err != nil {
		return protocol.Started{}, err
	}
	const direct, background = false, true
	start := func(c *container.Container, conf *config.Config) error {
		return c.Restore(conf, request.Image, direct, background, nil)
	}
	return h.create(plan{request: request.Start, start: start, explain: explain, limit: startLimit(bytes)})
}

// create makes an execution whole, or leaves nothing behind.
func (h *Host) create(p plan) (protocol.Started, error) {
	e, err := h.claim(p.request.Execution)
	if err != nil {
		return protocol.Started{}, err
	}
	defer e.turn.give()
	undo := cleanup.Make(func() { h.forget(e) })
	defer undo.Clean()
	undo.Add(func() { _ = os.RemoveAll(h.settings.logs(e.id)) })

	if err := h.buildInTime(e, p, &undo); err != nil {
		failure := protocol.Wrap(err, "The execution could not be made.")
		failure.Detail = strings.TrimSpace(shorten(failure.Detail) + "\n" + h.logTail(e.id))
		return protocol.Started{}, failure
	}
	e.finish()
	go h.watch(e)
	go h.tellShortages(e)
	undo.Release()
	return protocol.Started{PID: e.describe().PID}, nil
}

// buildInTime ends the processes of a start that takes too long, so that what waits for them fails.
func (h *Host) buildInTime(e *execution, p plan, undo *cleanup.Cleanup) error {
	alarm := time.AfterFunc(p.limit, func() {
		if err := h.killProcesses(func(execution string) bool { return execution == e.id }); err != nil {
			h.log.Error("a start that takes too long does not end", "execution", e.id, "detail", err.Error())
		}
	})
	err := h.build(e, p, undo)
	if alarm.Stop() {
		return err
	}
	return protocol.Errorf(protocol.TimedOut, "The start took longer than %v.", p.limit)
}

func (h *Host) build(e *execution, p plan, undo *cleanup.Cleanup) error {
	conf, err := h.settings.configure(p.request)
	if err != nil {
		return err
	}
	spec, err := readBundle(p.request, conf)
	if err != nil {
		return err
	}
	if err := checkFloor(p.request); err != nil {
		return err
	}
	if err := putOnFiles(spec, p.files); err != nil {
		return err
	}
	e.setGroup(spec.Linux.CgroupsPath)
	offerToKernel(spec)
	if err := prepareGroup(e.group); err != nil {
		return err
	}
	undo.Add(func() {
		if err := h.demolish(e); err != nil {
			h.log.Error("a failed execution left something behind", "execution", e.id, "detail", err.Error())
		}
	})
	c, err := h.newContainer(conf, spec, p)
	if err != nil {
		return err
	}
	e.attach(c, true, func(int) bool { return true })
	h.giveHeadroom(e, c)
	offerProcesses(e)
	if e.ending.Load() {
		return protocol.Errorf(protocol.Conflict, "The execution was destroyed while it was being made.")
	}
	if err := p.start(c, conf); err != nil {
		return p.explain(e, err)
	}
	return nil
}

// prepareGroup removes what an earlier execution of that name left: the runtime would use it as it is, without limits.
func prepareGroup(group string) error {
	if err := cgroups.Remove(group, time.Second); err != nil {
		return fmt.Errorf("the control group is in use: %w", err)
	}
	return cgroups.PrepareParents(group)
}

func (h *Host) newContainer(conf *config.Config, spec *specs.Spec, p plan) (*container.Container, error) {
	if !h.unified {
		h.joining.Lock()
		defer h.joining.Unlock()
	}
	memoryDirectories.Store(p.request.Execution, p.request.MemoryDirectory)
	defer memoryDirectories.Delete(p.request.Execution)
	floors.Store(p.request.Execution, p.request)
	defer floors.Delete(p.request.Execution)
	args := container.Args{ID: p.request.Execution, Spec: spec, BundleDir: p.request.Bundle, FSRestoreImagePath: p.files}
	return container.New(conf, args)
}

// offerToKernel makes a sandbox the kernel's choice, rather than the server, when the whole machine runs out of memory.
func offerToKernel(spec *specs.Spec) {
	const score = 500
	own, err := specutils.GetOOMScoreAdj(os.Getpid())
	if err == nil && own <= score && spec.Process.OOMScoreAdj == nil {
		chosen := score
		spec.Process.OOMScoreAdj = &chosen
	}
}

// logTail is the end of what the runtime wrote before it gave up, for the operator.
func (h *Host) logTail(id string) string {
	var tail strings.Builder
	for _, name := range []string{fatalLog, panicLog} {
		content, err := os.ReadFile(filepath.Join(h.settings.logs(id), name))
		if err == nil && len(content) > 0 {
			fmt.Fprintf(&tail, "%s: %s\n", name, content)
		}
	}
	return shorten(tail.String())
}

// shorten keeps the beginning and the end of a text: the runtime's errors may carry the stacks of many goroutines.
func shorten(text string) string {
	const half = 2 << 10
	if text = strings.TrimSpace(text); len(text) > 2*half {
		return text[:half] + "\n…\n" + text[len(text)-half:]
	}
	return text
}
