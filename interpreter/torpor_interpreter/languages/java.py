"""Java: JJava. Variables are system properties, as a Java process cannot change its environment."""

import json
from collections.abc import Sequence

from .base import Environment, Language


def _set(variables: Environment) -> str:
    return "\n".join(f"System.setProperty({json.dumps(name)}, {json.dumps(value)});" for name, value in variables.items())


def _remove(names: Sequence[str]) -> str:
    return "\n".join(f"System.clearProperty({json.dumps(name)});" for name in names)


JAVA = Language("java", "java", _set, _remove, reserves_address_space=True)
