package adapt

import (
	"errors"

	"golang.org/x/sys/unix"
)

// root makes sure that there is the account that steps and commands can name: images of a few static programs have none at all.
func (i image) root() error {
	passwd, err := i.table("passwd")
	if err != nil || passwd.named("root", 7) != nil {
		return err
	}
	groups, err := i.table("group")
	if err != nil {
		return err
	}
	if _, taken := groups.numbers()[0]; !taken {
		if err := i.appendLine("group", groups, "root:x:0:", 0o644); err != nil {
			return err
		}
	}
	if err := i.rootHome(); err != nil {
		return err
	}
	i.log.Info("The image has no account \"root\": made it.")
	return i.appendLine("passwd", passwd, "root:x:0:0:root:/root:"+i.shell(), 0o644)
}

func (i image) rootHome() error {
	parent, err := i.directory("")
	if err != nil {
		return err
	}
	if _, err := parent.Stat("root"); !errors.Is(err, unix.ENOENT) {
		return err
	}
	return parent.Mkdir("root", 0o700)
}
