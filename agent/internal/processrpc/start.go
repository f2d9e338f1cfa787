package processrpc

import (
	"context"
	"errors"
	"os"
	"syscall"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/rpcerror"
	"torpor.dev/agent/internal/users"
	wire "torpor.dev/agent/proto/process"
)

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
		keepalive:    keepalive(r.Header()),
		bounded:      true,
		send:         func(event *wire.ProcessEvent) error { return stream.Send(&wire.StartResponse{Event: event}) },
	}
	return f.follow(ctx)
}

// Connect follows a process from now on, or tells the end of one that ended a short time ago.
func (s *Service) Connect(ctx context.Context, r *connect.Request[wire.ConnectRequest], stream *connect.ServerStream[wire.ConnectResponse]) error {
	p, err := s.find(r.Msg.GetProcess(), s.table.Find)
	if err != nil {
		return err
	}
	f := follower{
		process:      p,
		subscription: p.Subscribe(),
		keepalive:    keepalive(r.Header()),
		send:         func(event *wire.ProcessEvent) error { return stream.Send(&wire.ConnectResponse{Event: event}) },
	}
	return f.follow(ctx)
}

// spec is what a request asks for, completed with what the sandbox and the user bring.
func (s *Service) spec(ctx context.Context, r *connect.Request[wire.StartRequest]) (process.Spec, error) {
	config := r.Msg.GetProcess()
	if config == nil {
		return process.Spec{}, connect.NewError(connect.CodeInvalidArgument, errors.New("process is missing"))
	}
	if r.Msg.Pty != nil {
		return process.Spec{}, connect.NewError(connect.CodeUnimplemented, errNoTerminals)
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
	deadline, _ := ctx.Deadline()
	return process.Spec{
		Command:  config.GetCmd(),
		Args:     config.GetArgs(),
		Env:      identity.EnvironmentOf(user, s.identity.Env(), config.GetEnvs()),
		Dir:      dir,
		User:     user,
		Stdin:    r.Msg.Stdin == nil || r.Msg.GetStdin(),
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
