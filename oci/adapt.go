package main

import (
	"torpor.dev/oci/internal/adapt"
	"torpor.dev/oci/internal/report"
)

// adaptImage makes an unpacked image fit for a sandbox.
func adaptImage(asked *request, lines *report.Reporter) (any, error) {
	if err := requireAbsolute("target", asked.Target); err != nil {
		return nil, err
	}
	return adapt.Adapt(asked.Target, lines)
}
