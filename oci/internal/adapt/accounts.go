package adapt

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxAccountBytes = 4 << 20
	firstUID        = 1000
	lastUID         = 60000
)

// table is one of the files of accounts: a line for each name, fields by colons.
type table struct {
	content []byte
	exists  bool
}

func (i image) table(base string) (table, error) {
	content, err := i.ReadFile("etc/"+base, maxAccountBytes)
	if missing(err) {
		return table{}, nil
	}
	return table{content, true}, err
}

// named returns the fields of the line of a name, and nothing if there is none or it has too few.
func (t table) named(name string, fields int) []string {
	for line := range strings.Lines(string(t.content)) {
		values := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(values) >= fields && values[0] == name {
			return values
		}
	}
	return nil
}

// numbers returns the names by their number, which is the third field in both tables.
func (t table) numbers() map[int]string {
	found := map[int]string{}
	for line := range strings.Lines(string(t.content)) {
		values := strings.Split(line, ":")
		if len(values) < 3 {
			continue
		}
		if number, err := strconv.Atoi(values[2]); err == nil {
			if _, taken := found[number]; !taken {
				found[number] = values[0]
			}
		}
	}
	return found
}

func free(taken map[int]string, from int) (int, error) {
	for number := from; number <= lastUID; number++ {
		if _, used := taken[number]; !used {
			return number, nil
		}
	}
	return 0, errors.New("no number is free")
}

// appendLine adds a line to one of the files, keeping its mode and owner.
func (i image) appendLine(base string, present table, line string, mode uint32) error {
	content := bytes.Clone(present.content)
	if len(content) > 0 && content[len(content)-1] != '\n' {
		content = append(content, '\n')
	}
	uid, gid := 0, 0
	if stat, err := i.Stat("etc/" + base); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG {
		mode, uid, gid = stat.Mode&0o777, int(stat.Uid), int(stat.Gid)
	}
	etc, err := i.directory("etc")
	if err != nil {
		return err
	}
	return etc.WriteFile(base, fmt.Appendf(content, "%s\n", line), mode, uid, gid)
}
