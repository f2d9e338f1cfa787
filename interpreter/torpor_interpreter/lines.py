"""The lines of an execution's stream (protocol.md §4.2)."""

import json
import math
from collections.abc import Mapping
from typing import Any

Line = Mapping[str, Any]

KEEPALIVE: Line = {"type": "keepalive"}
END: Line = {"type": "end_of_execution"}


def error(name: str, value: str, traceback: str = "") -> Line:
    """An error of the code or of its kernel; the stream still ends normally."""
    return {"type": "error", "name": name, "value": value, "traceback": traceback}


def unexpected_end(why: str) -> Line:
    """The kernel is gone; `why` tells the user what happened and what to do."""
    return error("UnexpectedEndOfExecution", why)


def encode(line: Line) -> bytes:
    """One line of ASCII. Clients decode each network chunk by itself: a character of several bytes could be cut in two."""
    try:
        return json.dumps(line, allow_nan=False).encode("ascii") + b"\n"
    except ValueError:
        return json.dumps(_without_nan(line), allow_nan=False).encode("ascii") + b"\n"


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
