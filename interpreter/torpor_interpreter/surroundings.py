"""What a kernel has taken over from the sandbox around it: seeds and environment variables."""

import secrets
from collections.abc import Mapping

from .languages import Language
from .sandbox import current_life, global_environment


class Surroundings:
    """Of one kernel process, made when it starts."""

    def __init__(self, language: Language) -> None:
        self._language = language
        # A process that starts in this life has fresh seeds.
        self._life = current_life()
        self._global: dict[str, str] = {}
        self._asked = False

    async def enter(self, variables: Mapping[str, str], token: str | None) -> str:
        """Code to run before the user's: new seeds and globals after a create or clone, and the call's own variables."""
        steps = []
        life = current_life()
        if life != self._life:
            self._life = life
            self._asked = False
            steps.append(self._language.reseed(secrets.randbits(31)))
        if not self._asked:
            steps += self._adopt(await global_environment(token))
        steps.append(self._language.setting(variables))
        return _joined(steps)

    def leave(self, variables: Mapping[str, str]) -> str:
        """Code to run after the user's: the call's own variables give way to the global ones."""
        restored = {name: self._global[name] for name in variables if name in self._global}
        removed = [name for name in variables if name not in self._global]
        return _joined([self._language.setting(restored), self._language.removing(removed)])

    def _adopt(self, found: dict[str, str] | None) -> list[str]:
        if found is None:
            return []
        before, self._global, self._asked = self._global, found, True
        changed = {name: value for name, value in found.items() if before.get(name) != value}
        return [self._language.setting(changed), self._language.removing([name for name in before if name not in found])]


def _joined(steps: list[str]) -> str:
    return "\n".join(step for step in steps if step)
