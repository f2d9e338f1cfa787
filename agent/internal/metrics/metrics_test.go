package metrics

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAnswerHasEveryFieldOfTheProtocol(t *testing.T) {
	answer := httptest.NewRecorder()
	Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	var fields map[string]float64
	if err := json.Unmarshal(answer.Body.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ts", "cpu_count", "mem_total", "mem_used", "mem_cache", "mem_total_mib", "mem_used_mib", "disk_used", "disk_total"} {
		if fields[name] <= 0 {
			t.Errorf("%s is %v", name, fields[name])
		}
	}
	if used, there := fields["cpu_used_pct"]; !there || used < 0 {
		t.Errorf("cpu_used_pct is %v", used)
	}
}

func TestCPUUseIsThatSinceTheLastCall(t *testing.T) {
	proc := t.TempDir()
	start := time.Unix(100, 0)
	put(t, proc, "stat", "cpu  100 0 100 5000 7 0 0 0 0 0\ncpu0 1 1\n")
	meter := newCPUMeter(proc, start)
	put(t, proc, "stat", "cpu  200 0 150 9000 99 0 0 0 0 0\n")
	if got := meter.usedPct(start.Add(time.Second)); got != 150 {
		t.Errorf("got %v, want 150", got)
	}
	if got := meter.usedPct(start.Add(2 * time.Second)); got != 0 {
		t.Errorf("got %v, want 0", got)
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
