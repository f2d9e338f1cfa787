package files_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/agenttest"
)

func TestDownloadGivesTheBytes(t *testing.T) {
	a := agenttest.Start(t)
	put(t, a, "dir/ü file.txt", "hello")
	answer := a.Do(t, "GET", query("dir/ü file.txt"), "")
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || string(body) != "hello" || answer.ContentLength != 5 {
		t.Errorf("got %s %q %d %v", answer.Status, body, answer.ContentLength, err)
	}
	if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "inline; filename") {
		t.Errorf("disposition %q", got)
	}
	if got := answer.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("type %q", got)
	}
}

func TestDownloadOfARange(t *testing.T) {
	a := agenttest.Start(t)
	put(t, a, "f", "0123456789")
	for asked, want := range map[string]string{"bytes=2-4": "234", "bytes=-3": "789", "bytes=8-": "89"} {
		answer := a.Do(t, "GET", query("f"), "", "Range: "+asked, "Accept-Encoding: gzip")
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != http.StatusPartialContent || string(body) != want {
			t.Errorf("%s: got %s %q", asked, answer.Status, body)
		}
	}
	if answer := a.Do(t, "GET", query("f"), "", "Range: bytes=100-"); answer.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("got %s", answer.Status)
	}
}

func TestCodingFollowsTheWishOfTheClient(t *testing.T) {
	a := agenttest.Start(t)
	content := strings.Repeat("compressible ", 10000)
	put(t, a, "f", content)
	for accept, want := range map[string]string{
		"gzip":                        "gzip",
		"gzip;q=1, identity;q=0.5":    "gzip",
		"identity;q=0, *":             "gzip",
		"gzip;q=0.5, identity":        "",
		"gzip, deflate":               "",
		"br, gzip, deflate":           "",
		"identity":                    "",
		"*":                           "",
		"br":                          "",
		"gzip;q=0":                    "",
		"GZIP ; Q=1.0 , identity;q=0": "gzip",
	} {
		answer := a.Do(t, "GET", query("f"), "", "Accept-Encoding: "+accept)
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q: got %q", accept, got)
			continue
		}
		var reader io.Reader = answer.Body
		if want == "gzip" {
			unzipped, err := gzip.NewReader(reader)
			if err != nil {
				t.Fatal(err)
			}
			reader = unzipped
		}
		if body, err := io.ReadAll(reader); err != nil || string(body) != content {
			t.Errorf("%q: %d bytes, %v", accept, len(body), err)
		}
	}
}

func TestFilesThatClaimToBeEmptyAreReadToTheirEnd(t *testing.T) {
	a := agenttest.Start(t)
	answer := a.Do(t, "GET", query("/proc/version"), "")
	if body, err := io.ReadAll(answer.Body); err != nil || len(body) == 0 {
		t.Errorf("got %q, %v", body, err)
	}
	put(t, a, "empty", "")
	answer = a.Do(t, "GET", query("empty"), "")
	if body, err := io.ReadAll(answer.Body); err != nil || len(body) != 0 || answer.StatusCode != 200 {
		t.Errorf("got %s %q, %v", answer.Status, body, err)
	}
}

func TestDownloadRefusals(t *testing.T) {
	a := agenttest.Start(t)
	put(t, a, "f", "x")
	if err := syscall.Mkfifo(filepath.Join(a.Home, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(a.Home, "loop")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, query, accept string
		status              int
		text                string
	}{
		{"no path is the home", "", "", 400, "path '" + a.Home + "' is a directory"},
		{"a directory", "?path=/", "", 400, "path '/' is a directory"},
		{"a missing file", "?path=/nonexistent/f", "", 404, "path '/nonexistent/f' does not exist"},
		{"a file below a file", "?path=f/g", "", 404, "does not exist"},
		{"a FIFO", "?path=fifo", "", 400, "not a regular file"},
		{"a device", "?path=/dev/zero", "", 400, "not a regular file"},
		{"a link to itself", "?path=loop", "", 400, "loop"},
		{"NUL in the path", "?path=a%00b", "", 400, "NUL"},
		{"an unknown user", "?path=f&username=ghost", "", 401, "invalid username: 'ghost'"},
		{"no acceptable coding", "?path=f", "identity;q=0", 406, "encoding"},
		{"nothing acceptable", "?path=f", "*;q=0", 406, "encoding"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expectStatus(t, a.Do(t, "GET", "/files"+test.query, "", "Accept-Encoding: "+test.accept), test.status, test.text)
		})
	}
}

func TestSignedURLsAdmitWithoutToken(t *testing.T) {
	a := agenttest.Start(t)
	put(t, a, "f", "secret")
	a.Init(t, `{"accessToken":"token"}`)
	expectStatus(t, a.Do(t, "GET", query("f"), ""), 401, "missing signature query parameter")
	expectStatus(t, a.Do(t, "GET", query("f"), "", "X-Access-Token: wrong"), 401, "unauthorized access")
	expectStatus(t, a.Do(t, "GET", query("f"), "", "X-Access-Token: token"), 200, "secret")
	expectStatus(t, a.Do(t, "GET", query("f")+"&signature=v1_x", ""), 401, "invalid signature")
	signature := "&signature=" + escape(access.Sign("f", access.Read, "", "token", ""))
	expectStatus(t, a.Do(t, "GET", query("f")+signature, ""), 200, "secret")
	expectStatus(t, a.Do(t, "POST", query("f")+signature, "x", octets), 401, "invalid signature")
	expired := "&signature_expiration=1&signature=" + escape(access.Sign("f", access.Read, "", "token", "1"))
	expectStatus(t, a.Do(t, "GET", query("f")+expired, ""), 401, "signature is already expired")
	write := "&signature=" + escape(access.Sign("f", access.Write, "", "token", ""))
	expectStatus(t, a.Do(t, "POST", query("f")+write, "new", octets), 200, "")
}

func put(t *testing.T, a *agenttest.Agent, path, content string) {
	t.Helper()
	expectStatus(t, a.Do(t, "POST", query(path), content, octets), 200, "")
}
