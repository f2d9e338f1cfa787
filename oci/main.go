// torpor-oci turns images of OCI registries and uploaded archives into directories. It does one command and ends; README.md is the protocol.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/report"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "torpor-oci takes its one request, a JSON object, from standard input (README.md)")
		os.Exit(2)
	}
	unix.Umask(0) // modes are those of the images
	go endWithCaller(os.Stdout)
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	code := run(ctx, os.Stdin, os.Stdout)
	stop()
	os.Exit(code)
}

// run does one request and returns the exit code: 0 after a result line, 1 after an error line.
func run(ctx context.Context, input io.Reader, output io.Writer) int {
	lines := report.New(output)
	result, err := execute(ctx, input, lines)
	if err != nil {
		lines.Error(err)
		return 1
	}
	lines.Result(result)
	return 0
}

func execute(ctx context.Context, input io.Reader, lines *report.Reporter) (any, error) {
	parsed, err := readRequest(input)
	if err != nil {
		return nil, err
	}
	switch parsed.Command {
	case "resolve":
		return resolve(ctx, parsed)
	case "unpack":
		return unpack(ctx, parsed, lines)
	case "adapt":
		return adaptImage(parsed, lines)
	case "extract":
		return extract(ctx, parsed, lines)
	}
	return nil, fault.New(fault.InvalidArgument, "command must be resolve, unpack, adapt or extract, not %.50q.", parsed.Command)
}
