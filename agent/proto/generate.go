// Package proto holds the wire of the agent's two Connect services; its sub-packages are generated.
//
// The plugins are pinned by go.mod; `go generate ./proto` fetches buf through npm.
package proto

//go:generate npx --yes @bufbuild/buf@1.75.0 generate
