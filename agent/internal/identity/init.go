package identity

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"time"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/forward"
	"torpor.dev/agent/internal/machine"
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
}

// InitHandler answers POST /init: 204 when everything is in effect, 400 for a body that makes no sense, 401 for a caller
// that knows neither the installed token (header or body) nor finds the sandbox without one.
func (i *Identity) InitHandler(token *access.Token, files *machine.Files) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readInit(w, r)
		if err != nil {
			reply.Error(w, http.StatusBadRequest, err.Error())
			return
		}
		i.initialising.Lock()
		defer i.initialising.Unlock()
		known := token.Admits(r) || (body.AccessToken != nil && token.Matches(*body.AccessToken))
		if !known {
			access.Refuse(w)
			return
		}
		noteSkew(body.Timestamp)
		i.apply(body)
		state := i.state.Load()
		files.Write(machine.Facts{
			SandboxID:      state.sandboxID,
			TemplateID:     state.templateID,
			Hostname:       body.Hostname,
			Nameservers:    body.Nameservers,
			CACertificates: body.CACertificates,
		})
		if body.Hairpin != nil {
			i.hairpin.Serve(*body.Hairpin)
		}
		// The token comes last: whoever has the new one finds everything else in effect.
		if body.AccessToken != nil {
			token.Set(*body.AccessToken)
		}
		w.WriteHeader(http.StatusNoContent)
	})
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
