// Package identity is who the sandbox is: what POST /init tells the agent and everything else asks for.
package identity

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"torpor.dev/agent/internal/forward"
	"torpor.dev/agent/internal/paths"
	"torpor.dev/agent/internal/users"
)

// The user of a sandbox that was not told one, and the one of a template that has no such user.
const (
	usualUser    = "user"
	fallbackUser = "root"
)

// Identity is the sandbox's state from the last /init. It is safe for concurrent use.
type Identity struct {
	database *users.Database
	state    atomic.Pointer[state]
	hairpin  forward.Loopback
	// initialising makes the check of the token and what follows from it one step.
	initialising sync.Mutex
}

// state is never changed, only replaced.
type state struct {
	env                   map[string]string // what processes get
	vars                  map[string]string // the part of it that the client chose
	sandboxID, templateID string
	user, workdir         string
}

// New makes the identity of a sandbox that nobody has initialised yet.
func New(database *users.Database) *Identity {
	i := &Identity{database: database}
	i.state.Store(&state{})
	return i
}

// Env is the global environment; it must not be changed.
func (i *Identity) Env() map[string]string { return i.state.Load().env }

// User finds a user by name, or the default user for an empty name. It returns a *users.UnknownError.
func (i *Identity) User(name string) (users.User, error) {
	if name != "" {
		return i.database.Lookup(name)
	}
	if chosen := i.state.Load().user; chosen != "" {
		return i.database.Lookup(chosen)
	}
	if user, err := i.database.Lookup(usualUser); err == nil {
		return user, nil
	}
	return i.database.Lookup(fallbackUser)
}

// UserOf finds the user of an RPC by its Authorization header, `Basic base64("<name>:")`; without one it is the default
// user. It returns a *users.UnknownError.
func (i *Identity) UserOf(authorization string) (users.User, error) {
	name, err := basicName(authorization)
	if err != nil {
		return users.User{}, err
	}
	return i.User(name)
}

func basicName(authorization string) (string, error) {
	if authorization == "" {
		return "", nil
	}
	scheme, encoded, _ := strings.Cut(authorization, " ")
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return "", &users.UnknownError{}
	}
	name, _, _ := strings.Cut(string(decoded), ":")
	return name, nil
}

// Base is what the relative paths of a user are resolved against.
func (i *Identity) Base(user users.User) paths.Base {
	return paths.Base{Home: user.Home, Workdir: i.state.Load().workdir}
}

// Resolve makes a path of a user absolute; see paths.Resolve.
func (i *Identity) Resolve(path string, user users.User) (string, error) {
	return paths.Resolve(path, i.Base(user))
}

// apply takes over what the body tells; what it does not tell stays as it is.
func (i *Identity) apply(body *initBody) {
	next := *i.state.Load()
	if body.EnvVars != nil {
		next.vars = body.EnvVars
	}
	replace(&next.sandboxID, body.SandboxID)
	replace(&next.templateID, body.TemplateID)
	replace(&next.user, body.DefaultUser)
	replace(&next.workdir, body.DefaultWorkdir)
	next.env = maps.Clone(next.vars)
	if next.env == nil {
		next.env = map[string]string{}
	}
	next.env["E2B_SANDBOX"] = "true"
	setUnlessEmpty(next.env, "E2B_SANDBOX_ID", next.sandboxID)
	setUnlessEmpty(next.env, "E2B_TEMPLATE_ID", next.templateID)
	i.state.Store(&next)
}

func replace(value *string, told *string) {
	if told != nil {
		*value = *told
	}
}

func setUnlessEmpty(env map[string]string, name, value string) {
	if value != "" {
		env[name] = value
	}
}

// usualPath is for an agent that was itself started without PATH.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// EnvironmentOf is what a process of the user starts with: what the user brings, then each of the layers; the later wins.
func EnvironmentOf(user users.User, layers ...map[string]string) map[string]string {
	path := os.Getenv("PATH")
	if path == "" {
		path = usualPath
	}
	env := map[string]string{"PATH": path, "HOME": user.Home, "USER": user.Name, "LOGNAME": user.Name}
	for _, layer := range layers {
		maps.Copy(env, layer)
	}
	return env
}

// CheckEnv returns an error that names the first variable no process could be given.
func CheckEnv(env map[string]string) error {
	for name, value := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return fmt.Errorf("invalid environment variable %q", name)
		}
	}
	return nil
}
