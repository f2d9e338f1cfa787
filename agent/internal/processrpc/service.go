// Package processrpc answers the process service of the wire (protocol.md §3.4).
package processrpc

import (
	"context"
	"errors"
	"maps"
	"os"
	"syscall"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	wire "torpor.dev/agent/proto/process"
	"torpor.dev/agent/proto/process/processconnect"
)

// Service answers process.Process.
type Service struct {
	processconnect.UnimplementedProcessHandler
	table    *process.Table
	identity *identity.Identity
}

// New makes the service of a table of processes.
func New(table *process.Table, identity *identity.Identity) *Service {
	return &Service{table: table, identity: identity}
}

// List shows the processes that were started here and are not over.
func (s *Service) List(context.Context, *connect.Request[wire.ListRequest]) (*connect.Response[wire.ListResponse], error) {
	answer := &wire.ListResponse{}
	for _, p := range s.table.Live() {
		spec := p.Spec()
		answer.Processes = append(answer.Processes, &wire.ProcessInfo{
			Pid: uint32(p.PID()),
			Tag: spec.Tag,
			Config: &wire.ProcessConfig{
				Cmd: spec.Command, Args: spec.Args,
				Envs: maps.Clone(spec.Asked.Envs), Cwd: spec.Asked.Cwd,
			},
		})
	}
	return connect.NewResponse(answer), nil
}

// CloseStdin lets a process read the end of its input.
func (s *Service) CloseStdin(_ context.Context, r *connect.Request[wire.CloseStdinRequest]) (*connect.Response[wire.CloseStdinResponse], error) {
	p, err := s.live(r.Msg.GetProcess())
	if err != nil {
		return nil, err
	}
	err = p.CloseStdin()
	if errors.Is(err, process.ErrTerminal) {
		return nil, connect.NewError(connect.CodeUnknown, err)
	}
	if err != nil {
		return nil, inputError(err)
	}
	return connect.NewResponse(&wire.CloseStdinResponse{}), nil
}

// SendSignal ends a process and its group, politely or not.
func (s *Service) SendSignal(_ context.Context, r *connect.Request[wire.SendSignalRequest]) (*connect.Response[wire.SendSignalResponse], error) {
	p, err := s.live(r.Msg.GetProcess())
	if err != nil {
		return nil, err
	}
	switch r.Msg.GetSignal() {
	case wire.Signal_SIGNAL_SIGKILL:
		err = p.Signal(syscall.SIGKILL)
	case wire.Signal_SIGNAL_SIGTERM:
		err = p.Signal(syscall.SIGTERM)
	default:
		return nil, connect.NewError(connect.CodeUnimplemented, errors.New("only SIGKILL and SIGTERM can be sent"))
	}
	if err != nil {
		return nil, rpcerror.Of(err)
	}
	return connect.NewResponse(&wire.SendSignalResponse{}), nil
}

func (s *Service) live(selector *wire.ProcessSelector) (*process.Process, error) {
	return s.find(selector, s.table.FindLive)
}

func (s *Service) find(selector *wire.ProcessSelector, find func(process.Selector) (*process.Process, error)) (*process.Process, error) {
	var wanted process.Selector
	switch by := selector.GetSelector().(type) {
	case *wire.ProcessSelector_Pid:
		wanted.PID = int(by.Pid)
	case *wire.ProcessSelector_Tag:
		wanted.Tag = &by.Tag
	default:
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("process selector is missing"))
	}
	p, err := find(wanted)
	if err != nil {
		return nil, connect.NewError(connect.CodeNotFound, err)
	}
	return p, nil
}

// inputError is internal for a process that takes no such input and unknown for the end of a terminal's, as envd has it.
func inputError(err error) error {
	switch {
	case errors.Is(err, process.ErrNoStdin), errors.Is(err, process.ErrNoTerminal), errors.Is(err, process.ErrTerminal),
		errors.Is(err, os.ErrClosed), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.EIO):
		return connect.NewError(connect.CodeInternal, err)
	default:
		return rpcerror.Of(err)
	}
}
