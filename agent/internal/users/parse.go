package users

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

type group struct {
	name    string
	id      uint32
	members []string
}

// readFile parses a file line by line. A file that cannot be read has no lines, and a line that makes no sense is
// passed over, as the C library does.
func readFile[T any](path string, parse func(fields []string) (T, bool)) []T {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var parsed []T
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if one, ok := parse(strings.Split(line, ":")); ok {
			parsed = append(parsed, one)
		}
	}
	return parsed
}

// parseUser reads name:password:uid:gid:comment:home:shell.
func parseUser(fields []string) (User, bool) {
	if len(fields) < 6 || fields[0] == "" {
		return User{}, false
	}
	uid, uidErr := parseID(fields[2])
	gid, gidErr := parseID(fields[3])
	home := fields[5]
	if home == "" {
		home = "/"
	}
	return User{Name: fields[0], UID: uid, GID: gid, Home: home}, uidErr == nil && gidErr == nil
}

// parseGroup reads name:password:gid:member,member.
func parseGroup(fields []string) (group, bool) {
	if len(fields) < 4 || fields[0] == "" {
		return group{}, false
	}
	id, err := parseID(fields[2])
	return group{name: fields[0], id: id, members: strings.Split(fields[3], ",")}, err == nil
}

func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	return uint32(id), err
}

func without(ids []uint32, unwanted uint32) []uint32 {
	var rest []uint32
	for _, id := range ids {
		if id != unwanted {
			rest = append(rest, id)
		}
	}
	return rest
}
