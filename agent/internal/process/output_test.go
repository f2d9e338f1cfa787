package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestOutputsAreToldApart(t *testing.T) {
	stdout, stderr := start(t, newTable(t), shell("echo out; echo err >&2")).outputs()
	if stdout != "out\n" || stderr != "err\n" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestSlowReaderGetsEverythingInOrder(t *testing.T) {
	const size = 20 << 20
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i >> 12)
	}
	path := t.TempDir() + "/content"
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, newTable(t), shell("cat "+path))
	digest, got := sha256.New(), 0
	for {
		chunk, found := r.next()
		if !found {
			break
		}
		if len(chunk.Data) > maxChunk {
			t.Fatalf("a chunk of %d bytes", len(chunk.Data))
		}
		if got%(4<<20) < len(chunk.Data) {
			time.Sleep(20 * time.Millisecond) // being slow is what is tested
		}
		got += len(chunk.Data)
		digest.Write(chunk.Data)
	}
	if want := sha256.Sum256(content); got != size || !bytes.Equal(digest.Sum(nil), want[:]) {
		t.Errorf("got %d bytes of %d, or others", got, size)
	}
}

func TestReaderThatDoesNotReadHoldsTheProcessUp(t *testing.T) {
	marker := t.TempDir() + "/marker"
	r := start(t, newTable(t), shell("head -c 1000000 /dev/zero; touch "+marker+"; echo"))
	r.next()
	<-r.first.Ready()
	// More than the pipe and the window cannot have been written.
	if _, err := os.Stat(marker); err == nil {
		t.Error("the process wrote on although nobody read")
	}
	if stdout, _ := r.outputs(); !strings.HasSuffix(stdout, "\n") {
		t.Error("the rest is missing")
	}
}

func TestProcessRunsOnWithoutReaders(t *testing.T) {
	r := start(t, newTable(t), shell("head -c 1000000 /dev/zero; exit 4"))
	r.first.Close()
	r.first.Close()
	if end := r.wait(); end.ExitCode != 4 {
		t.Errorf("got %+v", end)
	}
}

func TestReaderThatLeavesFreesTheOthers(t *testing.T) {
	spec := shell("read x; head -c 1000000 /dev/zero; echo done")
	spec.Stdin = true
	r := start(t, newTable(t), spec)
	stuck := r.Subscribe(FromNow)
	if err := r.WriteStdin(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	r.next()
	stuck.Close()
	if stdout, _ := r.outputs(); !strings.HasSuffix(stdout, "done\n") {
		t.Error("the rest is missing")
	}
}

func TestEveryReaderGetsTheOutputFromItsStart(t *testing.T) {
	spec := shell("echo one; read x; echo two")
	spec.Stdin = true
	table := newTable(t)
	r := start(t, table, spec)
	if got := r.line(); got != "one" {
		t.Fatalf("got %q", got)
	}
	late := &run{Process: r.Process, t: t, first: r.Subscribe(FromNow)}
	result := make(chan string, 1)
	go func() {
		stdout, _ := late.outputs()
		result <- stdout
	}()
	if err := r.WriteStdin(t.Context(), []byte("\n")); err != nil {
		t.Fatal(err)
	}
	if got := r.line(); got != "two" {
		t.Errorf("got %q", got)
	}
	r.wait()
	if got := <-result; got != "two\n" {
		t.Errorf("the late reader got %q", got)
	}
}

func TestStdinArrivesAndEnds(t *testing.T) {
	spec := shell("cat; echo end")
	spec.Stdin = true
	r := start(t, newTable(t), spec)
	if err := r.WriteStdin(t.Context(), []byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if got := r.line(); got != "hello" {
		t.Errorf("got %q", got)
	}
	for range 2 {
		if err := r.CloseStdin(); err != nil {
			t.Error(err)
		}
	}
	if got := r.line(); got != "end" {
		t.Errorf("got %q", got)
	}
	if err := r.WriteStdin(t.Context(), []byte("x")); !errors.Is(err, ErrNoStdin) {
		t.Errorf("writing after the end: %v", err)
	}
}

func TestWithoutStdinTheProcessReadsNothing(t *testing.T) {
	r := start(t, newTable(t), shell("cat; echo end"))
	if err := r.WriteStdin(t.Context(), []byte("x")); !errors.Is(err, ErrNoStdin) {
		t.Errorf("got %v", err)
	}
	if stdout, _ := r.outputs(); stdout != "end\n" {
		t.Errorf("got %q", stdout)
	}
}

func TestWriterToAProcessThatDoesNotReadGivesUpWithItsRequest(t *testing.T) {
	spec := shell("read x; wc -c")
	spec.Stdin = true
	r := start(t, newTable(t), spec)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := r.WriteStdin(ctx, make([]byte, 1<<20))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	// The next writer is not held up by the deadline of the last.
	go func() { _, _ = r.outputs() }()
	if err := r.WriteStdin(t.Context(), []byte("\nrest")); err != nil {
		t.Errorf("the next write: %v", err)
	}
}
