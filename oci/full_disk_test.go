package main

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFullDiskIsTold(t *testing.T) {
	for title, size := range map[string]string{"blocks": "size=128k", "inodes": "nr_inodes=4"} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t, false, open)
			small := filepath.Join(w.root, "small")
			if err := os.Mkdir(small, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("tmpfs", small, "tmpfs", 0, size); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Unmount(small, unix.MNT_DETACH) })
			w.push(randomImage(t, 4), "app:v1")
			found := w.ask(map[string]any{"command": "resolve", "reference": w.host + "/app:v1"})
			fields := w.unpackFields(found.Reference, "small/rootfs")
			if answer := w.ask(fields); answer.Kind != "no_space" {
				t.Errorf("the target's disk: %+v", answer)
			}
			if left, _ := os.ReadDir(small); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
			fields["target"], fields["layersDirectory"] = filepath.Join(w.root, "rootfs"), filepath.Join(small, "layers")
			if answer := w.ask(fields); answer.Kind != "no_space" {
				t.Errorf("the layers' disk: %+v", answer)
			}
		})
	}
}
