"""Bash: bash_kernel."""

import re
import shlex
from collections.abc import Sequence

from .base import Environment, Language

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _set(variables: Environment) -> str:
    return "; ".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items() if _NAME.match(name))


def _remove(names: Sequence[str]) -> str:
    kept = [name for name in names if _NAME.match(name)]
    return f"unset {' '.join(kept)}" if kept else ""


BASH = Language("bash", "bash", _set, _remove, lambda seed: f"RANDOM={seed % 32768}")
