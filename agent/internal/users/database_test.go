package users

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestLookupFindsUserWithItsSupplementaryGroups(t *testing.T) {
	d, _ := database(t, "# comment\nroot:x:0:0:root:/root:/bin/bash\n\nbroken\nuser:x:1000:1001::/home/user:/bin/bash\n", "root:x:0:\nsudo:x:27:other,user\nuser:x:1001:user\ndocker:x:99:user\n")
	user, err := d.Lookup("user")
	if err != nil {
		t.Fatal(err)
	}
	if user.UID != 1000 || user.GID != 1001 || user.Home != "/home/user" || !slices.Equal(user.Groups, []uint32{27, 99}) {
		t.Errorf("got %+v", user)
	}
}

func TestLookupOfUnknownUserNamesIt(t *testing.T) {
	d, _ := database(t, "root:x:0:0::/root:\n", "")
	_, err := d.Lookup("ghost")
	if _, ok := errors.AsType[*UnknownError](err); !ok || err.Error() != "invalid username: 'ghost'" {
		t.Errorf("got %v", err)
	}
}

func TestLookupByNumberFindsTheUserOrMakesDoWithoutAnEntry(t *testing.T) {
	d, _ := database(t, "root:x:0:0::/root:\nuser:x:1000:1001::/home/user:\n7:x:70:70::/seven:\n", "")
	for name, want := range map[string]User{
		"1000": {Name: "user", UID: 1000, GID: 1001, Home: "/home/user"},
		"7":    {Name: "7", UID: 70, GID: 70, Home: "/seven"},
		"4242": {Name: "4242", UID: 4242, Home: "/"},
	} {
		user, err := d.Lookup(name)
		if err != nil || user.Name != want.Name || user.UID != want.UID || user.GID != want.GID || user.Home != want.Home {
			t.Errorf("%s: got %+v %v", name, user, err)
		}
	}
	for _, name := range []string{"4294967295", "4294967296", "-1", "+1", "0x10"} {
		if _, err := d.Lookup(name); err == nil {
			t.Errorf("%s is a user", name)
		}
	}
}

func TestLookupSeesUsersThatAreAddedLater(t *testing.T) {
	d, passwd := database(t, "root:x:0:0::/root:\n", "")
	if _, err := d.Lookup("late"); err == nil {
		t.Fatal("the user is there too early")
	}
	if err := os.WriteFile(passwd, []byte("root:x:0:0::/root:\nlate:x:7:7::/:\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lookup("late"); err != nil {
		t.Error(err)
	}
}

func TestNamesFallBackToNumbers(t *testing.T) {
	d, _ := database(t, "root:x:0:0::/root:\nalias:x:0:0::/root:\n", "wheel:x:0:\n")
	names := d.Names()
	if names.User(0) != "root" || names.Group(0) != "wheel" || names.User(4000000000) != "4000000000" || names.Group(5) != "5" {
		t.Errorf("got %q %q %q %q", names.User(0), names.Group(0), names.User(4000000000), names.Group(5))
	}
}

func TestMissingFilesMeanNoUsers(t *testing.T) {
	d := New("/nonexistent/passwd", "/nonexistent/group")
	if _, err := d.Lookup("root"); err == nil {
		t.Error("found a user")
	}
}

func database(t *testing.T, passwd, group string) (*Database, string) {
	t.Helper()
	dir := t.TempDir()
	passwdPath, groupPath := filepath.Join(dir, "passwd"), filepath.Join(dir, "group")
	for path, content := range map[string]string{passwdPath: passwd, groupPath: group} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return New(passwdPath, groupPath), passwdPath
}
