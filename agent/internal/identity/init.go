package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/forward"
	"torpor.dev/agent/internal/machine"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/reply"
)

const (
	maxInitBytes = 4 << 20
	// tolerableSkew is how far the clock may be from the host's before the log says so. The clock itself is the engine's.
	tolerableSkew = 2 * time.Second
)

// initBody is the body of POST /init. Absent properties leave things as they are, unknown ones are passed over.
type initBody struct {
	EnvVars        map[string]string `json:"envVars"`
	AccessToken    *string           `json:"accessToken"`
	Timestamp      *time.Time        `json:"timestamp"`
	DefaultUser    *string           `json:"defaultUser"`
	DefaultWorkdir *string           `json:"defaultWorkdir"`
	SandboxID      *string           `json:"sandboxId"`
	TemplateID     *string           `json:"templateId"`
	Hostname       string            `json:"hostname"`
	Nameservers    []string          `json:"nameservers"`
	CACertificates []string          `json:"caCertificates"`
	Hairpin        *forward.Target   `json:"hairpin"`
	// OutputBufferBytes is what is kept of the output of each process started from now on, for those who connect later.
	OutputBufferBytes *int64 `json:"outputBufferBytes"`
	// Rekey begins a new life although the sandbox id stays the same.
	Rekey bool `json:"rekey"`
}

// InitHandler answers POST /init: 204 when everything is in effect, 400 for a body that makes no sense, 401 for a caller
// that knows neither the installed token (header or body) nor finds the sandbox without one. It is the only way to change
// the token. A body with another sandbox id makes a captured sandbox a new one; see rekey.
func (i *Identity) InitHandler(host Host) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readInit(w, r)
		if err != nil {
			reply.Error(w, http.StatusBadRequest, err.Error())
			return
		}
		i.initialising.Lock()
		defer i.initialising.Unlock()
		known := host.Token.Admits(r) || (body.AccessToken != nil && host.Token.Matches(*body.AccessToken))
		if !known {
			access.Refuse(w)
			return
		}
		noteSkew(body.Timestamp)
		i.initialise(r.Context(), host, body)
		w.WriteHeader(http.StatusNoContent)
	})
}

// initialise puts a body in effect. The token comes first: nobody of the old life may come back once connections are ended.
func (i *Identity) initialise(ctx context.Context, host Host, body *initBody) {
	previous := i.state.Load().sandboxID
	i.apply(body)
	if body.AccessToken != nil {
		host.Token.Set(*body.AccessToken)
	}
	if body.OutputBufferBytes != nil {
		host.Processes.KeepOutput(*body.OutputBufferBytes)
	}
	if body.Rekey {
		host.Files.Forget()
	}
	state := i.state.Load()
	host.Files.Write(machine.Facts{
		SandboxID:      state.sandboxID,
		TemplateID:     state.templateID,
		Hostname:       body.Hostname,
		Nameservers:    body.Nameservers,
		CACertificates: body.CACertificates,
	})
	if body.Hairpin != nil {
		i.hairpin.Serve(*body.Hairpin)
	}
	if body.Rekey || state.sandboxID != previous {
		i.rekey(ctx, host, previous)
	}
}

// EnvsHandler answers GET /envs with the global environment.
func (i *Identity) EnvsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		env := i.Env()
		if env == nil {
			env = map[string]string{}
		}
		reply.JSON(w, http.StatusOK, env)
	})
}

func readInit(w http.ResponseWriter, r *http.Request) (*initBody, error) {
	body := &initBody{}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxInitBytes)).Decode(body)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the body of /init is not valid: " + err.Error())
	}
	if kept := body.OutputBufferBytes; kept != nil && (*kept < 0 || *kept > process.MaxKept) {
		return nil, fmt.Errorf("outputBufferBytes is %d, but must be from 0 to %d", *kept, process.MaxKept)
	}
	return body, CheckEnv(body.EnvVars)
}

func noteSkew(timestamp *time.Time) {
	if timestamp == nil {
		return
	}
	if skew := time.Since(*timestamp); skew.Abs() > tolerableSkew {
		log.Printf("the clock differs from the host's by %v", skew)
	}
}
