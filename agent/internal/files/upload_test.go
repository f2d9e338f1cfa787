package files_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"torpor.dev/agent/internal/agenttest"
	"torpor.dev/agent/internal/metadata"
)

const octets = "Content-Type: application/octet-stream"

type part struct{ field, filename, content string }

func TestSeveralFilesGoWhereTheirNamesSay(t *testing.T) {
	a := agenttest.Start(t)
	absolute := filepath.Join(a.RootHome, "deep/er/ü file.txt")
	body, contentType := form(t, part{"file", absolute, "one"}, part{"other", "x", "not a file"}, part{"file", "relative.txt", "two"})
	answer := a.Do(t, "POST", "/files", body, contentType)
	var written []struct{ Path, Name, Type string }
	decode(t, answer, http.StatusOK, &written)
	if len(written) != 2 || written[0].Path != absolute || written[0].Name != "ü file.txt" || written[0].Type != "file" || written[1].Path != filepath.Join(a.Home, "relative.txt") {
		t.Errorf("got %v", written)
	}
	for path, content := range map[string]string{absolute: "one", filepath.Join(a.Home, "relative.txt"): "two"} {
		expectFile(t, path, content, agenttest.UID, 0o644)
	}
	parent, err := os.Stat(filepath.Dir(absolute))
	if err != nil || parent.Mode().Perm() != 0o755 || ownerOf(parent) != agenttest.UID {
		t.Errorf("the parent: %v, %v", parent, err)
	}
}

func TestPathOfTheQueryWinsOverTheFileName(t *testing.T) {
	a := agenttest.Start(t)
	body, contentType := form(t, part{"file", "ignored", "content"})
	expectStatus(t, a.Do(t, "POST", "/files?path=~/here&username=root", body, contentType), http.StatusOK, "")
	expectFile(t, filepath.Join(a.RootHome, "here"), "content", 0, 0o644)
}

func TestOctetStreamReplacesContentAndOwnerButNotTheMode(t *testing.T) {
	a := agenttest.Start(t)
	path := filepath.Join(a.RootHome, "script")
	if err := os.WriteFile(path, []byte("much longer than the new one"), 0o600); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, a.Do(t, "POST", "/files?path="+path, "short", octets), http.StatusOK, "")
	expectFile(t, path, "short", agenttest.UID, 0o600)
}

func TestCompressedUploadsAreUnpacked(t *testing.T) {
	a := agenttest.Start(t)
	big := strings.Repeat("0123456789", 1<<17)
	expectStatus(t, a.Do(t, "POST", "/files?path=big", zip(t, big), octets, "Content-Encoding: gzip"), http.StatusOK, "")
	expectFile(t, filepath.Join(a.Home, "big"), big, agenttest.UID, 0o644)
	body, contentType := form(t, part{"file", "x", "zipped form"})
	expectStatus(t, a.Do(t, "POST", "/files?path=form", zip(t, body), contentType, "Content-Encoding: gzip"), http.StatusOK, "")
	expectFile(t, filepath.Join(a.Home, "form"), "zipped form", agenttest.UID, 0o644)
}

func TestMetadataStayUntilTheFileIsWrittenWithoutThem(t *testing.T) {
	a := agenttest.Start(t)
	path := filepath.Join(a.Home, "f")
	answer := a.Do(t, "POST", "/files?path=f", "x", octets, "X-Metadata-Author: Ada")
	var written []struct{ Metadata map[string]string }
	decode(t, answer, http.StatusOK, &written)
	if written[0].Metadata["author"] != "Ada" {
		t.Errorf("got %v", written)
	}
	if kept := metadata.Read(path); kept["author"] != "Ada" {
		t.Skipf("the file system keeps no attributes: %v", kept)
	}
	expectStatus(t, a.Do(t, "POST", "/files?path=f", "y", octets), http.StatusOK, "")
	if kept := metadata.Read(path); kept != nil {
		t.Errorf("still there: %v", kept)
	}
}

