package metadata

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFromHeaderLowersKeysAndPassesOverOtherHeaders(t *testing.T) {
	header := http.Header{}
	header.Set("X-Metadata-Owner-Name", "Ada L.")
	header.Set("X-Other", "x")
	got, err := FromHeader(header)
	if err != nil || !maps.Equal(got, map[string]string{"owner-name": "Ada L."}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestFromHeaderRefusesWhatCannotBeKept(t *testing.T) {
	for name, header := range map[string]http.Header{
		"long key":    {"X-Metadata-" + strings.Repeat("a", 247): {"v"}},
		"no key":      {"X-Metadata-": {"v"}},
		"not ASCII":   {"X-Metadata-A": {"ü"}},
		"control":     {"X-Metadata-A": {"a\tb"}},
		"big in sum":  {"X-Metadata-A": {strings.Repeat("v", 2100)}, "X-Metadata-B": {strings.Repeat("v", 2100)}},
		"one too big": {"X-Metadata-A": {strings.Repeat("v", 4096)}},
	} {
		if _, err := FromHeader(header); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestWriteReplacesAllOlderMetadata(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Write(file, map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if Read(file.Name()) == nil {
		t.Skip("the file system keeps no attributes")
	}
	if err := Write(file, map[string]string{"b": "3"}); err != nil {
		t.Fatal(err)
	}
	if got := Read(file.Name()); !maps.Equal(got, map[string]string{"b": "3"}) {
		t.Errorf("got %v", got)
	}
	if err := Write(file, nil); err != nil {
		t.Fatal(err)
	}
	if got := Read(file.Name()); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestListRepeatsInterruptedCalls(t *testing.T) {
	calls := 0
	names, err := list(func(buffer []byte) (int, error) {
		calls++
		if calls%2 == 1 {
			return 0, unix.EINTR
		}
		name := xattrPrefix + "color\x00"
		return max(len(name), copy(buffer, name)), nil
	})
	if err != nil || len(names) != 1 || names[0] != xattrPrefix+"color" {
		t.Fatalf("got %q, %v", names, err)
	}
}

func TestFileSystemsWithoutAttributesHaveNone(t *testing.T) {
	for _, answer := range []error{unix.ENOTSUP, unix.ENOSYS, unix.EPERM, unix.EIO} {
		names, err := list(func([]byte) (int, error) { return -1, answer })
		if err != nil || names != nil {
			t.Errorf("%v: got %v, %v", answer, names, err)
		}
	}
	if _, err := list(func([]byte) (int, error) { return -1, unix.EBADF }); err == nil {
		t.Error("EBADF is no error")
	}
}
