package process

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestRunTellsTheEndAndIsNotListed(t *testing.T) {
	table := newTable(t)
	end, err := table.Run(t.Context(), shell("echo dropped; exit 6"))
	if err != nil || end.ExitCode != 6 || len(table.Live()) != 0 {
		t.Errorf("got %+v, %v", end, err)
	}
	if _, err := table.Run(t.Context(), Spec{Command: "/nonexistent", Dir: "/"}); err == nil {
		t.Error("started what is not there")
	}
}

func TestRunKillsTheGroupWhenItsTimeIsOver(t *testing.T) {
	pidFile := t.TempDir() + "/pid"
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := newTable(t).Run(ctx, shell("sleep 1000 & echo $! >"+pidFile+"; wait")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	child, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	gone(t, string(child))
}
