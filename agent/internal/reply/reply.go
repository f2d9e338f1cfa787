// Package reply writes the JSON answers of the REST endpoints (protocol.md §3.2).
package reply

import (
	"encoding/json"
	"net/http"
)

// Error answers with `{code, message}`. The message is for the user and never empty: older clients take an empty error
// body for success.
func Error(w http.ResponseWriter, status int, message string) {
	if message == "" {
		message = http.StatusText(status)
	}
	JSON(w, status, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{status, message})
}

// JSON answers with a value that marshals.
func JSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, `{"code":500,"message":"the answer cannot be written"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone away cannot be told so.
	_, _ = w.Write(append(body, '\n'))
}
