"""The lines on their way: together when they come together, each soon, no more than fits."""

import asyncio

from torpor_interpreter.limits import MAX_GATHERED_BYTES
from torpor_interpreter.line_queue import LineQueue
from torpor_interpreter.lines import END, encode


def _line(text: str) -> dict[str, str]:
    return {"type": "stdout", "text": text}


async def _close_and_late() -> None:
    queue = LineQueue()
    first, second = _line("a"), _line("b")
    await queue.put(first)
    await queue.put(second)
    assert await queue.get(1) == encode(first) + encode(second)
    taken = asyncio.create_task(queue.get(1))
    await asyncio.sleep(0)
    await queue.put(END)
    assert await taken == encode(END)
    assert await queue.get(0.01) is None


async def _bounds() -> None:
    queue = LineQueue()
    large = _line("x" * MAX_GATHERED_BYTES)
    small = [_line("y" * (MAX_GATHERED_BYTES // 2)) for _ in range(3)]
    for line in (large, *small):
        await queue.put(line)
    sizes = [len(await queue.get(1) or b"") for _ in range(4)]
    assert sizes == [len(encode(line)) for line in (large, *small)]


async def _waiting() -> None:
    queue = LineQueue(max_lines=2)
    putting = asyncio.create_task(_put(queue, 50))
    got = b""
    while got.count(b"\n") < 50:
        got += await queue.get(1) or b""
    await putting
    assert got == b"".join(encode(_line(str(number))) for number in range(50))


async def _put(queue: LineQueue, count: int) -> None:
    for number in range(count):
        await queue.put(_line(str(number)))


def test_lines_close_behind_each_other_come_together_and_a_late_one_by_itself() -> None:
    asyncio.run(_close_and_late())


def test_a_piece_has_a_bound_but_a_line_larger_than_it_passes() -> None:
    asyncio.run(_bounds())


def test_whoever_waits_for_room_goes_on_when_lines_are_taken() -> None:
    asyncio.run(_waiting())
