"""JavaScript and TypeScript: one kernel (kernels/javascript), each language with contexts of its own."""

import json
from collections.abc import Sequence

from .base import Environment, Language


def _set(variables: Environment) -> str:
    return f"Object.assign(process.env, {json.dumps(dict(variables))});"


def _remove(names: Sequence[str]) -> str:
    return f"{json.dumps(list(names))}.forEach((name) => delete process.env[name]);"


def _reseed(_: int) -> str:
    return "globalThis[Symbol.for('torpor.reseed')]();"


JAVASCRIPT = Language("javascript", "javascript", _set, _remove, _reseed, reserves_address_space=True)
TYPESCRIPT = Language("typescript", "javascript", _set, _remove, _reseed, reserves_address_space=True)
