"""R: IRkernel."""

import json
from collections.abc import Sequence

from .base import Environment, Language


def _vector(texts: Sequence[str]) -> str:
    return "c(" + ", ".join(json.dumps(text, ensure_ascii=False) for text in texts) + ")"


def _set(variables: Environment) -> str:
    values, names = list(variables.values()), list(variables)
    return f"invisible(do.call(Sys.setenv, stats::setNames(as.list({_vector(values)}), {_vector(names)})))"


def _remove(names: Sequence[str]) -> str:
    return f"invisible(Sys.unsetenv({_vector(names)}))"


R = Language("r", "r", _set, _remove, lambda seed: f"set.seed({seed})")
