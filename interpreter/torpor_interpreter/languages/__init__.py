"""What the service must know of a language: its kernel, and the code that sets variables and seeds in it."""

from .base import Language
from .bash import BASH
from .java import JAVA
from .javascript import JAVASCRIPT, TYPESCRIPT
from .python import PYTHON
from .r import R

_KNOWN = {language.name: language for language in (PYTHON, JAVASCRIPT, TYPESCRIPT, BASH, R, JAVA)}
_ALIASES = {"": "python", "js": "javascript", "ts": "typescript"}

__all__ = ["JAVASCRIPT", "PYTHON", "Language", "language_of"]


def language_of(asked: str) -> Language:
    """Any installed kernel can be asked for by its name; of unknown ones the service only runs the code."""
    name = asked.strip().lower()
    name = _ALIASES.get(name, name)
    return _KNOWN.get(name) or Language(name=name, kernel=name)
