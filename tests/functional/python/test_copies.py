"""Sleeping, waking and copies, asked by the real Python SDKs; see test_story.py for the environment."""

import importlib
import os
import time

import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])
is_novita = sdk.__name__.startswith("novita")

COUNTER = """
import os, time
n = 0
while True:
    n += 1
    open('/dev/shm/state.new', 'w').write(f'{os.getpid()} {n}')
    os.rename('/dev/shm/state.new', '/dev/shm/state')
    time.sleep(0.01)
"""


def state(sandbox) -> tuple[int, int]:
    pid, count = sandbox.files.read("/dev/shm/state").split()
    return int(pid), int(count)


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def parent():
    made = sdk.Sandbox.create(timeout=300)
    made.files.write("counter.py", COUNTER)
    made.commands.run("nohup python3 counter.py >/dev/null 2>&1 &")
    until(lambda: made.files.exists("/dev/shm/state"))
    yield made
    made.kill()


def expect_same_life(copy, before):
    pid, count = state(copy)
    assert (pid, count >= before[1]) == (before[0], True)
    until(lambda: state(copy)[1] > count)


@pytest.mark.skipif(not is_novita, reason="E2B's word for it is fork")
def test_clones_have_the_memory(parent):
    before = state(parent)
    clones = list(sdk.Sandbox.clone(parent.sandbox_id, count=2))
    assert len(clones) == 2
    for clone in clones:
        expect_same_life(clone, before)
        assert clone.commands.run("hostname").stdout.strip() == clone.sandbox_id
        clone.kill()
    expect_same_life(parent, before)


@pytest.mark.skipif(is_novita, reason="Novita's word for it is clone")
def test_forks_have_the_memory(parent):
    before = state(parent)
    for fork in parent.fork(count=2):
        expect_same_life(fork, before)
        fork.kill()


def test_a_snapshot_gives_sandboxes_with_its_memory(parent):
    before = state(parent)
    snapshot = parent.create_snapshot()
    listed = sdk.Sandbox.list_snapshots(sandbox_id=parent.sandbox_id).next_items()
    assert [each.snapshot_id for each in listed] == [snapshot.snapshot_id]
    made = sdk.Sandbox.create(snapshot.snapshot_id)
    expect_same_life(made, before)
    made.kill()
    assert sdk.Sandbox.delete_snapshot(snapshot.snapshot_id)
    expect_same_life(parent, before)


def test_a_sleeping_sandbox_is_listed_and_wakes_for_a_command():
    sandbox = sdk.Sandbox.create(metadata={"auto_resume": "true"})
    sandbox.beta_pause()
    assert sandbox.get_info().state == sdk.SandboxState.PAUSED
    query = sdk.SandboxQuery(state=[sdk.SandboxState.PAUSED])
    assert sandbox.sandbox_id in [each.sandbox_id for each in sdk.Sandbox.list(query=query).next_items()]
    assert sandbox.commands.run("echo awake").stdout == "awake\n"
    assert sandbox.get_info().state == sdk.SandboxState.RUNNING
    sandbox.kill()


def test_metrics_come(parent):
    until(lambda: len(parent.get_metrics()) > 1)
    assert parent.get_metrics()[-1].cpu_count == 2


@pytest.mark.skipif(not is_novita, reason="E2B has no such call")
def test_reset_goes_back_to_the_newest_snapshot(parent):
    before = state(parent)
    snapshot = parent.create_snapshot()
    parent.files.write("later.txt", "gone by the reset")
    assert parent.reset()
    expect_same_life(parent, before)
    assert not parent.files.exists("later.txt")
    assert sdk.Sandbox.delete_snapshot(snapshot.snapshot_id)


def test_what_leaves_a_sandbox_is_narrowed_down_and_let_go_again(parent):
    reach = "curl -sS -o /dev/null --max-time 5 https://api.%s/health || echo refused" % os.environ["E2B_DOMAIN"]
    if is_novita:
        parent.set_network(deny_out=["0.0.0.0/0"])
    else:
        parent.update_network({"deny_out": ["0.0.0.0/0"]})
    assert parent.commands.run(reach).stdout == "refused\n"
    if is_novita:
        parent.set_network()
    else:
        parent.update_network({})
    assert parent.commands.run(reach).stdout == ""
