package filesystemrpc_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/filesystem"
)

func TestStatDescribesAFile(t *testing.T) {
	a := agenttest.Start(t)
	path := write(t, a, "f.txt", "12345")
	modified := time.Unix(1_700_000_000, 123456000)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, agenttest.UID, 54321); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
	got := stat(t, a, "f.txt")
	if got.Name != "f.txt" || got.Path != path || got.Type != wire.FileType_FILE_TYPE_FILE || got.Size != 5 {
		t.Errorf("got %v", got)
	}
	if got.Mode != 0o640 || got.Permissions != "-rw-r-----" || got.Owner != "user" || got.Group != "54321" || got.SymlinkTarget != nil {
		t.Errorf("got %v", got)
	}
	if !got.ModifiedTime.AsTime().Equal(modified) {
		t.Errorf("got %v", got.ModifiedTime.AsTime())
	}
}

func TestLinksHaveTheTypeOfTheirTarget(t *testing.T) {
	a := agenttest.Start(t)
	file := write(t, a, "dir/f", "x")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	link(t, a, "dir", "to-dir")
	link(t, a, "to-dir/f", "to-file")
	link(t, a, "nowhere", "broken")
	if err := syscall.Mkfifo(filepath.Join(a.Home, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		kind   wire.FileType
		mode   uint32
		target string
	}{
		"to-dir":  {wire.FileType_FILE_TYPE_DIRECTORY, 0o755, filepath.Join(a.Home, "dir")},
		"to-file": {wire.FileType_FILE_TYPE_FILE, 0o600, file},
		"broken":  {wire.FileType_FILE_TYPE_UNSPECIFIED, 0, filepath.Join(a.Home, "broken")},
	} {
		got := stat(t, a, name)
		if got.Type != want.kind || got.Mode != want.mode || got.GetSymlinkTarget() != want.target || got.Permissions != "Lrwxrwxrwx" {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if got := stat(t, a, "fifo"); got.Type != wire.FileType_FILE_TYPE_UNSPECIFIED || got.Permissions != "prw-r--r--" {
		t.Errorf("fifo: got %v", got)
	}
}

func TestListIsOrderedAndAsDeepAsAsked(t *testing.T) {
	a := agenttest.Start(t)
	for _, name := range []string{"b", "a/2/x", "a/1", ".hidden"} {
		write(t, a, name, "")
	}
	link(t, a, "a", "c-link")
	for depth, want := range map[uint32]string{
		0: ".hidden a b c-link",
		1: ".hidden a b c-link",
		2: ".hidden a a/1 a/2 b c-link",
		9: ".hidden a a/1 a/2 a/2/x b c-link",
	} {
		if got := strings.Join(list(t, a, "", depth), " "); got != want {
			t.Errorf("depth %d: got %q, want %q", depth, got, want)
		}
	}
	// The root of a list may be a link; its name stays in the paths.
	if got := list(t, a, "c-link", 1); !slices.Equal(got, []string{"c-link/1", "c-link/2"}) {
		t.Errorf("through a link: got %v", got)
	}
}

func TestRefusalsHaveTheCodesOfTheProtocol(t *testing.T) {
	a := agenttest.Start(t)
	write(t, a, "file", "")
	write(t, a, "dir/f", "")
	link(t, a, "loop", "loop")
	for _, test := range []struct {
		name string
		call func() error
		code connect.Code
		text string
	}{
		{"stat of a missing file", func() error { return statErr(t, a, "ghost") }, connect.CodeNotFound, "ghost"},
		{"stat below a file", func() error { return statErr(t, a, "file/x") }, connect.CodeNotFound, "file/x"},
		{"stat of NUL", func() error { return statErr(t, a, "a\x00") }, connect.CodeInvalidArgument, "NUL"},
		{"stat of too long a name", func() error { return statErr(t, a, strings.Repeat("n", 300)) }, connect.CodeInvalidArgument, "too long"},
		{"list of a missing directory", func() error { return listErr(t, a, "ghost") }, connect.CodeNotFound, "ghost"},
		{"list of a file", func() error { return listErr(t, a, "file") }, connect.CodeInvalidArgument, "path is not a directory: " + a.Home + "/file"},
		{"list of a link to itself", func() error { return listErr(t, a, "loop") }, connect.CodeFailedPrecondition, "cyclic"},
		{"making a directory that exists", func() error { return makeErr(t, a, "dir") }, connect.CodeAlreadyExists, "directory already exists"},
		{"making a directory where a file is", func() error { return makeErr(t, a, "file") }, connect.CodeInvalidArgument, "not a directory"},
		{"making a directory below a file", func() error { return makeErr(t, a, "file/x/y") }, connect.CodeInvalidArgument, "not a directory"},
		{"moving what is missing", func() error { return moveErr(t, a, "ghost", "x") }, connect.CodeNotFound, "ghost"},
		{"moving a file over a directory", func() error { return moveErr(t, a, "file", "dir") }, connect.CodeAlreadyExists, "file exists"},
		{"moving a directory into itself", func() error { return moveErr(t, a, "dir", "dir/sub") }, connect.CodeInvalidArgument, "invalid argument"},
		{"removing the root", func() error { return removeErr(t, a, "/..") }, connect.CodeInvalidArgument, "root"},
	} {
		if err := test.call(); connect.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestUnknownUserIsUnauthenticated(t *testing.T) {
	a := agenttest.Start(t)
	r := connect.NewRequest(&wire.StatRequest{Path: "/"})
	r.Header().Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ghost:")))
	_, err := a.Filesystem.Stat(t.Context(), r)
	if connect.CodeOf(err) != connect.CodeUnauthenticated || !strings.Contains(err.Error(), "invalid username: 'ghost'") {
		t.Errorf("got %v", err)
	}
	r.Header().Set("Authorization", "Bearer secret")
	if _, err = a.Filesystem.Stat(t.Context(), r); connect.CodeOf(err) != connect.CodeUnauthenticated || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestMakeDirGivesTheUserTheDirectoryAndItsParents(t *testing.T) {
	a := agenttest.Start(t)
	if err := makeErr(t, a, a.RootHome+"/x/y"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/x", "/x/y"} {
		if got := stat(t, a, a.RootHome+path); got.Owner != "user" || got.Mode != 0o755 || got.Type != wire.FileType_FILE_TYPE_DIRECTORY {
			t.Errorf("got %v", got)
		}
	}
}

func TestMoveMakesParentsAndReplacesFiles(t *testing.T) {
	a := agenttest.Start(t)
	write(t, a, "from", "new")
	to := write(t, a, "deep/to", "old")
	for source, destination := range map[string]string{"from": to} {
		if err := moveErr(t, a, source, destination); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := os.ReadFile(to); err != nil || string(content) != "new" {
		t.Errorf("got %q, %v", content, err)
	}
	if err := moveErr(t, a, "deep", "other/place"); err != nil {
		t.Fatal(err)
	}
	if got := stat(t, a, "other"); got.Owner != "user" {
		t.Errorf("got %v", got)
	}
	if connect.CodeOf(statErr(t, a, "deep")) != connect.CodeNotFound {
		t.Error("the source is still there")
	}
}

func TestRemoveIsRecursiveAndForgiving(t *testing.T) {
	a := agenttest.Start(t)
	write(t, a, "dir/sub/f", "")
	write(t, a, "kept", "")
	link(t, a, "kept", "dir/link")
	for _, path := range []string{"dir", "dir", "kept/below"} {
		if err := removeErr(t, a, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := list(t, a, "", 1); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("got %v", got)
	}
}

func write(t *testing.T, a *agenttest.Agent, name, content string) string {
	t.Helper()
	path := filepath.Join(a.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, a *agenttest.Agent, target, name string) {
	t.Helper()
	if err := os.Symlink(filepath.Join(a.Home, target), filepath.Join(a.Home, name)); err != nil {
		t.Fatal(err)
	}
}

func stat(t *testing.T, a *agenttest.Agent, path string) *wire.EntryInfo {
	t.Helper()
	answer, err := a.Filesystem.Stat(t.Context(), connect.NewRequest(&wire.StatRequest{Path: path}))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg.GetEntry()
}

// list returns the paths relative to the home.
func list(t *testing.T, a *agenttest.Agent, path string, depth uint32) []string {
	t.Helper()
	answer, err := a.Filesystem.ListDir(t.Context(), connect.NewRequest(&wire.ListDirRequest{Path: path, Depth: depth}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range answer.Msg.GetEntries() {
		names = append(names, strings.TrimPrefix(entry.GetPath(), a.Home+"/"))
	}
	return names
}

func statErr(t *testing.T, a *agenttest.Agent, path string) error {
	_, err := a.Filesystem.Stat(t.Context(), connect.NewRequest(&wire.StatRequest{Path: path}))
	return err
}

func listErr(t *testing.T, a *agenttest.Agent, path string) error {
	_, err := a.Filesystem.ListDir(t.Context(), connect.NewRequest(&wire.ListDirRequest{Path: path}))
	return err
}

func makeErr(t *testing.T, a *agenttest.Agent, path string) error {
	_, err := a.Filesystem.MakeDir(t.Context(), connect.NewRequest(&wire.MakeDirRequest{Path: path}))
	return err
}

func moveErr(t *testing.T, a *agenttest.Agent, source, destination string) error {
	_, err := a.Filesystem.Move(t.Context(), connect.NewRequest(&wire.MoveRequest{Source: source, Destination: destination}))
	return err
}

func removeErr(t *testing.T, a *agenttest.Agent, path string) error {
	_, err := a.Filesystem.Remove(t.Context(), connect.NewRequest(&wire.RemoveRequest{Path: path}))
	return err
}
