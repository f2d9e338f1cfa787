"""All contexts of the sandbox."""

import asyncio
import logging
from uuid import uuid4

from .context import Context, TooManyError
from .languages import JAVASCRIPT, PYTHON, Language, language_of
from .limits import MAX_CONTEXTS

_LOG = logging.getLogger(__name__)

DEFAULT_CWD = "/home/user"


class ContextNotFoundError(Exception):
    """The text is what clients of E2B's service expect."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Context {id_} not found")


class Contexts:
    """Those that clients made, and a default one per language, which is made when it is first needed."""

    def __init__(self, default_cwd: str = DEFAULT_CWD) -> None:
        self._default_cwd = default_cwd
        self._by_id: dict[str, Context] = {}
        self._defaults: dict[str, Context] = {}

    async def warm_up(self) -> None:
        """Starts the default contexts that most sandboxes need, so that a captured template holds them ready."""
        warmed = await asyncio.gather(*map(self._default, (PYTHON, JAVASCRIPT)), return_exceptions=True)
        for failure in filter(lambda one: isinstance(one, BaseException), warmed):
            _LOG.warning("a default context is not warm: %s", failure)

    async def create(self, language: str = "", cwd: str = "") -> Context:
        """Raises KernelStartError and TooManyError."""
        context = self._add(str(uuid4()), language_of(language), cwd or self._default_cwd)
        return await self._started(context)

    def list(self) -> list[Context]:
        return list(self._by_id.values())

    def get(self, id_: str) -> Context:
        if id_ == "default":
            id_ = self._defaults["python"].id if "python" in self._defaults else id_
        if found := self._by_id.get(id_):
            return found
        raise ContextNotFoundError(id_)

    async def for_execution(self, id_: str | None, language: str | None) -> Context:
        """The context asked for, else the default one of the language, with a kernel. Raises KernelStartError."""
        context = self.get(id_) if id_ else await self._default(language_of(language or ""))
        context.admit()
        return context

    async def remove(self, id_: str) -> None:
        context = self.get(id_)
        del self._by_id[context.id]
        self._defaults = {name: kept for name, kept in self._defaults.items() if kept is not context}
        await context.close()

    async def close(self) -> None:
        contexts, self._by_id, self._defaults = self.list(), {}, {}
        await asyncio.gather(*(context.close() for context in contexts))

    async def _default(self, language: Language) -> Context:
        standing = self._defaults.get(language.name)
        if standing is None:
            standing = self._add(str(uuid4()), language, self._default_cwd)
            self._defaults[language.name] = standing
        return await self._started(standing)

    async def _started(self, context: Context) -> Context:
        try:
            await context.start()
        except BaseException:
            self._by_id.pop(context.id, None)
            self._defaults = {name: kept for name, kept in self._defaults.items() if kept is not context}
            await context.close()
            raise
        return context

    def _add(self, id_: str, language: Language, cwd: str) -> Context:
        if len(self._by_id) >= MAX_CONTEXTS:
            raise TooManyError(f"There are {MAX_CONTEXTS} contexts already; remove some that you do not need")
        context = self._by_id[id_] = Context(id_, language, cwd)
        return context
