// Command gvisor_sentry is the sandbox process alone: smaller than the whole runtime, so a sandbox starts sooner.
package main

import (
	"os"

	"gvisor.dev/gvisor/runsc/cli"
	"gvisor.dev/gvisor/runsc/cmd/sentry/sentrycmd"
	"gvisor.dev/gvisor/runsc/cmd/util"
	"gvisor.dev/gvisor/runsc/gvisorbinaries"

	"torpor.dev/engine/internal/descriptors"
	// The root leaves room on the disk as it says.
	_ "torpor.dev/engine/internal/floor"
	// Images are read and written as it says.
	_ "torpor.dev/engine/internal/pages"
)

func main() {
	descriptors.Shed(os.Args)
	commands := map[util.SubCommand]string{
		new(sentrycmd.Boot):   "internal use only",
		new(sentrycmd.Umount): "internal use only",
	}
	cli.Run(&gvisorbinaries.GvisorSentry, commands, nil)
}
