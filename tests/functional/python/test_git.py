"""Git, as the real Python SDKs drive it; see test_story.py for the environment."""

import importlib
import os
import pathlib

import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])

SERVER = pathlib.Path(__file__).parent.parent / "git-server.py"
URL = "http://127.0.0.1:8418/origin.git"


@pytest.fixture(scope="module")
def sandbox():
    made = sdk.Sandbox.create(timeout=300)
    yield made
    made.kill()


def test_a_repository_of_ones_own(sandbox):
    git = sandbox.git
    git.init("work", initial_branch="main")
    git.configure_user("Ann", "ann@example.org")
    assert git.get_config("user.email") == "ann@example.org"
    sandbox.files.write("work/ä file.txt", "one\n")
    status = git.status("work")
    assert (status.current_branch, status.untracked_count, status.is_clean) == ("main", 1, False)
    git.add("work")
    assert git.status("work").has_staged
    git.commit("work", 'First: "quoted" $HOME `id`')
    assert sandbox.commands.run('git -C work log -1 --format="%an %s"').stdout == 'Ann First: "quoted" $HOME `id`\n'
    git.create_branch("work", "side")
    git.checkout_branch("work", "main")
    branches = git.branches("work")
    assert (branches.branches, branches.current_branch) == (["main", "side"], "main")
    git.delete_branch("work", "side")
    sandbox.files.write("work/ä file.txt", "two\n")
    git.add("work")
    git.restore("work", paths=["ä file.txt"], staged=True)
    assert not git.status("work").has_staged
    git.reset("work", mode="hard")
    assert sandbox.files.read("work/ä file.txt") == "one\n"


def test_a_bare_repository(sandbox):
    git = sandbox.git
    git.init("bare.git", bare=True, initial_branch="main")
    git.remote_add("work", "origin", "/home/user/bare.git")
    assert git.remote_get("work", "origin") == "/home/user/bare.git"
    git.push("work", remote="origin", branch="main", set_upstream=True)
    git.clone("/home/user/bare.git", path="copy")
    sandbox.files.write("copy/second", "2")
    git.add("copy", files=["second"])
    git.commit("copy", "Second")
    git.push("copy")
    git.pull("work")
    assert sandbox.files.read("work/second") == "2"


def test_a_server_over_http(sandbox):
    git = sandbox.git
    git.init("/home/user/served/origin.git", bare=True, initial_branch="main")
    git.set_config("http.receivepack", "true", scope="local", path="/home/user/served/origin.git")
    sandbox.files.write("git-server.py", SERVER.read_text())
    sandbox.commands.run("python3 git-server.py", background=True, envs={"GIT_ROOT": "/home/user/served"}, timeout=0)
    sandbox.commands.run(f"curl -sS --retry 50 --retry-connrefused --retry-delay 0 -o /dev/null {URL}")
    with pytest.raises(Exception, match="(?i)auth|credential"):
        git.clone(URL, path="refused")
    git.remote_add("work", "web", URL)
    git.push("work", remote="web", branch="main", set_upstream=False, username="ann", password="s3cret")
    git.clone(URL, path="from-web", branch="main", depth=1, username="ann", password="s3cret")
    assert sandbox.files.read("from-web/second") == "2"
    git.pull("from-web", username="ann", password="s3cret")
    kept = sandbox.commands.run("grep -rl s3cret from-web/.git work/.git .git-credentials || echo none")
    assert kept.stdout == "none\n"
    git.dangerously_authenticate(username="ann", password="s3cret", host="127.0.0.1:8418", protocol="http")
    git.clone(URL, path="trusted")
    assert git.status("trusted").is_clean
