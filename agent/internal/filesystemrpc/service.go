// Package filesystemrpc answers the filesystem service of the wire (protocol.md §3.5).
package filesystemrpc

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"torpor.dev/agent/internal/filesystem"
	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/rpcerror"
	"torpor.dev/agent/internal/users"
	wire "torpor.dev/agent/proto/filesystem"
	"torpor.dev/agent/proto/filesystem/filesystemconnect"
)

// Service answers filesystem.Filesystem.
type Service struct {
	filesystemconnect.UnimplementedFilesystemHandler
	identity *identity.Identity
	database *users.Database
	watchers watchers
}

// New makes the service.
func New(identity *identity.Identity, database *users.Database) *Service {
	return &Service{identity: identity, database: database}
}

// Stat describes one file.
func (s *Service) Stat(_ context.Context, r *connect.Request[wire.StatRequest]) (*connect.Response[wire.StatResponse], error) {
	_, path, err := s.locate(r.Header(), r.Msg.GetPath())
	if err != nil {
		return nil, err
	}
	entry, err := s.describe(path)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.StatResponse{Entry: entry}), nil
}

// ListDir describes what is in a directory.
func (s *Service) ListDir(ctx context.Context, r *connect.Request[wire.ListDirRequest]) (*connect.Response[wire.ListDirResponse], error) {
	_, path, err := s.locate(r.Header(), r.Msg.GetPath())
	if err != nil {
		return nil, err
	}
	// The interface is 32 bits wide, directories are not that deep.
	depth := int(min(r.Msg.GetDepth(), 1<<20))
	entries, err := filesystem.List(ctx, path, depth, s.database.Names())
	if err != nil {
		return nil, toWire(err)
	}
	answer := &wire.ListDirResponse{Entries: make([]*wire.EntryInfo, 0, len(entries))}
	for _, entry := range entries {
		answer.Entries = append(answer.Entries, entryToWire(entry))
	}
	return connect.NewResponse(answer), nil
}

// MakeDir makes a directory and its parents.
func (s *Service) MakeDir(_ context.Context, r *connect.Request[wire.MakeDirRequest]) (*connect.Response[wire.MakeDirResponse], error) {
	user, path, err := s.locate(r.Header(), r.Msg.GetPath())
	if err != nil {
		return nil, err
	}
	if err := filesystem.MakeDir(path, user); err != nil {
		return nil, toWire(err)
	}
	entry, err := s.describe(path)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.MakeDirResponse{Entry: entry}), nil
}

// Move renames a file or directory.
func (s *Service) Move(_ context.Context, r *connect.Request[wire.MoveRequest]) (*connect.Response[wire.MoveResponse], error) {
	user, source, err := s.locate(r.Header(), r.Msg.GetSource())
	if err != nil {
		return nil, err
	}
	destination, err := s.identity.Resolve(r.Msg.GetDestination(), user)
	if err != nil {
		return nil, rpcerror.Of(err)
	}
	if err := filesystem.Move(source, destination, user); err != nil {
		return nil, toWire(err)
	}
	entry, err := s.describe(destination)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.MoveResponse{Entry: entry}), nil
}

// Remove removes a file or a whole directory.
func (s *Service) Remove(_ context.Context, r *connect.Request[wire.RemoveRequest]) (*connect.Response[wire.RemoveResponse], error) {
	_, path, err := s.locate(r.Header(), r.Msg.GetPath())
	if err != nil {
		return nil, err
	}
	if err := filesystem.Remove(path); err != nil {
		return nil, toWire(err)
	}
	return connect.NewResponse(&wire.RemoveResponse{}), nil
}

// locate finds the user of a request and resolves a path for them.
func (s *Service) locate(header http.Header, path string) (users.User, string, error) {
	user, err := s.identity.UserOf(header.Get("Authorization"))
	if err != nil {
		return user, "", rpcerror.Of(err)
	}
	absolute, err := s.identity.Resolve(path, user)
	if err != nil {
		return user, "", rpcerror.Of(err)
	}
	return user, absolute, nil
}

func (s *Service) describe(path string) (*wire.EntryInfo, error) {
	entry, err := filesystem.Stat(path, s.database.Names())
	if err != nil {
		return nil, toWire(err)
	}
	return entryToWire(entry), nil
}

// toWire knows the file system's own errors; rpcerror knows the rest.
func toWire(err error) error {
	if _, ok := errors.AsType[*filesystem.ExistsError](err); ok {
		return connect.NewError(connect.CodeAlreadyExists, err)
	}
	_, notFile := errors.AsType[*filesystem.NotFileError](err)
	_, notDirectory := errors.AsType[*filesystem.NotDirectoryError](err)
	if notFile || notDirectory || errors.Is(err, filesystem.ErrRoot) {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	return rpcerror.Of(err)
}

func entryToWire(e filesystem.Entry) *wire.EntryInfo {
	return &wire.EntryInfo{
		Name: e.Name, Path: e.Path, Type: typeToWire(e.Type),
		Size: e.Size, Mode: e.Mode, Permissions: e.Permissions,
		Owner: e.Owner, Group: e.Group,
		ModifiedTime: timestamppb.New(e.Modified), SymlinkTarget: e.SymlinkTarget, Metadata: e.Metadata,
	}
}

func typeToWire(t filesystem.Type) wire.FileType {
	switch t {
	case filesystem.File:
		return wire.FileType_FILE_TYPE_FILE
	case filesystem.Directory:
		return wire.FileType_FILE_TYPE_DIRECTORY
	default:
		return wire.FileType_FILE_TYPE_UNSPECIFIED
	}
}
