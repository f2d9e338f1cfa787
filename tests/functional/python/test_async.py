"""The asynchronous faces of the real Python SDKs; see test_story.py for the environment."""

import asyncio
import importlib
import os

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])

PATIENCE = 20


def test_asynchronous_sandbox():
    asyncio.run(asyncio.wait_for(tell(), 100))


async def tell() -> None:
    sandbox = await sdk.AsyncSandbox.create(timeout=300)
    try:
        await commands(sandbox)
        await files(sandbox)
        await terminal(sandbox)
        await git(sandbox)
    finally:
        assert await sandbox.kill()


async def commands(sandbox) -> None:
    results = await asyncio.gather(*(sandbox.commands.run(f"echo {number}") for number in range(10)))
    assert [result.stdout for result in results] == [f"{number}\n" for number in range(10)]
    handle = await sandbox.commands.run("read x; echo got $x", background=True, stdin=True)
    assert handle.pid in [process.pid for process in await sandbox.commands.list()]
    await sandbox.commands.send_stdin(handle.pid, "it\n")
    assert (await handle.wait()).stdout == "got it\n"
    assert not await sandbox.commands.kill(handle.pid)


async def files(sandbox) -> None:
    await sandbox.files.write("dir/ü file.bin", bytes(range(256)))
    assert bytes(await sandbox.files.read("dir/ü file.bin", format="bytes")) == bytes(range(256))
    assert [entry.name for entry in await sandbox.files.list("dir")] == ["ü file.bin"]
    events: asyncio.Queue = asyncio.Queue()
    watcher = await sandbox.files.watch_dir("dir", on_event=events.put)
    await sandbox.files.write("dir/second", "2")
    assert (await asyncio.wait_for(events.get(), PATIENCE)).name == "second"
    await watcher.stop()
    await sandbox.files.remove("dir")
    assert not await sandbox.files.exists("dir")


async def terminal(sandbox) -> None:
    screen: list[bytes] = []
    handle = await sandbox.pty.create(sdk.PtySize(rows=30, cols=90), on_data=screen.append, timeout=60)
    await sandbox.pty.send_stdin(handle.pid, b'echo "<$(stty size)>"; exit 0\n')
    await handle.wait()
    assert b"<30 90>" in b"".join(screen)


async def git(sandbox) -> None:
    await sandbox.git.init("work", initial_branch="main")
    await sandbox.files.write("work/file", "1")
    assert (await sandbox.git.status("work")).untracked_count == 1
