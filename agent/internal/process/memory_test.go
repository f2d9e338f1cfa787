package process

import (
	"os"
	"strings"
	"testing"
)

// hungry takes some 60 MB, says so and waits for input.
const hungry = `x=$(head -c 60000000 /dev/zero | tr '\0' x); echo full; read y`

func eating(script string) Spec {
	spec := shell(script)
	spec.Stdin = true
	return spec
}

func TestBiggestProcessIsKilledAndItsEndSaysWhy(t *testing.T) {
	table := newTable(t)
	small := start(t, table, shell("echo ready; sleep 1000"))
	small.line()
	big := start(t, table, eating(hungry))
	big.line()
	if victim, found := table.KillBiggest(1 << 30); found {
		t.Errorf("killed %+v, which is smaller than what was asked for", victim)
	}
	victim, found := table.KillBiggest(0)
	if !found || victim.PID != big.PID() || victim.RSSBytes < 60_000_000 || !strings.HasPrefix(victim.Command, "/bin/sh -c") {
		t.Errorf("got %+v, %v", victim, found)
	}
	if size := residentOf(victim.PID); size != 0 {
		t.Errorf("it still has %d bytes", size)
	}
	if end := big.wait(); end.Failure() != "killed: the sandbox ran out of memory" || end.Status != "signal: killed" {
		t.Errorf("got %+v", end)
	}
	if small.over() {
		t.Error("the small one is gone too")
	}
}

func TestEndOfTheProcessThatAVictimWorkedForSaysWhy(t *testing.T) {
	table := newTable(t)
	// The shell starts another one, which is the big one.
	spec := eating(`/bin/sh -c "$HUNGRY"; exit 9`)
	spec.Env["HUNGRY"] = hungry
	r := start(t, table, spec)
	r.line()
	if victim, found := table.KillBiggest(0); !found || victim.PID == r.PID() {
		t.Errorf("got %+v", victim)
	}
	if end := r.wait(); end.ExitCode != 9 || end.Failure() != "killed: the sandbox ran out of memory" {
		t.Errorf("got %+v", end)
	}
}

func TestAgentItselfIsNoVictim(t *testing.T) {
	until(t, "children of other tests are left", func() bool {
		_, found := biggest(os.Getpid())
		return !found
	})
	if victim, found := newTable(t).KillBiggest(0); found {
		t.Errorf("killed %+v", victim)
	}
}
