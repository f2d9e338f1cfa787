"""The shape of a language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Environment = Mapping[str, str]


def _nothing(*_: object) -> str:
    return ""


@dataclass(frozen=True)
class Language:
    """Every function gives a piece of code, which is empty where the language has no means."""

    name: str
    kernel: str
    """Name of its kernel specification."""
    set_variables: Callable[[Environment], str] = _nothing
    remove_variables: Callable[[Sequence[str]], str] = _nothing
    reseed: Callable[[int], str] = _nothing
    """Gives the language's generators new seeds, drawn from 31 fresh random bits or from the kernel of the system."""

    reserves_address_space: bool = False
    """Far more than it uses, so that a limit would end it at its start."""

    def setting(self, variables: Environment) -> str:
        return self.set_variables(variables) if variables else ""

    def removing(self, names: Sequence[str]) -> str:
        return self.remove_variables(names) if names else ""
