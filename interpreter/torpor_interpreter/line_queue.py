"""The lines of one execution on their way to a client that may be slow, or gone."""

import asyncio
from collections import deque
from collections.abc import Callable

from .limits import GATHER_SECONDS, MAX_GATHERED_BYTES, MAX_QUEUED_BYTES, MAX_QUEUED_LINES
from .lines import END, Line, encode

_LAST = encode(END)


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
        """The next lines, encoded, those that come close behind each other together; None after `seconds` without one."""
        async with self._changed:
            if not await self._becomes(lambda: len(self._lines) > 0, seconds):
                return None
            await self._becomes(self._is_worth_sending, GATHER_SECONDS)
            gathered = [self._lines.popleft()]
            size = len(gathered[0])
            while self._lines and size + len(self._lines[0]) <= MAX_GATHERED_BYTES:
                size += len(self._lines[0])
                gathered.append(self._lines.popleft())
            self._bytes -= size
            self._changed.notify_all()
            return b"".join(gathered)

    def _is_worth_sending(self) -> bool:
        return self._lines[-1] == _LAST or len(self._lines) >= self._max_lines or self._bytes >= MAX_GATHERED_BYTES

    async def _becomes(self, holds: Callable[[], bool], seconds: float) -> bool:
        """With the lock held."""
        try:
            async with asyncio.timeout(seconds):
                return await self._changed.wait_for(holds)
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Nobody takes lines any more: whoever waits in `put` goes on."""
        async with self._changed:
            self._closed = True
            self._lines.clear()
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        return not self._lines or (len(self._lines) < self._max_lines and self._bytes + size <= self._max_bytes)