func TestUploadRefusals(t *testing.T) {
	a := agenttest.Start(t)
	two, twoType := form(t, part{"file", "a", "1"}, part{"file", "a", "2"})
	none, noneType := form(t, part{"other", "a", "1"})
	one, oneType := form(t, part{"file", "", "1"})
	if err := os.WriteFile(filepath.Join(a.Home, "plain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(a.Home, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, query, body string
		headers           []string
		status            int
		text              string
	}{
		{"several files to one path", "?path=p", two, []string{twoType}, 400, "same path"},
		{"several files of one name", "", two, []string{twoType}, 400, "same path"},
		{"no file", "", none, []string{noneType}, 400, "no part named 'file'"},
		{"a file without name and path is the home", "", one, []string{oneType}, 400, "is a directory"},
		{"octets without path", "", "x", []string{octets}, 400, "path is required"},
		{"another content type", "?path=p", "x", []string{"Content-Type: text/plain"}, 400, "text/plain"},
		{"a directory", "?path=/", "x", []string{octets}, 400, "path '/' is a directory"},
		{"a parent that is a file", "?path=plain/x", "x", []string{octets}, 400, "plain"},
		{"a FIFO that nobody reads", "?path=fifo", "x", []string{octets}, 400, "fifo"},
		{"NUL in the path", "?path=a%00b", "x", []string{octets}, 400, "NUL"},
		{"another user's home", "?path=~ghost/x", "x", []string{octets}, 400, "~ghost"},
		{"a name that is too long", "?path=" + strings.Repeat("n", 300), "x", []string{octets}, 400, "too long"},
		{"an unknown user", "?path=p&username=ghost", "x", []string{octets}, 401, "invalid username: 'ghost'"},
		{"a body that is not gzip", "?path=p", "plain", []string{octets, "Content-Encoding: gzip"}, 400, "gzip"},
		{"a body that is cut", "?path=p", zip(t, "content")[:20], []string{octets, "Content-Encoding: gzip"}, 400, "not complete"},
		{"an unknown coding", "?path=p", "x", []string{octets, "Content-Encoding: br"}, 400, "'br'"},
		{"a form that is cut", "", two[:len(two)-20], []string{twoType}, 400, ""},
		{"bad metadata", "?path=p", "x", []string{octets, "X-Metadata-A: \xff"}, 400, "printable ASCII"},
		{"a full disk", "?path=/dev/full", "x", []string{octets}, 507, "not enough disk space"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expectStatus(t, a.Do(t, "POST", "/files"+strings.ReplaceAll(test.query, " ", "%20"), test.body, test.headers...), test.status, test.text)
		})
	}
}

func TestComposeJoinsTheSourcesInOrder(t *testing.T) {
	a := agenttest.Start(t)
	for _, name := range []string{"a", "b"} {
		expectStatus(t, a.Do(t, "POST", "/files?path="+name, "content of "+name+"\n", octets), http.StatusOK, "")
	}
	expectStatus(t, a.Do(t, "POST", "/files/compose", `{"source_paths":["b","a","b"],"destination":"sub/all"}`), http.StatusOK, "")
	expectFile(t, filepath.Join(a.Home, "sub/all"), "content of b\ncontent of a\ncontent of b\n", agenttest.UID, 0o644)
	for body, status := range map[string]int{
		`{"source_paths":[],"destination":"x"}`:                       400,
		`{"source_paths":["a"],"destination":"a"}`:                    400,
		`{"source_paths":["."],"destination":"x"}`:                    400,
		`{"source_paths":["a","ghost"],"destination":"x"}`:            404,
		`{"source_paths":["a"],"destination":"x","username":"ghost"}`: 401,
		`{"source_paths":["a"],"destination":"/dev/full"}`:            507,
		`not JSON`: 400,
	} {
		expectStatus(t, a.Do(t, "POST", "/files/compose", body), status, "")
	}
}

func form(t *testing.T, parts ...part) (body, contentType string) {
	t.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, p.field, p.filename))
		w, err := writer.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String(), "Content-Type: " + writer.FormDataContentType()
}

func zip(t *testing.T, content string) string {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if _, err := io.WriteString(writer, content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func decode(t *testing.T, answer *http.Response, status int, into any) {
	t.Helper()
	if answer.StatusCode != status {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("got %s: %s", answer.Status, body)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// expectStatus also expects an error to have a code and a message.
func expectStatus(t *testing.T, answer *http.Response, status int, text string) {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status || !strings.Contains(string(body), text) {
		t.Errorf("got %s, %v: %s", answer.Status, err, body)
	}
	if status < 400 {
		return
	}
	var failed struct {
		Code    int
		Message string
	}
	if err := json.Unmarshal(body, &failed); err != nil || failed.Code != status || failed.Message == "" {
		t.Errorf("no proper error: %s", body)
	}
}

func expectFile(t *testing.T, path, content string, owner uint32, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s: %d bytes, %v", path, len(got), err)
		return
	}
	info, err := os.Stat(path)
	if err != nil || ownerOf(info) != owner || info.Mode().Perm() != mode {
		t.Errorf("%s: owner %d, mode %v, %v", path, ownerOf(info), info.Mode(), err)
	}
}

func ownerOf(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

func query(path string) string { return "/files?path=" + escape(path) }

func escape(text string) string { return url.QueryEscape(text) }
