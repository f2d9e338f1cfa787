"""What the agent of the sandbox tells: which life this is, and the global environment."""

import asyncio
import json
import os
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_IDENTITY = Path(os.environ.get("TORPOR_IDENTITY_FILE", "/run/torpor/identity"))
_AGENT = os.environ.get("TORPOR_AGENT_ADDRESS", "127.0.0.1:49983")
_AGENT_SECONDS = 2.0


def current_life() -> str | None:
    """Changes when this memory becomes another sandbox, by create or clone, but not when it sleeps and wakes; None outside."""
    try:
        return str(json.loads(_IDENTITY.read_bytes())["generation"])
    except (OSError, ValueError, LookupError):
        return None


async def global_environment(token: str | None) -> dict[str, str] | None:
    """The variables that every process of the sandbox gets; None when the agent does not tell. `token` is the client's own."""
    return await asyncio.to_thread(_ask, token)


def _ask(token: str | None) -> dict[str, str] | None:
    connection = HTTPConnection(_AGENT, timeout=_AGENT_SECONDS)
    try:
        connection.request("GET", "/envs", headers={"X-Access-Token": token} if token else {})
        response = connection.getresponse()
        if response.status != 200:
            return None
        return {str(name): str(value) for name, value in json.loads(response.read()).items()}
    except (OSError, HTTPException, ValueError, AttributeError):
        return None
    finally:
        connection.close()
