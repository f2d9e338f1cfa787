package processrpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	wire "torpor.dev/agent/proto/process"
)

// SendInput writes to the stdin or the terminal of a process, waiting while the process does not read.
func (s *Service) SendInput(ctx context.Context, r *connect.Request[wire.SendInputRequest]) (*connect.Response[wire.SendInputResponse], error) {
	p, err := s.live(r.Msg.GetProcess())
	if err != nil {
		return nil, err
	}
	if err := write(ctx, p, r.Msg.GetInput()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.SendInputResponse{}), nil
}

// StreamInput writes many inputs in their order; the first message names the process. The SDKs use SendInput.
func (s *Service) StreamInput(ctx context.Context, stream *connect.ClientStream[wire.StreamInputRequest]) (*connect.Response[wire.StreamInputResponse], error) {
	var p *process.Process
	for stream.Receive() {
		switch event := stream.Msg().GetEvent().(type) {
		case *wire.StreamInputRequest_Start:
			var err error
			if p, err = s.live(event.Start.GetProcess()); err != nil {
				return nil, err
			}
		case *wire.StreamInputRequest_Data:
			if p == nil {
				return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("input came before the process was named"))
			}
			if err := write(ctx, p, event.Data.GetInput()); err != nil {
				return nil, err
			}
		}
	}
	if err := stream.Err(); err != nil {
		return nil, rpcerror.Of(err)
	}
	return connect.NewResponse(&wire.StreamInputResponse{}), nil
}

func write(ctx context.Context, p *process.Process, input *wire.ProcessInput) error {
	var err error
	switch to := input.GetInput().(type) {
	case *wire.ProcessInput_Stdin:
		err = p.WriteStdin(ctx, to.Stdin)
	case *wire.ProcessInput_Pty:
		err = p.WriteTerminal(ctx, to.Pty)
	default:
		return connect.NewError(connect.CodeInvalidArgument, errors.New("input is missing"))
	}
	if err != nil {
		return inputError(err)
	}
	return nil
}

// Update resizes the terminal of a process.
func (s *Service) Update(_ context.Context, r *connect.Request[wire.UpdateRequest]) (*connect.Response[wire.UpdateResponse], error) {
	p, err := s.live(r.Msg.GetProcess())
	if err != nil {
		return nil, err
	}
	if size := sizeOf(r.Msg.GetPty()); size != nil {
		if err := p.Resize(*size); err != nil {
			return nil, inputError(err)
		}
	}
	return connect.NewResponse(&wire.UpdateResponse{}), nil
}

func sizeOf(terminal *wire.PTY) *process.Size {
	if terminal == nil {
		return nil
	}
	return &process.Size{Columns: terminal.GetSize().GetCols(), Rows: terminal.GetSize().GetRows()}
}
