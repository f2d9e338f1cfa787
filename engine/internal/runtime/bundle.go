package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/specutils"

	"torpor.dev/engine/internal/protocol"
)

// readBundle reads the bundle's config.json and refuses what would reach further than one sandbox.
func readBundle(request protocol.Start, conf *config.Config) (*specs.Spec, error) {
	if _, err := os.Stat(filepath.Join(request.Bundle, "config.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, protocol.Errorf(protocol.Invalid, "The bundle has no config.json.")
	}
	spec, err := specutils.ReadSpec(request.Bundle, conf)
	if err != nil {
		return nil, &protocol.Error{Kind: protocol.Invalid, Message: "The bundle's config.json cannot be used.", Detail: err.Error()}
	}
	if err := checkSpec(spec, request.Execution); err != nil {
		return nil, err
	}
	// The bundle may name annotations that adjust the configuration; the runtime's own command line applies them as well.
	if err := specutils.FixConfig(conf, spec); err != nil {
		return nil, &protocol.Error{Kind: protocol.Invalid, Message: "The bundle's annotations cannot be used.", Detail: err.Error()}
	}
	return spec, nil
}

func checkSpec(spec *specs.Spec, execution string) error {
	if spec.Hooks != nil {
		return protocol.Errorf(protocol.Invalid, "The bundle must not have hooks: they would run on the host.")
	}
	if spec.Process.Terminal {
		return protocol.Errorf(protocol.Invalid, "The bundle's process must not have a terminal.")
	}
	if !specutils.IsRootContainer(spec) {
		return protocol.Errorf(protocol.Invalid, "The bundle must describe a sandbox of its own.")
	}
	for name := range spec.Annotations {
		if strings.HasPrefix(name, "dev.gvisor.flag.") {
			return protocol.Errorf(protocol.Invalid, "The bundle must not change the runtime's flags.")
		}
	}
	return checkGroup(spec, execution)
}

// checkGroup demands a control group that is the execution's alone: destroy ends everything that is in it.
func checkGroup(spec *specs.Spec, execution string) error {
	if spec.Linux == nil || !filepath.IsAbs(spec.Linux.CgroupsPath) || filepath.Base(spec.Linux.CgroupsPath) != execution ||
		filepath.Clean(spec.Linux.CgroupsPath) != spec.Linux.CgroupsPath {
		return protocol.Errorf(protocol.Invalid, "The bundle's linux.cgroupsPath must be an absolute path that ends in the execution's id.")
	}
	if spec.Linux.Resources == nil {
		return protocol.Errorf(protocol.Invalid, "The bundle must have linux.resources.")
	}
	return nil
}
