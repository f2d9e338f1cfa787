package filesystemrpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	wire "torpor.dev/agent/proto/filesystem"
)

var errNoWatching = connect.NewError(connect.CodeUnimplemented, errors.New("watching directories is not supported yet"))

// WatchDir would stream changes.
func (s *Service) WatchDir(context.Context, *connect.Request[wire.WatchDirRequest], *connect.ServerStream[wire.WatchDirResponse]) error {
	return errNoWatching
}

// CreateWatcher would collect changes.
func (s *Service) CreateWatcher(context.Context, *connect.Request[wire.CreateWatcherRequest]) (*connect.Response[wire.CreateWatcherResponse], error) {
	return nil, errNoWatching
}

// GetWatcherEvents would hand out collected changes.
func (s *Service) GetWatcherEvents(context.Context, *connect.Request[wire.GetWatcherEventsRequest]) (*connect.Response[wire.GetWatcherEventsResponse], error) {
	return nil, errNoWatching
}

// RemoveWatcher would end a collection.
func (s *Service) RemoveWatcher(context.Context, *connect.Request[wire.RemoveWatcherRequest]) (*connect.Response[wire.RemoveWatcherResponse], error) {
	return nil, errNoWatching
}
