"""The answer of /execute: lines as they come, until the end or until the client leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from .kernel import Emit
from .limits import KEEPALIVE_SECONDS
from .line_queue import LineQueue
from .lines import END, KEEPALIVE, encode

_LAST = encode(END)


async def stream_of(run: Callable[[Emit], Awaitable[None]], silence: float = KEEPALIVE_SECONDS) -> AsyncIterator[bytes]:
    """What `run` emits, up to the end marker. When nobody takes the lines any more, `run` is cancelled."""
    queue = LineQueue()
    task = asyncio.ensure_future(run(queue.put))
    try:
        while True:
            lines = await queue.get(silence)
            if lines is None and task.done():
                task.result()
                return
            yield lines or encode(KEEPALIVE)
            if lines and lines.endswith(_LAST):
                return
    finally:
        task.cancel()
        await queue.close()
