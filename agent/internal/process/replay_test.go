package process

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOutputNobodyReadIsKeptForThoseWhoAsk(t *testing.T) {
	r := start(t, newTable(t), shell("echo one; echo two >&2; echo three"))
	r.first.Close()
	r.wait()
	for _, test := range []struct {
		offset         int64
		stdout, stderr string
	}{
		{FromStart, "one\nthree\n", "two\n"},
		{FromNow, "", ""},
	} {
		late := &run{Process: r.Process, t: t, first: r.Subscribe(test.offset)}
		if stdout, stderr := late.outputs(); stdout != test.stdout || stderr != test.stderr || late.first.Dropped != 0 {
			t.Errorf("from %d: got %q, %q", test.offset, stdout, stderr)
		}
		late.first.Close()
	}
}

func TestReplayGoesOnWhereAReaderLeft(t *testing.T) {
	spec := shell("echo 12345; read x; echo 67890; read x; echo end")
	spec.Stdin = true
	r := start(t, newTable(t), spec)
	r.line()
	r.first.Close()
	if err := r.WriteStdin(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	until(t, "the output is not kept", func() bool { return kept(r.Process) >= 12 })
	again := &run{Process: r.Process, t: t, first: r.Subscribe(3)}
	if err := r.WriteStdin(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	if stdout, _ := again.outputs(); stdout != "45\n67890\nend\n" || again.first.Offset != 3 {
		t.Errorf("got %q from %d", stdout, again.first.Offset)
	}
}

func TestWhatIsNotKeptIsTold(t *testing.T) {
	table := newTable(t)
	table.KeepOutput(100 << 10)
	r := start(t, table, shell("head -c 1000000 /dev/zero; echo end"))
	r.first.Close()
	r.wait()
	late := &run{Process: r.Process, t: t, first: r.Subscribe(500)}
	stdout, _ := late.outputs()
	if !strings.HasSuffix(stdout, "end\n") || len(stdout) > 100<<10 || len(stdout) < 50<<10 {
		t.Errorf("got %d bytes", len(stdout))
	}
	if late.first.Dropped != late.first.Offset-500 || late.first.Offset+int64(len(stdout)) != 1000004 {
		t.Errorf("%d bytes from %d, %d dropped", len(stdout), late.first.Offset, late.first.Dropped)
	}
}

func TestNothingIsKeptWhenNothingShallBe(t *testing.T) {
	table := newTable(t)
	table.KeepOutput(0)
	r := start(t, table, shell("head -c 300000 /dev/zero"))
	if stdout, _ := r.outputs(); len(stdout) != 300000 {
		t.Errorf("the reader got %d bytes", len(stdout))
	}
	r.first.Close()
	if used := table.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are kept", used)
	}
}

func TestAllOutputsTogetherAreBounded(t *testing.T) {
	table := newTable(t)
	table.budget.limit.Store(200 << 10)
	for range 6 {
		r := start(t, table, shell("head -c 150000 /dev/zero"))
		r.first.Close()
		r.wait()
		if used := table.budget.used.Load(); used > 200<<10 {
			t.Fatalf("%d bytes are kept", used)
		}
	}
	newest := table.retired[len(table.retired)-1]
	if kept(newest) < 140_000 || kept(table.retired[0]) != 0 {
		t.Errorf("kept of the newest %d, of the oldest %d", kept(newest), kept(table.retired[0]))
	}
}

func TestManyEndedProcessesAreForgotten(t *testing.T) {
	table := newTable(t)
	for range maxRetained + 5 {
		p := &Process{pid: len(table.byPID) + 1, output: newOutput(usualKept, table.budget), done: make(chan struct{})}
		table.add(p)
		table.retire(p)
	}
	if len(table.retired) != maxRetained || len(table.byPID) > maxRetained+1 {
		t.Errorf("%d retired, %d known", len(table.retired), len(table.byPID))
	}
}

func TestLittleWritesCostLittle(t *testing.T) {
	o := newOutput(64<<10, newBudget(totalKept, func() bool { return false }))
	for range 200_000 {
		o.append(Stdout, []byte("x"))
		o.append(Stderr, []byte("y"))
	}
	if cost := int(o.budget.used.Load()); cost > 64<<10 || cost != o.kept {
		t.Errorf("it costs %d, %d", cost, o.kept)
	}
}

// Readers come and go at random while two outputs are written: each gets one contiguous piece.
func TestReadersGetOneContiguousPiece(t *testing.T) {
	o := newOutput(200<<10, newBudget(totalKept, func() bool { return false }))
	content := make([]byte, 2<<20)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for rest, channel := content, Stdout; len(rest) > 0; channel = 1 - channel {
			n := min(len(rest), 1+rand.IntN(maxChunk))
			o.append(channel, rest[:n])
			rest = rest[n:]
		}
	}()
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			for round := range 20 {
				s := o.subscribe([]int64{FromStart, FromNow, int64(round << 16)}[(i+round)%3])
				got, deadline := []byte{}, time.After(time.Duration(rand.IntN(20))*time.Millisecond)
				for reading := true; reading; {
					chunk, found := s.Take()
					got = append(got, chunk.Data...)
					if found {
						continue
					}
					select {
					case <-s.Ready():
					case <-deadline:
						reading = false
					case <-finished:
						reading = false
					}
				}
				s.Close()
				if !bytes.Equal(got, content[s.Offset:s.Offset+int64(len(got))]) {
					t.Errorf("what was read from %d on is not what was written there", s.Offset)
				}
			}
		})
	}
	<-finished
	readers.Wait()
}

func kept(p *Process) int {
	p.output.mu.Lock()
	defer p.output.mu.Unlock()
	return int(p.output.head - p.output.first)
}

func until(t *testing.T, complaint string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal(complaint)
}
