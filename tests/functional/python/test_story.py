"""The main story, told by the real Python SDKs: SDK names the package, the environment is that of `torpor env`."""

import importlib
import json
import os
import threading

import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])

KEEPER = """
import hashlib, http.server, json, os, socketserver, threading, time
data = os.urandom(64 * 1024 * 1024)
count = 0
def tick():
    global count
    while True:
        count += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
class Tell(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"pid": os.getpid(), "count": count, "hash": hashlib.sha256(data).hexdigest()}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
socketserver.TCPServer(("127.0.0.1", 9000), Tell).serve_forever()
"""


@pytest.fixture(scope="module")
def sandbox():
    made = sdk.Sandbox.create(timeout=300, metadata={"story": "python"}, envs={"GREETING": "hello"})
    yield made
    made.kill()


def ask(box):
    retry = "--retry 100 --retry-delay 0 --retry-connrefused --retry-max-time 30"
    return json.loads(box.commands.run(f"curl -sS {retry} http://127.0.0.1:9000/").stdout)


def ids(*states):
    pages = sdk.Sandbox.list(query=sdk.SandboxQuery(state=[sdk.SandboxState(s) for s in states]), limit=1)
    found = []
    while pages.has_next:
        found += [entry.sandbox_id for entry in pages.next_items()]
    return found


def test_runs_with_its_metadata(sandbox):
    assert sandbox.is_running()
    info = sandbox.get_info()
    assert info.metadata == {"story": "python"}
    assert abs((info.end_at - info.started_at).total_seconds() - 300) < 2


def test_files(sandbox):
    sandbox.files.write("lines.txt", "line 1\nline 2\n")
    assert sandbox.files.read("/home/user/lines.txt") == "line 1\nline 2\n"
    assert sandbox.files.exists("lines.txt")
    assert "lines.txt" in [entry.name for entry in sandbox.files.list(".")]
    with pytest.raises(sdk.NotFoundException):
        sandbox.files.read("missing.txt")


def test_commands(sandbox):
    result = sandbox.commands.run("echo out; echo err >&2; echo $GREETING $(whoami)")
    assert (result.stdout, result.stderr, result.exit_code) == ("out\nhello user\n", "err\n", 0)
    with pytest.raises(Exception) as failed:
        sandbox.commands.run("exit 7")
    assert failed.value.exit_code == 7
    handle = sandbox.commands.run("sleep 100", background=True)
    assert handle.pid in [entry.pid for entry in sandbox.commands.list()]
    assert handle.kill()


def test_memory_survives_three_sleeps(sandbox):
    sandbox.files.write("keeper.py", KEEPER)
    sandbox.commands.run("nohup python3 keeper.py > /tmp/keeper.log 2>&1 &")
    before = ask(sandbox)
    for _ in range(3):
        sandbox.beta_pause()
        assert sandbox.sandbox_id in ids("paused")
        assert not sandbox.is_running()
        sandbox.connect()
        after = ask(sandbox)
        assert (after["pid"], after["hash"]) == (before["pid"], before["hash"])
        assert after["count"] > before["count"]
        before = after


def test_ten_connects_are_one_resume(sandbox):
    sandbox.beta_pause()
    told = []

    def connect():
        told.append(ask(sdk.Sandbox.connect(sandbox.sandbox_id))["pid"])

    threads = [threading.Thread(target=connect) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 10 and len(set(told)) == 1


def test_killed_is_gone(sandbox):
    assert sandbox.kill()
    assert not sandbox.is_running()
    with pytest.raises(sdk.NotFoundException):
        sdk.Sandbox.connect(sandbox.sandbox_id)
