"""What the agent does, asked by the real Python SDKs; see test_story.py for the environment."""

import importlib
import os
import threading
import time

import httpx
import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])

PATIENCE = 20


@pytest.fixture(scope="module")
def sandbox():
    made = sdk.Sandbox.create(timeout=300)
    yield made
    made.kill()


def test_stdin_and_late_connect(sandbox):
    handle = sandbox.commands.run("read x; echo got $x; exit 3", background=True, stdin=True)
    handle.disconnect()
    again = sandbox.commands.connect(handle.pid)
    sandbox.commands.send_stdin(handle.pid, "it\n")
    with pytest.raises(Exception) as failed:
        again.wait()
    assert (failed.value.stdout, failed.value.exit_code) == ("got it\n", 3)


def test_timeout_kills(sandbox):
    with pytest.raises(sdk.TimeoutException):
        sandbox.commands.run("sleep 4321", timeout=1)
    assert sandbox.commands.run("pgrep -f 'sleep 432[1]' || echo none").stdout == "none\n"


def test_terminal(sandbox):
    screen: list[bytes] = []
    handle = sandbox.pty.create(sdk.PtySize(rows=30, cols=90), timeout=60)
    thread = threading.Thread(target=lambda: handle.wait(on_pty=screen.append))
    thread.start()
    sandbox.pty.resize(handle.pid, sdk.PtySize(rows=40, cols=120))
    sandbox.pty.send_stdin(handle.pid, b'echo "<$(stty size)>"; exit 0\n')
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert b"<40 120>" in b"".join(screen)


def test_files(sandbox):
    sandbox.files.write("dir/ü file.bin", bytes(range(256)) * 4096)
    assert bytes(sandbox.files.read("dir/ü file.bin", format="bytes")) == bytes(range(256)) * 4096
    assert b"".join(sandbox.files.read("dir/ü file.bin", format="stream")) == bytes(range(256)) * 4096
    assert [entry.name for entry in sandbox.files.list("dir")] == ["ü file.bin"]
    assert sandbox.files.make_dir("dir/sub") and not sandbox.files.make_dir("dir/sub")


def test_watcher_collects(sandbox):
    sandbox.files.make_dir("watched")
    watcher = sandbox.files.watch_dir("watched", recursive=True)
    sandbox.commands.run("mkdir watched/a; for i in 1 2 3; do touch watched/a/$i; done")
    created: list[str] = []
    end = time.monotonic() + PATIENCE
    while len(created) < 4 and time.monotonic() < end:
        created += [event.name for event in watcher.get_new_events() if event.type.value == "create"]
    assert created == ["a", "a/1", "a/2", "a/3"]
    watcher.stop()
    with pytest.raises(sdk.SandboxException):
        watcher.get_new_events()


def test_watcher_and_terminal_survive_an_image(sandbox):
    sandbox.files.make_dir("asleep")
    watcher = sandbox.files.watch_dir("asleep")
    handle = sandbox.pty.create(sdk.PtySize(rows=30, cols=90), timeout=0)
    sandbox.pty.send_stdin(handle.pid, b"X=kept\n")
    handle.disconnect()
    sandbox.beta_pause()
    sandbox.connect()
    screen: list[bytes] = []
    again = sandbox.pty.connect(handle.pid)
    sandbox.pty.send_stdin(handle.pid, b'touch asleep/f; echo "<$X>"; exit 0\n')
    again.wait(on_pty=screen.append)
    assert b"<kept>" in b"".join(screen)
    assert ("create", "f") in [(event.type.value, event.name) for event in watcher.get_new_events()]


def test_calls_that_no_other_promise_needs(sandbox):
    sandbox.set_timeout(600)
    assert sandbox.get_info().sandbox_id == sandbox.sandbox_id
    sandbox.files.write_files([{"path": f"many/{number}", "data": "x"} for number in range(20)])
    assert len(sandbox.files.list("many")) == 20
    sandbox.files.rename("many/7", "seven")
    assert sandbox.files.get_info("seven").size == 1
    assert httpx.post(sandbox.upload_url("sent"), files={"file": b"sent"}).status_code == 200
    assert httpx.get(sandbox.download_url("sent")).text == "sent"
    if hasattr(sandbox.commands, "close_stdin"):  # which Novita's has not
        handle = sandbox.commands.run("cat", background=True, stdin=True)
        sandbox.commands.close_stdin(handle.pid)
        assert handle.wait().exit_code == 0
    terminal = sandbox.pty.create(sdk.PtySize(rows=30, cols=90), timeout=60)
    assert sandbox.pty.kill(terminal.pid)
