// Command torpor-engine hosts the embedded gVisor runtime behind a unix socket.
//
// The runtime re-executes this binary for its own sub-commands (boot, gofer, …), so everything but `serve` goes to it.
package main

import (
	"os"

	"gvisor.dev/gvisor/runsc/cli/maincli"

	"torpor.dev/engine/internal/descriptors"
	// The root leaves room on the disk as it says.
	_ "torpor.dev/engine/internal/floor"
	// Images are read and written as it says.
	_ "torpor.dev/engine/internal/pages"
)

func main() {
	if !isServe(os.Args) {
		descriptors.Shed(os.Args)
		maincli.Main()
		return
	}
	log, err := takeStdio()
	if err == nil {
		err = serve(os.Args[2:], log)
	}
	if err != nil {
		log.Error("the host cannot serve", "detail", err.Error())
		os.Exit(1)
	}
}

// isServe reports whether the arguments ask for the host itself rather than for one of the runtime's sub-commands.
func isServe(args []string) bool {
	return len(args) > 1 && args[1] == "serve"
}
