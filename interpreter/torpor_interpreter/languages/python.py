"""Python: ipykernel with the extension `torpor_kernel` (kernels/python)."""

from collections.abc import Sequence

from .base import Environment, Language


def _set(variables: Environment) -> str:
    # An expression: no name is left in the user's namespace.
    return f"__import__('os').environ.update({dict(variables)!r})"


def _remove(names: Sequence[str]) -> str:
    return f"[__import__('os').environ.pop(name, None) for name in {list(names)!r}]"


def _reseed(_: int) -> str:
    return "__import__('torpor_kernel').reseed()"


PYTHON = Language("python", "python3", _set, _remove, _reseed)
