"""Request bodies, checked at the border."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from .limits import MAX_BODY_BYTES


class BadRequestError(Exception):
    """The text names the field."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Execute:
    code: str
    context_id: str | None
    language: str | None
    env_vars: Mapping[str, str]


@dataclass(frozen=True)
class NewContext:
    language: str
    cwd: str


async def read_execute(request: Request) -> Execute:
    """Raises BadRequestError, also when both a context and a language are asked for."""
    body = await _read_object(request)
    if not isinstance(body.get("code"), str):
        raise BadRequestError("code must be a string")
    context_id, language = _text(body, "context_id"), _text(body, "language")
    if context_id and language:
        raise BadRequestError("Only one of context_id or language can be provided")
    return Execute(body["code"], context_id, language, _variables(body.get("env_vars")))


async def read_new_context(request: Request) -> NewContext:
    """Raises BadRequestError."""
    body = await _read_object(request)
    cwd = _text(body, "cwd") or ""
    if "\0" in cwd:
        raise BadRequestError("cwd must not hold a NUL character")
    return NewContext(_text(body, "language") or "", cwd)


async def _read_object(request: Request) -> dict[str, Any]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise BadRequestError(f"the body is larger than {MAX_BODY_BYTES} bytes", status=413)
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise BadRequestError("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object")
    return body


def _text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{field} must be a string")
    return value


def _variables(value: object) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) and "\0" not in text for text in value.values()):
        raise BadRequestError("env_vars must be an object of strings")
    if bad := next((name for name in value if not name or "=" in name or "\0" in name), None):
        raise BadRequestError(f"env_vars: {bad!r} is no name for a variable")
    return value
