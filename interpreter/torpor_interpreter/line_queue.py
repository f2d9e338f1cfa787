"""The lines of one execution on their way to a client that may be slow, or gone."""

import asyncio
from collections import deque

from .limits import MAX_QUEUED_BYTES, MAX_QUEUED_LINES
from .lines import Line, encode


class LineQueue:
    """Bounded by lines and by bytes: `put` waits for the client. For one producer and one consumer."""

    def __init__(self, max_lines: int = MAX_QUEUED_LINES, max_bytes: int = MAX_QUEUED_BYTES) -> None:
        self._lines: deque[bytes] = deque()
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._bytes = 0
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, line: Line) -> None:
        """A line larger than the bound passes alone; after `close` lines are dropped."""
        encoded = encode(line)
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self._has_room(len(encoded)))
            if self._closed:
                return
            self._lines.append(encoded)
            self._bytes += len(encoded)
            self._changed.notify_all()

    async def get(self, seconds: float) -> bytes | None:
        """The next line, encoded; None after `seconds` without one."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: len(self._lines) > 0)
                encoded = self._lines.popleft()
                self._bytes -= len(encoded)
                self._changed.notify_all()
                return encoded
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Nobody takes lines any more: whoever waits in `put` goes on."""
        async with self._changed:
            self._closed = True
            self._lines.clear()
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        return not self._lines or (len(self._lines) < self._max_lines and self._bytes + size <= self._max_bytes)
