// Command torpor-agent is the daemon in every sandbox: PID 1, on port 49983, compatible with envd (protocol.md §3).
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"torpor.dev/agent/internal/journal"
	"torpor.dev/agent/internal/machine"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/server"
	"torpor.dev/agent/internal/users"
)

// version is the envd version whose behaviour the agent has; clients switch features on by it (protocol.md §3.8).
const version = "0.6.13"

const logPrefix = "torpor-agent: "

const (
	// An idle sandbox is captured with the agent's heap, so the heap is kept small.
	gcPercent   = 50
	memoryLimit = 128 << 20
)

func main() {
	listen := flag.String("listen", ":49983", "address to serve on")
	showVersion := flag.Bool("version", false, "print the envd version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	log.SetFlags(0)
	log.SetPrefix(logPrefix)
	if err := run(*listen); err != nil {
		log.Fatal(err)
	}
}

func run(address string) error {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	syscall.Umask(0o022)
	keepSignalsAway()
	reaper, err := process.NewReaper()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	notes := &journal.Journal{}
	log.SetOutput(notes.Writer(os.Stderr, logPrefix))
	return server.New(server.Parts{
		Database:  users.New("/etc/passwd", "/etc/group"),
		Processes: process.NewTable(reaper, notes),
		Journal:   notes,
		Machine:   ownMachine(),
	}).Serve(listener)
}

// ownMachine is the system around the agent if it is the agent's own, which is so for PID 1 only.
func ownMachine() *machine.Files {
	if os.Getpid() != 1 {
		return nil
	}
	return machine.New("/", func(name string) error { return syscall.Sethostname([]byte(name)) })
}

// keepSignalsAway keeps signals from ending the agent. They are caught, not ignored: an ignored signal would be ignored by
// every process started here. Outside a sandbox the usual ones still end it.
func keepSignalsAway() {
	away := []os.Signal{syscall.SIGHUP, syscall.SIGPIPE}
	if os.Getpid() == 1 {
		away = append(away, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	}
	// Nobody reads the channel: a signal that does not fit is dropped.
	signal.Notify(make(chan os.Signal, 1), away...)
}
