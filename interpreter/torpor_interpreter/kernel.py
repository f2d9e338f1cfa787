"""One running kernel: code in, output messages as lines out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from .kernel_process import end_kernel, how_it_ended, start_kernel
from .languages import Language
from .limits import INTERRUPT_SECONDS, INTERRUPTS
from .lines import Line, unexpected_end
from .outputs import line_of

Emit = Callable[[Line], Awaitable[None]]

_LOOK_SECONDS = 1.0
"""Between two looks whether a busy kernel still lives."""
_LATE_LOOKS = 5
"""After the kernel's reply; then its last output message is taken for lost."""


class KernelGoneError(Exception):
    """The kernel ended while code ran in it. `line` tells the client."""

    def __init__(self, line: Line) -> None:
        super().__init__(line["value"])
        self.line = line


class _Run:
    """One execution: what the kernel sends under this message id belongs to it."""

    def __init__(self, message_id: str, emit: Emit) -> None:
        self.message_id = message_id
        self.emit = emit
        self.emitting = False
        self.replied = False
        self.idle = asyncio.Event()
        self.gone: Line | None = None


class Kernel:
    """For one execution at a time."""

    def __init__(self, manager: AsyncKernelManager, client: AsyncKernelClient) -> None:
        self._manager = manager
        self._client = client
        self._run: _Run | None = None
        self._readers = [asyncio.create_task(self._read_output()), asyncio.create_task(self._read_replies())]

    @classmethod
    async def start(cls, language: Language, cwd: str) -> Self:
        """Raises KernelStartError."""
        return cls(*await start_kernel(language, cwd))

    async def execute(self, code: str, emit: Emit, *, quiet: bool = False) -> None:
        """Returns when the code has run; raises KernelGoneError. `quiet` code leaves no trace in history and counters."""
        message_id = self._client.execute(code, silent=quiet, store_history=not quiet, allow_stdin=False)
        run = self._run = _Run(message_id, emit)
        looks_since_reply = 0
        while not await _happens(run.idle, _LOOK_SECONDS):
            if not await self.alive():
                raise KernelGoneError(unexpected_end(f"The kernel ended ({how_it_ended(self._manager)}). {_LOST}"))
            looks_since_reply = looks_since_reply + 1 if run.replied and not run.emitting else 0
            if looks_since_reply > _LATE_LOOKS:
                break
        if run.gone:
            raise KernelGoneError(run.gone)

    async def alive(self) -> bool:
        return bool(await self._manager.is_alive())

    async def interrupt(self) -> None:
        """Interrupts what runs until it stops, a few times: code may catch it."""
        run = self._run
        for _ in range(INTERRUPTS):
            if run is None or run.idle.is_set() or not await self.alive():
                return
            await self._manager.interrupt_kernel()
            await _happens(run.idle, INTERRUPT_SECONDS)

    async def stop(self, line: Line) -> None:
        """Ends the kernel; what runs ends with `line`."""
        if self._run is not None:
            self._run.gone = line
            self._run.idle.set()
        for reader in self._readers:
            reader.cancel()
        self._client.stop_channels()
        await end_kernel(self._manager)

    async def _read_output(self) -> None:
        """Always, also between executions: what nobody reads would fill the kernel's queue and push out later output."""
        while True:
            message: dict[str, Any] = await self._client.get_iopub_msg()
            run = self._run
            if run is None or message["parent_header"].get("msg_id") != run.message_id:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                run.idle.set()
            elif line := line_of(message):
                run.emitting = True
                await run.emit(line)
                run.emitting = False

    async def _read_replies(self) -> None:
        while True:
            message: dict[str, Any] = await self._client.get_shell_msg()
            run = self._run
            if run is not None and message["parent_header"].get("msg_id") == run.message_id:
                run.replied = True


_LOST = "Its variables are lost; the next execution in this context starts a new one."


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
