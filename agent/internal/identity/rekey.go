package identity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log"
	"maps"
	"path/filepath"
	"time"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/journal"
	"torpor.dev/agent/internal/machine"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/users"
)

// hooksTime bounds all hooks together: creating a sandbox waits for them.
const hooksTime = 5 * time.Second

// Host is what POST /init sets besides the identity itself.
type Host struct {
	Token     *access.Token
	Files     *machine.Files // nil leaves the system's files alone
	Processes *process.Table
	// EndOthers closes all connections but that of the request.
	EndOthers func(request context.Context)
	Journal   *journal.Journal
}

// rekey begins a new life. What is running goes on, but the clients of the old life are gone, and the programs inside are
// told: by a file for those that look, by hooks for those that must be told.
//
// The kernel's randomness needs nothing: gVisor's getrandom and /dev/urandom ask the host each time, so clones differ by
// themselves, and what is written into /dev/urandom is dropped.
func (i *Identity) rekey(ctx context.Context, host Host, previous string) {
	host.EndOthers(ctx)
	host.Journal.Clear() // what happened to another sandbox is not for the owner of this one
	state := i.state.Load()
	life := machine.Life{
		SandboxID:  state.sandboxID,
		TemplateID: state.templateID,
		Generation: newGeneration(),
		At:         time.Now().UTC(),
	}
	host.Files.Identify(life)
	host.Journal.Add(journal.Info, "sandbox started", journal.Fields{"sandboxId": life.SandboxID, "generation": life.Generation})
	if hooks := host.Files.Hooks(); len(hooks) > 0 {
		i.runHooks(ctx, host.Processes, hooks, map[string]string{
			"TORPOR_SANDBOX_ID":          life.SandboxID,
			"TORPOR_PREVIOUS_SANDBOX_ID": previous,
			"TORPOR_GENERATION":          life.Generation,
		})
	}
}

// runHooks runs one after the other. A hook that fails is logged and holds nobody up: a sandbox with a stale service is
// worth more than none.
func (i *Identity) runHooks(ctx context.Context, processes *process.Table, hooks []string, told map[string]string) {
	// A caller that gives up and asks again finds the work done, not half of it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hooksTime)
	defer cancel()
	root := i.rootUser()
	env := EnvironmentOf(root, i.Env())
	maps.Copy(env, told)
	for _, hook := range hooks {
		end, err := processes.Run(ctx, process.Spec{Command: hook, Env: env, Dir: "/", User: root})
		switch {
		case err != nil:
			log.Printf("rekey hook %s: %v", filepath.Base(hook), err)
		case end.Failed():
			log.Printf("rekey hook %s: %s", filepath.Base(hook), end.Status)
		}
	}
}

// rootUser is root even where no file says so.
func (i *Identity) rootUser() users.User {
	if root, err := i.database.Lookup(fallbackUser); err == nil {
		return root
	}
	return users.User{Name: fallbackUser, Home: "/root"}
}

func newGeneration() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails: it ends the program instead
	return hex.EncodeToString(bits[:])
}
