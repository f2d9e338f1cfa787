package descriptors

import "testing"

func TestHighest(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"runsc-sandbox", "--log-fd=3", "boot", "--io-fds=5", "--io-fds=16", "--dev-io-fd=-1", "--stdio-fds=15"}, 16},
		{[]string{"runsc-gofer", "gofer", "--spec-fd=4", "--pass-fd=9:200"}, 9},
		{[]string{"torpor-engine", "serve", "--socket", "/x-fd=7"}, -1},
		{nil, -1},
	} {
		if got := highest(test.args); got != test.want {
			t.Errorf("%v: %d", test.args, got)
		}
	}
}
