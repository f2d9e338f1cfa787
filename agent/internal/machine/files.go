// Package machine writes what the system inside the sandbox knows about itself: names, ids, resolvers.
package machine

import (
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Facts are what /init tells about the machine. An empty Hostname or no Nameservers leaves what is there.
type Facts struct {
	SandboxID, TemplateID string
	Hostname              string
	Nameservers           []string
	CACertificates        []string // PEM, trusted beside what the system trusts
}

// Files writes the facts into the system. A nil *Files writes nothing: the agent of a developer's machine must not
// rename it.
type Files struct {
	root        string
	setHostname func(string) error

	mu      sync.Mutex
	written *Facts
}

// New makes the writer of the system below root; setHostname gives the kernel the new name.
func New(root string, setHostname func(string) error) *Files {
	return &Files{root: root, setHostname: setHostname}
}

// Forget makes the next Write write everything, whatever was written before.
func (f *Files) Forget() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = nil
}

// Write puts the facts in effect. Only what differs from the last time is written, since creating a sandbox waits for
// it. Failures are logged and not reported: no sandbox is better off for not starting because of its hostname.
func (f *Files) Write(facts Facts) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.written == nil {
		f.written = &Facts{}
		f.put("run/e2b/.E2B_SANDBOX", "true")
	}
	if facts.SandboxID != f.written.SandboxID {
		f.put("run/e2b/.E2B_SANDBOX_ID", facts.SandboxID)
		f.written.SandboxID = facts.SandboxID
	}
	if facts.TemplateID != f.written.TemplateID {
		f.put("run/e2b/.E2B_TEMPLATE_ID", facts.TemplateID)
		f.written.TemplateID = facts.TemplateID
	}
	if facts.Hostname != "" && facts.Hostname != f.written.Hostname {
		f.rename(facts.Hostname)
		f.written.Hostname = facts.Hostname
	}
	if len(facts.Nameservers) > 0 && !slices.Equal(facts.Nameservers, f.written.Nameservers) {
		f.put("etc/resolv.conf", "nameserver "+strings.Join(facts.Nameservers, "\nnameserver ")+"\n")
		f.written.Nameservers = facts.Nameservers
	}
	if !slices.Equal(facts.CACertificates, f.written.CACertificates) {
		for _, authority := range facts.CACertificates {
			f.trust(authority)
		}
		f.written.CACertificates = facts.CACertificates
	}
}

// hostsMark ends the line of /etc/hosts that is ours to replace.
const hostsMark = "# this sandbox"

func (f *Files) rename(hostname string) {
	if err := f.setHostname(hostname); err != nil {
		log.Printf("the hostname stays as it is: %v", err)
	}
	f.put("etc/hostname", hostname+"\n")
	// Without a line of its own, sudo and others ask the resolver for the machine's name and wait.
	content, _ := os.ReadFile(filepath.Join(f.root, "etc/hosts"))
	lines := slices.DeleteFunc(strings.Split(strings.TrimRight(string(content), "\n"), "\n"), func(line string) bool {
		return line == "" || strings.HasSuffix(line, hostsMark)
	})
	if len(lines) == 0 {
		lines = []string{"127.0.0.1 localhost"}
	}
	lines = append(lines, "127.0.0.1 "+hostname+" "+hostsMark)
	f.put("etc/hosts", strings.Join(lines, "\n")+"\n")
}

func (f *Files) put(name, content string) {
	path := filepath.Join(f.root, name)
	err := os.WriteFile(path, []byte(content), 0o644)
	if os.IsNotExist(err) {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
	}
	if err != nil {
		log.Printf("writing /%s: %v", name, err)
	}
}
