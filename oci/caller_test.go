package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// No request comes and its input stays open: nothing but the end of its caller ends the tool.
func TestToolEndsWithItsCaller(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	tool := exec.Command(os.Args[0])
	tool.Env = []string{asTool + "=1"}
	tool.Stdout = writer
	if _, err := tool.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := tool.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	ended := make(chan error, 1)
	go func() { ended <- tool.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ended while its caller was there: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	reader.Close()
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		_ = tool.Process.Kill()
		t.Fatal("it goes on without a caller")
	}
}
