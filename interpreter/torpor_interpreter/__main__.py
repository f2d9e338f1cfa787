"""`python -m torpor_interpreter`: serves on port 49999 until it is ended."""

import argparse

import uvicorn

from .app import create_app
from .contexts import DEFAULT_CWD, Contexts
from .limits import KEEP_ALIVE_SECONDS, MAX_CONNECTIONS


def main() -> None:
    options = argparse.ArgumentParser(prog="torpor_interpreter", description="The code interpreter of a sandbox.")
    options.add_argument("--host", default="0.0.0.0")
    options.add_argument("--port", type=int, default=49999)
    options.add_argument("--cwd", default=DEFAULT_CWD, help="of contexts that are made without one")
    chosen = options.parse_args()
    uvicorn.run(
        create_app(Contexts(chosen.cwd)),
        host=chosen.host,
        port=chosen.port,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        limit_concurrency=MAX_CONNECTIONS,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
