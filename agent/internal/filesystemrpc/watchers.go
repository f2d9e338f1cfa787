package filesystemrpc

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	wire "torpor.dev/agent/proto/filesystem"
)

const (
	// maxWatchers bounds the watchers of clients that ask for their events instead of streaming them.
	maxWatchers = 100
	// abandonedAfter is when a watcher that nobody asks may make room for another one.
	abandonedAfter = time.Hour
)

// watchers are those of CreateWatcher, by id.
type watchers struct {
	mu   sync.Mutex
	byID map[string]*polled
}

type polled struct {
	*watched
	asked time.Time // the last time
}

// CreateWatcher collects what changes, to be fetched by GetWatcherEvents.
func (s *Service) CreateWatcher(_ context.Context, r *connect.Request[wire.CreateWatcherRequest]) (*connect.Response[wire.CreateWatcherResponse], error) {
	w, err := s.watch(r.Header(), r.Msg)
	if err != nil {
		return nil, err
	}
	id, err := s.watchers.add(w)
	if err != nil {
		w.Close()
		return nil, err
	}
	return connect.NewResponse(&wire.CreateWatcherResponse{WatcherId: id}), nil
}

// GetWatcherEvents hands out what was collected since the last time.
func (s *Service) GetWatcherEvents(_ context.Context, r *connect.Request[wire.GetWatcherEventsRequest]) (*connect.Response[wire.GetWatcherEventsResponse], error) {
	w, err := s.watchers.find(r.Msg.GetWatcherId(), false)
	if err != nil {
		return nil, err
	}
	events, err := s.take(w)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.GetWatcherEventsResponse{Events: events}), nil
}

// RemoveWatcher ends a collection.
func (s *Service) RemoveWatcher(_ context.Context, r *connect.Request[wire.RemoveWatcherRequest]) (*connect.Response[wire.RemoveWatcherResponse], error) {
	w, err := s.watchers.find(r.Msg.GetWatcherId(), true)
	if err != nil {
		return nil, err
	}
	w.Close()
	return connect.NewResponse(&wire.RemoveWatcherResponse{}), nil
}

func (all *watchers) add(w *watched) (id string, err error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.byID) >= maxWatchers {
		all.removeAbandoned()
	}
	if len(all.byID) >= maxWatchers {
		return "", connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("too many watchers: at most %d, remove those that are not needed", maxWatchers))
	}
	if all.byID == nil {
		all.byID = map[string]*polled{}
	}
	id = "w" + strings.ToLower(rand.Text())
	all.byID[id] = &polled{watched: w, asked: time.Now()}
	return id, nil
}

func (all *watchers) removeAbandoned() {
	for id, each := range all.byID {
		if time.Since(each.asked) > abandonedAfter {
			each.Close()
			delete(all.byID, id)
		}
	}
}

func (all *watchers) find(id string, remove bool) (*watched, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	found, known := all.byID[id]
	if !known {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("watcher with id %s not found", id))
	}
	found.asked = time.Now()
	if remove {
		delete(all.byID, id)
	}
	return found.watched, nil
}
