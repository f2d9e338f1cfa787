package processrpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/keepalive"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	"torpor.dev/agent/internal/users"
	wire "torpor.dev/agent/proto/process"
)

// usualTerminal is the kind of terminal that every client has.
const usualTerminal = "xterm-256color"

// Start runs a process and follows it. The request's timeout bounds the process; a client that leaves does not end it.
func (s *Service) Start(ctx context.Context, r *connect.Request[wire.StartRequest], stream *connect.ServerStream[wire.StartResponse]) error {
	spec, err := s.spec(ctx, r)
	if err != nil {
		return err
	}
	p, subscription, err := s.table.Start(spec)
	if err != nil {
		return startError(err)
	}
	f := follower{
		process:      p,
		subscription: subscription,
		keepalive:    keepalive.Interval(r.Header()),
		bounded:      true,
		send:         func(event *wire.ProcessEvent) error { return stream.Send(&wire.StartResponse{Event: event}) },
	}
	return f.follow(ctx)
}

// OffsetHeader asks Connect for output of the past: `all` that is kept, or what follows so many bytes, counted over all
// channels in the order of delivery. The answer has the offset of the first byte it delivers under the same name. It is an
// extension: without it only what comes from now on is sent, as envd does.
const OffsetHeader = "Torpor-Output-Offset"

// DroppedHeader of the answer is how many of the bytes that were asked for are not kept any more.
const DroppedHeader = "Torpor-Output-Dropped"

// Connect follows a process from now on, or tells the end of one that ended some time ago.
func (s *Service) Connect(ctx context.Context, r *connect.Request[wire.ConnectRequest], stream *connect.ServerStream[wire.ConnectResponse]) error {
	p, err := s.find(r.Msg.GetProcess(), s.table.Find)
	if err != nil {
		return err
	}
	offset, asked, err := outputOffset(r.Header())
	if err != nil {
		return err
	}
	f := follower{
		process:      p,
		subscription: p.Subscribe(offset),
		keepalive:    keepalive.Interval(r.Header()),
		send:         func(event *wire.ProcessEvent) error { return stream.Send(&wire.ConnectResponse{Event: event}) },
	}
	if asked {
		stream.ResponseHeader().Set(OffsetHeader, strconv.FormatInt(f.subscription.Offset, 10))
		stream.ResponseHeader().Set(DroppedHeader, strconv.FormatInt(f.subscription.Dropped, 10))
	}
	return f.follow(ctx)
}

func outputOffset(header http.Header) (offset int64, asked bool, err error) {
	switch value := header.Get(OffsetHeader); value {
	case "":
		return process.FromNow, false, nil
	case "all":
		return process.FromStart, true, nil
	default:
		offset, err := strconv.ParseInt(value, 10, 64)
		if err != nil || offset < 0 {
			return 0, true, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%s: '%s' is neither a number of bytes nor 'all'", OffsetHeader, value))
		}
		return offset, true, nil
	}
}

// spec is what a request asks for, completed with what the sandbox and the user bring.
func (s *Service) spec(ctx context.Context, r *connect.Request[wire.StartRequest]) (process.Spec, error) {
	config := r.Msg.GetProcess()
	if config == nil {
		return process.Spec{}, connect.NewError(connect.CodeInvalidArgument, errors.New("process is missing"))
	}
	user, err := s.identity.UserOf(r.Header().Get("Authorization"))
	if err != nil {
		return process.Spec{}, rpcerror.Of(err)
	}
	if err := identity.CheckEnv(config.GetEnvs()); err != nil {
		return process.Spec{}, connect.NewError(connect.CodeInvalidArgument, err)
	}
	dir, err := s.workdir(config.GetCwd(), user)
	if err != nil {
		return process.Spec{}, rpcerror.Of(err)
	}
	env := identity.EnvironmentOf(user, s.identity.Env(), config.GetEnvs())
	terminal := sizeOf(r.Msg.GetPty())
	if _, told := env["TERM"]; terminal != nil && !told {
		env["TERM"] = usualTerminal
	}
	deadline, _ := ctx.Deadline()
	return process.Spec{
		Command:  config.GetCmd(),
		Args:     config.GetArgs(),
		Env:      env,
		Dir:      dir,
		User:     user,
		Stdin:    r.Msg.Stdin == nil || r.Msg.GetStdin(),
		Terminal: terminal,
		Tag:      r.Msg.Tag,
		Deadline: deadline,
		Asked:    process.Asked{Envs: config.GetEnvs(), Cwd: config.Cwd},
	}, nil
}

// workdir is the directory to start in. System users have homes that do not exist; their processes start at the root,
// unless a directory was asked for.
func (s *Service) workdir(asked string, user users.User) (string, error) {
	if asked == "" && s.identity.Base(user).Workdir == "" {
		if _, err := os.Stat(user.Home); errors.Is(err, os.ErrNotExist) {
			return "/", nil
		}
	}
	return s.identity.Resolve(asked, user)
}

// startError is for the caller to mend, unless the sandbox has run out of something.
func startError(err error) error {
	for _, exhausted := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, exhausted) {
			return connect.NewError(connect.CodeResourceExhausted, err)
		}
	}
	return connect.NewError(connect.CodeInvalidArgument, err)
}
