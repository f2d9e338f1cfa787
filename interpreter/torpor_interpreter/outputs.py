"""Jupyter's output messages as lines of the stream (protocol.md §4.2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .lines import Line, error

_FIELD_OF_MIME = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
    "e2b/data": "data",
    "e2b/chart": "chart",
}


def line_of(message: Mapping[str, Any]) -> Line | None:
    """The line that tells a client of `message`; None when it says nothing that clients know."""
    content = message["content"]
    match message["msg_type"]:
        case "stream":
            return {"type": content["name"], "text": content["text"], "timestamp": _timestamp(message)}
        case "execute_input":
            return {"type": "number_of_executions", "execution_count": content["execution_count"]}
        case "execute_result":
            return _result(content["data"], is_main=True)
        case "display_data":
            return _result(content["data"], is_main=False)
        case "error":
            return error(content["ename"], content["evalue"], "\n".join(content["traceback"]))
    return None


def _result(data: Mapping[str, Any], *, is_main: bool) -> Line:
    line: dict[str, Any] = {"type": "result", "is_main_result": is_main}
    extra = {}
    for mime, value in data.items():
        if field := _FIELD_OF_MIME.get(mime):
            line[field] = _unquoted(value) if field == "text" else value
        else:
            extra[mime] = value
    if extra:
        line["extra"] = extra
    return line


def _unquoted(text: str) -> str:
    """`'abc'`, the representation of a string, is shown as the string."""
    for quote in ("'", '"'):
        if len(text) >= 2 and text.startswith(quote) and text.endswith(quote):
            return text[1:-1]
    return text


def _timestamp(message: Mapping[str, Any]) -> str:
    date = message["header"].get("date")
    return date.isoformat() if isinstance(date, datetime) else datetime.now(UTC).isoformat()
