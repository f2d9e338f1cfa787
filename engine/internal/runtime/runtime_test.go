package runtime

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"torpor.dev/engine/internal/protocol"
)

func request(t *testing.T, content string) (Settings, protocol.Start) {
	t.Helper()
	directory := t.TempDir()
	bundle := filepath.Join(directory, "bundle")
	if err := os.Mkdir(bundle, 0o755); err != nil {
		t.Fatal(err)
	}
	if content != "" {
		if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	settings := Settings{Root: filepath.Join(directory, "root"), LogDirectory: filepath.Join(directory, "logs")}
	return settings, protocol.Start{Target: protocol.Target{Execution: "a"}, Bundle: bundle, OverlayDirectory: directory, DiskBytes: 4096}
}

const goodBundle = `{"ociVersion":"1.0.2","process":{"args":["/a"],"cwd":"/"},"root":{"path":"rootfs"},
	"linux":{"cgroupsPath":"/torpor/a","resources":{}}}`

func TestBundlesAreChecked(t *testing.T) {
	bad := map[string]string{
		"missing":       "",
		"no JSON":       "{",
		"no process":    `{"root":{"path":"rootfs"}}`,
		"hooks":         strings.Replace(goodBundle, `"root"`, `"hooks":{"poststop":[{"path":"/bin/true"}]},"root"`, 1),
		"terminal":      strings.Replace(goodBundle, `"cwd"`, `"terminal":true,"cwd"`, 1),
		"flags":         strings.Replace(goodBundle, `"root"`, `"annotations":{"dev.gvisor.flag.host-uds":"all"},"root"`, 1),
		"no group":      strings.Replace(goodBundle, `"cgroupsPath":"/torpor/a",`, "", 1),
		"other's group": strings.Replace(goodBundle, "/torpor/a", "/torpor/b", 1),
		"group up":      strings.Replace(goodBundle, "/torpor/a", "/torpor/../a", 1),
		"no limits":     strings.Replace(goodBundle, `,"resources":{}`, "", 1),
		"sub-container": strings.Replace(goodBundle, `"root"`, `"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"b"},"root"`, 1),
	}
	for name, content := range bad {
		settings, boot := request(t, content)
		conf, err := settings.configure(boot)
		if err != nil {
			t.Fatal(err)
		}
		_, err = readBundle(boot, conf)
		if failure := protocol.Wrap(err, ""); failure.Kind != protocol.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	settings, boot := request(t, goodBundle)
	conf, err := settings.configure(boot)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readBundle(boot, conf); err != nil {
		t.Error(err)
	}
}

func TestConfiguration(t *testing.T) {
	settings, boot := request(t, "")
	conf, err := settings.configure(boot)
	if err != nil {
		t.Fatal(err)
	}
	flags := strings.Join(conf.ToFlags(), "\n")
	for _, want := range []string{"--overlay2=root:dir=" + boot.OverlayDirectory + ",size=4096", "--allow-live-tcp-migration=false", "--allow-suid=true"} {
		if !strings.Contains(flags, want) {
			t.Errorf("%s is missing in\n%s", want, flags)
		}
	}
	if conf.Debug || conf.GetHostUDS().AllowOpen() || conf.EnableRaw || conf.AllowFlagOverride {
		t.Errorf("unsafe settings:\n%s", flags)
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewJSONHandler(io.Discard, nil)) }

func TestUnknownExecutions(t *testing.T) {
	settings, _ := request(t, "")
	h := New(settings, quiet(), func(string, int) { t.Error("an exit is reported") })
	nobody := protocol.Target{Execution: "nobody-" + filepath.Base(t.TempDir())}
	for name, method := range map[string]func(protocol.Target) (protocol.Empty, error){"freeze": h.Freeze, "thaw": h.Thaw, "waitRestored": h.WaitRestored} {
		if _, err := method(nobody); protocol.Wrap(err, "").Kind != protocol.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Destroy(nobody); err != nil {
		t.Errorf("destroy: %v", err)
	}
	list, err := h.List(protocol.Empty{})
	if content, _ := json.Marshal(list); err != nil || string(content) != `{"executions":[]}` {
		t.Errorf("list: %s %v", content, err)
	}
}

func TestAFailedBootLeavesNothing(t *testing.T) {
	settings, boot := request(t, "")
	h := New(settings, quiet(), nil)
	for range 2 {
		if _, err := h.Boot(protocol.Boot{Start: boot}); protocol.Wrap(err, "").Kind != protocol.Invalid {
			t.Errorf("boot: %v", err)
		}
	}
	if _, err := os.Stat(settings.logs("a")); !os.IsNotExist(err) {
		t.Errorf("logs are left: %v", err)
	}
}

func TestLongTextsAreShortened(t *testing.T) {
	if got := shorten(strings.Repeat("x", 1<<20)); len(got) > 5000 {
		t.Errorf("%d bytes are left", len(got))
	}
	if got := shorten(" short\n"); got != "short" {
		t.Errorf("%q", got)
	}
}

func TestImagesAreLookedAtFirst(t *testing.T) {
	directory := t.TempDir()
	if _, err := checkImage(directory); protocol.Wrap(err, "").Kind != protocol.Damaged {
		t.Errorf("an empty directory: %v", err)
	}
	for _, name := range []string{"checkpoint.img", "pages_meta.img"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := checkImage(directory); err == nil {
		t.Error("an image without pages is accepted")
	}
	if err := os.WriteFile(filepath.Join(directory, "pages.img"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := checkImage(directory); err != nil {
		t.Error(err)
	}
}
