package filesystemrpc

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/filesystem"
	"torpor.dev/agent/internal/keepalive"
	"torpor.dev/agent/internal/rpcerror"
	"torpor.dev/agent/internal/watch"
	wire "torpor.dev/agent/proto/filesystem"
)

// wanted is what the two requests to watch have in common.
type wanted interface {
	GetPath() string
	GetRecursive() bool
	GetIncludeEntry() bool
	GetAllowNetworkMounts() bool
}

// watched is a directory as one client watches it.
type watched struct {
	*watch.Watcher
	path      string
	withEntry bool
}

func (s *Service) watch(header http.Header, request wanted) (*watched, error) {
	_, path, err := s.locate(header, request.GetPath())
	if err != nil {
		return nil, err
	}
	options := watch.Options{Recursive: request.GetRecursive(), AllowNetwork: request.GetAllowNetworkMounts()}
	watcher, err := watch.New(path, options)
	if err != nil {
		return nil, watchError(err)
	}
	return &watched{Watcher: watcher, path: path, withEntry: request.GetIncludeEntry()}, nil
}

// WatchDir streams what changes until the client leaves or its time is over.
func (s *Service) WatchDir(ctx context.Context, r *connect.Request[wire.WatchDirRequest], stream *connect.ServerStream[wire.WatchDirResponse]) error {
	w, err := s.watch(r.Header(), r.Msg)
	if err != nil {
		return err
	}
	defer w.Close()
	started := &wire.WatchDirResponse{Event: &wire.WatchDirResponse_Start{Start: &wire.WatchDirResponse_StartEvent{}}}
	if err := stream.Send(started); err != nil {
		return err
	}
	interval := keepalive.Interval(r.Header())
	silence := time.NewTimer(interval)
	defer silence.Stop()
	for {
		select {
		case <-w.Ready():
			if err := s.sendEvents(w, stream); err != nil {
				return err
			}
		case <-silence.C:
			alive := &wire.WatchDirResponse{Event: &wire.WatchDirResponse_Keepalive{Keepalive: &wire.WatchDirResponse_KeepAlive{}}}
			if err := stream.Send(alive); err != nil {
				return err
			}
		case <-ctx.Done():
			return rpcerror.Of(ctx.Err())
		}
		silence.Reset(interval)
	}
}

func (s *Service) sendEvents(w *watched, stream *connect.ServerStream[wire.WatchDirResponse]) error {
	events, err := s.take(w)
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := stream.Send(&wire.WatchDirResponse{Event: &wire.WatchDirResponse_Filesystem{Filesystem: event}}); err != nil {
			return err
		}
	}
	return nil
}

// take returns what has happened since the last time, or why nothing will any more.
func (s *Service) take(w *watched) ([]*wire.FilesystemEvent, error) {
	events, err := w.Take()
	if err != nil {
		return nil, watchError(err)
	}
	names := s.database.Names()
	told := make([]*wire.FilesystemEvent, 0, len(events))
	for _, event := range events {
		message := &wire.FilesystemEvent{Name: event.Name, Type: operationToWire(event.Operation)}
		if w.withEntry && event.Operation != watch.Remove && event.Operation != watch.Rename {
			// It may be gone again.
			if entry, err := filesystem.Stat(filepath.Join(w.path, event.Name), names); err == nil {
				message.Entry = entryToWire(entry)
			}
		}
		told = append(told, message)
	}
	return told, nil
}

func watchError(err error) error {
	_, notDirectory := errors.AsType[*watch.NotDirectoryError](err)
	_, network := errors.AsType[*watch.NetworkError](err)
	switch {
	case notDirectory, network:
		return connect.NewError(connect.CodeInvalidArgument, err)
	case errors.Is(err, watch.ErrTooManyDirectories), errors.Is(err, watch.ErrLost):
		return connect.NewError(connect.CodeResourceExhausted, err)
	default:
		return rpcerror.Of(err)
	}
}

func operationToWire(operation watch.Operation) wire.EventType {
	switch operation {
	case watch.Create:
		return wire.EventType_EVENT_TYPE_CREATE
	case watch.Write:
		return wire.EventType_EVENT_TYPE_WRITE
	case watch.Remove:
		return wire.EventType_EVENT_TYPE_REMOVE
	case watch.Rename:
		return wire.EventType_EVENT_TYPE_RENAME
	case watch.Chmod:
		return wire.EventType_EVENT_TYPE_CHMOD
	default:
		return wire.EventType_EVENT_TYPE_UNSPECIFIED
	}
}
