package process

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/agent/internal/users"
)

// Spec is what to start.
type Spec struct {
	Command  string
	Args     []string
	Env      map[string]string // all of it
	Dir      string            // absolute
	User     users.User
	Stdin    bool
	Terminal *Size // nil means none; with one, Stdin has no meaning
	Tag      *string
	Deadline time.Time // when the process and its group are killed; zero means never

	Asked Asked
}

// Asked is the part of a request that lists show as it was sent.
type Asked struct {
	Envs map[string]string
	Cwd  *string
}

// StartError says why a process could not be started, in words for whoever asked for it.
type StartError struct {
	text  string
	cause error
}

func (e *StartError) Error() string { return e.text }

// Unwrap gives the error of the system.
func (e *StartError) Unwrap() error { return e.cause }

// Start runs a process in a session and process group of its own. The subscription misses nothing; the caller closes it.
// It returns a *StartError.
func (t *Table) Start(spec Spec) (*Process, *Subscription, error) {
	if err := checkDir(spec.Dir); err != nil {
		return nil, nil, err
	}
	path, err := findCommand(spec.Command, spec.Dir, spec.Env["PATH"])
	if err != nil {
		return nil, nil, &StartError{text: fmt.Sprintf("command '%s' not found: %v", spec.Command, err), cause: err}
	}
	streams, err := t.openStreams(spec)
	if err != nil {
		return nil, nil, &StartError{text: fmt.Sprintf("opening the streams of the process: %v", err), cause: err}
	}
	exited := make(chan syscall.WaitStatus, 1)
	pid, err := t.reaper.start(path, append([]string{spec.Command}, spec.Args...), attributes(spec, streams.theirs), exited)
	streams.closeTheirs()
	if err != nil {
		streams.closeOurs()
		return nil, nil, startFailure(spec, err)
	}
	p := &Process{spec: spec, pid: pid, reaper: t.reaper, terminal: streams.terminal, done: make(chan struct{})}
	p.output = newOutput(int(t.kept.Load()), t.budget)
	if streams.input != nil {
		p.stdin = newStdin(streams.input)
	}
	subscription := p.Subscribe(FromStart)
	t.add(p)
	t.noteStart(p)
	stopTimer := p.killAt(spec.Deadline)
	go p.attend(streams.outputs, exited, func() {
		stopTimer()
		t.noteEnd(p)
		t.retire(p)
	})
	return p, subscription, nil
}

func attributes(spec Spec, files [3]uintptr) *syscall.ProcAttr {
	env := make([]string, 0, len(spec.Env))
	for name, value := range spec.Env {
		env = append(env, name+"="+value)
	}
	return &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   env,
		Files: files[:],
		Sys: &syscall.SysProcAttr{
			Setsid:  true,
			Setctty: spec.Terminal != nil, // the terminal is its stdin, descriptor 0
			Credential: &syscall.Credential{
				Uid: spec.User.UID, Gid: spec.User.GID, Groups: spec.User.Groups,
				NoSetGroups: os.Geteuid() != 0,
			},
		},
	}
}

// killAt kills the group at the deadline, whether anybody is still connected or not.
func (p *Process) killAt(deadline time.Time) (stop func()) {
	if deadline.IsZero() {
		return func() {}
	}
	timer := time.AfterFunc(time.Until(deadline), func() {
		p.timedOut.Store(true)
		_ = p.Signal(syscall.SIGKILL)
	})
	return func() { timer.Stop() }
}

func checkDir(dir string) error {
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return &StartError{text: fmt.Sprintf("cwd '%s' does not exist", dir), cause: err}
		}
		return &StartError{text: fmt.Sprintf("cwd '%s' cannot be used: %v", dir, err), cause: err}
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return &StartError{text: fmt.Sprintf("cwd '%s' is not a directory", dir), cause: unix.ENOTDIR}
	}
	return nil
}

// findCommand looks a plain name up in PATH; anything with a slash is for the kernel to judge.
func findCommand(command, dir, path string) (string, error) {
	if command == "" {
		return "", errors.New("it is empty")
	}
	if strings.Contains(command, "/") {
		return command, nil
	}
	for place := range strings.SplitSeq(path, ":") {
		if !strings.HasPrefix(place, "/") {
			place = dir + "/" + place
		}
		candidate := place + "/" + command
		var stat unix.Stat_t
		if unix.Stat(candidate, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Mode&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", errors.New("it is not in PATH")
}

func startFailure(spec Spec, err error) error {
	text := fmt.Sprintf("starting '%s' failed: %v", spec.Command, err)
	if errors.Is(err, os.ErrPermission) {
		// The kernel does not say whether it was the directory or the file.
		text = fmt.Sprintf("starting '%s' in '%s' as user '%s' failed: %v", spec.Command, spec.Dir, spec.User.Name, err)
	}
	return &StartError{text: text, cause: err}
}
