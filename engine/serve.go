package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"torpor.dev/engine/internal/httpapi"
	"torpor.dev/engine/internal/runtime"
)

// farewell bounds how long requests may take to finish after SIGTERM; a capture of a large sandbox takes seconds.
const farewell = 2 * time.Minute

// serve runs the host until SIGTERM or SIGINT. Sandboxes go on without it.
func serve(args []string, log *slog.Logger) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	lock, err := lockRoot(o.root)
	if err != nil {
		return err
	}
	defer lock.Close()
	listener, err := listen(o.socket)
	if err != nil {
		return err
	}
	runtime.Quieten(log, o.debug)
	hub := httpapi.NewHub()
	settings := runtime.Settings{Root: o.root, LogDirectory: o.logDirectory, VersionID: o.versionID, Debug: o.debug}
	host := runtime.New(settings, log, hub.Publish)
	// The socket accepts from now on, but nobody is answered before all executions are found.
	if err := host.Adopt(); err != nil {
		return fmt.Errorf("taking over executions: %w", err)
	}
	log.Info("serving", "socket", o.socket, "root", o.root, "version", o.versionID)
	err = answer(listener, httpapi.New(host, hub, log), hub, log)
	host.Leave()
	return err
}

// answer serves until a signal asks to stop, then lets the requests finish.
func answer(listener net.Listener, handler http.Handler, hub *httpapi.Hub, log *slog.Logger) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	server := &http.Server{
		Handler: handler,
		// What nobody has to wait for is given up at the signal.
		BaseContext:       func(net.Listener) context.Context { return stop },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(hub.Close)
	done := make(chan error, 1)
	go func() {
		<-stop.Done()
		log.Info("stopping")
		limit, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		done <- server.Shutdown(limit)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// listen opens the socket, over a stale one if need be, but never over one that is answered.
func listen(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another host answers on %s", path)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("another host holds %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the stale socket: %w", err)
	}
	// The mask makes the socket private from its first moment; nothing else runs yet.
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen("unix", path)
}

// lockPatience is how long children of a host that was killed while it made them may still hold its lock, until they execute.
const lockPatience = 3 * time.Second

// lockRoot makes sure that one host at a time works on a root. The kernel drops the lock when the host dies.
func lockRoot(root string) (*os.File, error) {
	if err := os.MkdirAll(root, 0o711); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(root, "host.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return lock, nil
		}
		if time.Now().After(deadline) {
			lock.Close()
			return nil, fmt.Errorf("another host works on %s: %w", root, err)
		}
	}
}
