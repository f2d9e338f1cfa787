"""A running service with kernels of its own, beside an agent that is only as much of one as the service asks for."""

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from client import Client

SOURCES = Path(__file__).parent.parent


class Agent:
    """`GET /envs`, and the identity file."""

    def __init__(self, directory: Path) -> None:
        self.env: dict[str, str] = {"GLOBAL": "from the agent"}
        self.token: str | None = None
        self.identity = directory / "identity"
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                admitted = agent.token in (None, self.headers.get("X-Access-Token"))
                body = json.dumps(agent.env).encode() if admitted else b""
                self.send_response(200 if admitted else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def begin_life(self, generation: str) -> None:
        new = self.identity.with_suffix(".new")
        new.write_text(json.dumps({"sandboxId": "i1", "generation": generation}))
        new.rename(self.identity)


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    agent = Agent(tmp_path_factory.mktemp("agent"))
    yield agent
    agent.server.shutdown()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def client(agent: Agent, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    jupyter = tmp_path_factory.mktemp("jupyter")
    install_kernels(jupyter / "kernels")
    port = free_port()
    env = os.environ | {
        "JUPYTER_PATH": str(jupyter),
        "JUPYTER_RUNTIME_DIR": str(tmp_path_factory.mktemp("runtime")),
        "PYTHONPATH": f"{SOURCES}:{SOURCES / 'kernels/python'}",
        "TORPOR_IDENTITY_FILE": str(agent.identity),
        "TORPOR_AGENT_ADDRESS": f"127.0.0.1:{agent.server.server_port}",
    }
    command = [sys.executable, "-m", "torpor_interpreter", "--host", "127.0.0.1", "--port", str(port), "--cwd", str(home)]
    service = subprocess.Popen(command, env=env)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            wait_for(http, service)
            yield Client(http)
    finally:
        service.terminate()
        service.wait(20)


def install_kernels(directory: Path) -> None:
    """The specifications of the template, with the interpreters of the test."""
    for name, source in {"python3": "python", "javascript": "javascript"}.items():
        spec = json.loads((SOURCES / "kernels" / source / "kernel.json").read_text())
        program = {"python3": [sys.executable], "javascript": ["node", str(SOURCES / "kernels/javascript/src/kernel.mjs")]}[name]
        spec["argv"] = program + spec["argv"][len(program) :]
        (directory / name).mkdir(parents=True)
        (directory / name / "kernel.json").write_text(json.dumps(spec))


def free_port() -> int:
    """A port below those that the kernel gives to connections: none of them can take it before the service does."""
    first_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(10_240, first_given), 1000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def wait_for(http: httpx.Client, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert service.poll() is None, "the service ended"
        try:
            if http.get("/health").json() == "OK":
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the service did not become ready")
