package machine

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"time"
)

// Life says which sandbox this is and since when: it is new whenever a captured sandbox becomes another one.
type Life struct {
	SandboxID  string    `json:"sandboxId"`
	TemplateID string    `json:"templateId"`
	Generation string    `json:"generation"` // 128 random bits in hex, never the same twice
	At         time.Time `json:"at"`
}

// Identify tells the programs of the sandbox which life they are in, by /run/torpor/identity. The file is replaced by a
// rename: readers find the old one or the new one, and watchers of the directory see it come.
func (f *Files) Identify(life Life) {
	if f == nil {
		return
	}
	content, err := json.Marshal(life)
	if err != nil {
		log.Printf("writing /run/torpor/identity: %v", err)
		return
	}
	f.put("run/torpor/identity.new", string(content)+"\n")
	path := filepath.Join(f.root, "run/torpor/identity")
	if err := os.Rename(path+".new", path); err != nil {
		log.Printf("writing /run/torpor/identity: %v", err)
	}
}

// Hooks lists the executables of /etc/torpor/rekey.d in lexical order; none when there is no such directory.
func (f *Files) Hooks() []string {
	if f == nil {
		return nil
	}
	directory := filepath.Join(f.root, "etc/torpor/rekey.d")
	entries, err := os.ReadDir(directory) // sorted
	if err != nil {
		if !os.IsNotExist(err) {
			log.Printf("reading /etc/torpor/rekey.d: %v", err)
		}
		return nil
	}
	var hooks []string
	for _, entry := range entries {
		path := filepath.Join(directory, entry.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			hooks = append(hooks, path)
		}
	}
	return hooks
}
