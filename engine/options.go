package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
)

// options are the settings of one host process.
type options struct {
	socket       string
	root         string
	logDirectory string
	versionID    string
	debug        bool
}

// parseOptions reads the arguments after `serve` and checks them as a whole.
func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("torpor-engine serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.socket, "socket", "", "unix socket to listen on")
	flags.StringVar(&o.root, "root", "", "directory of the runtime's state files")
	flags.StringVar(&o.logDirectory, "log-dir", "", "directory of the executions' logs (default: logs, beside the root)")
	flags.StringVar(&o.versionID, "version-id", "", "identity of this build, answered by `version`")
	flags.BoolVar(&o.debug, "debug", false, "also log what the embedded runtime says, and keep verbose logs of each sandbox (unbounded)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o.complete()
}

func (o options) complete() (options, error) {
	if !filepath.IsAbs(o.socket) {
		return o, errors.New("--socket must be an absolute path")
	}
	if !filepath.IsAbs(o.root) || filepath.Clean(o.root) == "/" {
		return o, errors.New("--root must be an absolute path below /")
	}
	o.root = filepath.Clean(o.root)
	if o.logDirectory == "" {
		o.logDirectory = filepath.Join(filepath.Dir(o.root), "logs")
	}
	if !filepath.IsAbs(o.logDirectory) {
		return o, errors.New("--log-dir must be an absolute path")
	}
	return o, nil
}
