package main

import "testing"

func TestOnlyServeIsOurs(t *testing.T) {
	cases := []struct {
		args []string
		ours bool
	}{
		{[]string{"torpor-engine", "serve", "--socket", "/s"}, true},
		{[]string{"torpor-engine"}, false},
		{[]string{"torpor-engine", "--root=/r", "serve"}, false},
		{[]string{"runsc-gofer", "--root=/r", "gofer", "--bundle", "/b", "serve"}, false},
		{[]string{"runsc-sandbox", "--root=/r", "boot"}, false},
	}
	for _, c := range cases {
		if got := isServe(c.args); got != c.ours {
			t.Errorf("isServe(%q) = %v, want %v", c.args, got, c.ours)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := []string{"--socket", "/run/e.sock", "--root", "/var/e/root", "--version-id", "v1"}
	o, err := parseOptions(good)
	if err != nil {
		t.Fatal(err)
	}
	if o.logDirectory != "/var/e/logs" {
		t.Errorf("log directory = %q, want the sibling of the root", o.logDirectory)
	}
	for _, bad := range [][]string{
		{},
		{"--socket", "/s"},
		{"--socket", "s", "--root", "/r"},
		{"--socket", "/s", "--root", "r"},
		{"--socket", "/s", "--root", "/"},
		{"--socket", "/s", "--root", "/r", "--log-dir", "logs"},
		{"--socket", "/s", "--root", "/r", "extra"},
		{"--unknown"},
	} {
		if _, err := parseOptions(bad); err == nil {
			t.Errorf("parseOptions(%q) succeeded", bad)
		}
	}
}
