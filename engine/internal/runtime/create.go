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
	// start brings the created container to life.
	start func(*container.Container, *config.Config) error
	// failure is the message of errors without a better one.
	failure string
}

// Boot creates an execution and starts its first process, on the files of an image if one is named.
func (h *Host) Boot(request protocol.Boot) (protocol.Started, error) {
	const failure = "The execution could not be booted."
	if request.Files == "" {
		start := func(c *container.Container, conf *config.Config) error { return c.Start(conf) }
		return h.create(plan{request.Start, "", start, failure})
	}
	if err := checkFiles(request); err != nil {
		return protocol.Started{}, err
	}
	start := func(c *container.Container, conf *config.Config) error { return explainFiles(c.Start(conf)) }
	return h.create(plan{request.Start, request.Files, start, failure})
}

// Restore creates an execution that goes on where a memory image was captured. Pages may still stream in afterwards.
func (h *Host) Restore(request protocol.Restore) (protocol.Started, error) {
	if err := checkImage(request.Image); err != nil {
		return protocol.Started{}, err
	}
	const direct, background = false, true
	start := func(c *container.Container, conf *config.Config) error {
		return explain(c.Restore(conf, request.Image, direct, background, nil))
	}
	return h.create(plan{request.Start, "", start, "The execution could not be restored."})
}

// create makes an execution whole, or leaves nothing behind.
func (h *Host) create(p plan) (protocol.Started, error) {
	e, err := h.claim(p.request.Execution)
	if err != nil {
		return protocol.Started{}, err
	}
	defer e.turn.Unlock()
	undo := cleanup.Make(func() { h.forget(e) })
	defer undo.Clean()
	undo.Add(func() { _ = os.RemoveAll(h.settings.logs(e.id)) })

	if err := h.build(e, p, &undo); err != nil {
		failure := protocol.Wrap(err, p.failure)
		failure.Detail = strings.TrimSpace(shorten(failure.Detail) + "\n" + h.logTail(e.id))
		return protocol.Started{}, failure
	}
	e.finish()
	go h.watch(e)
	undo.Release()
	return protocol.Started{PID: e.describe().PID}, nil
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
	if e.ending.Load() {
		return protocol.Errorf(protocol.Conflict, "The execution was destroyed while it was being made.")
	}
	return p.start(c, conf)
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
