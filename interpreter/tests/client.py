"""The protocol as a client sees it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass
class Execution:
    lines: list[dict[str, Any]]

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == type_]

    @property
    def text(self) -> str | None:
        return next((line.get("text") for line in self.of("result") if line["is_main_result"]), None)

    @property
    def stdout(self) -> str:
        return "".join(line["text"] for line in self.of("stdout"))

    @property
    def stderr(self) -> str:
        return "".join(line["text"] for line in self.of("stderr"))

    @property
    def error(self) -> dict[str, Any] | None:
        return next(iter(self.of("error")), None)


class Client:
    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def run(self, code: str, token: str | None = None, **fields: Any) -> Execution:
        headers = {"X-Access-Token": token} if token else {}
        with self.http.stream("POST", "/execute", json={"code": code, **fields}, headers=headers) as response:
            assert response.status_code == 200, response.read()
            content = response.read()
        assert content.isascii()
        return Execution([json.loads(line) for line in content.decode().removesuffix("\n").split("\n")])

    @contextmanager
    def started(self, code: str, **fields: Any) -> Iterator[Iterator[str]]:
        """The lines as they come; leaving the block is leaving the execution."""
        with self.http.stream("POST", "/execute", json={"code": code, **fields}) as response:
            yield response.iter_lines()

    def context(self, **fields: Any) -> str:
        response = self.http.post("/contexts", json=fields)
        assert response.status_code == 200, response.text
        return str(response.json()["id"])
