"""A context: one kernel, in which executions share variables and take turns."""

import asyncio
from collections.abc import Mapping

from .kernel import Emit, Kernel, KernelGoneError
from .kernel_process import KernelStartError
from .languages import Language
from .limits import MAX_WAITING, QUIET_SECONDS
from .lines import END, Line, error
from .surroundings import Surroundings


class TooManyError(Exception):
    """A bound of the service is reached; the text is for the user."""


class Context:
    """Has no kernel until `start`; one that died is replaced at the next execution."""

    def __init__(self, id_: str, language: Language, cwd: str) -> None:
        self.id = id_
        self.language = language
        self.cwd = cwd
        self._kernel: Kernel | None = None
        self._surroundings = Surroundings(language)
        self._changing = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> Kernel:
        """The living kernel. Raises KernelStartError."""
        async with self._changing:
            if self._kernel is not None and await self._kernel.alive():
                return self._kernel
            await self._end(error("ContextRestarting", "The kernel was replaced"))
            self._kernel = await Kernel.start(self.language, self.cwd)
            self._surroundings = Surroundings(self.language)
            return self._kernel

    async def restart(self) -> None:
        """Ends what runs, forgets all variables. Raises KernelStartError."""
        async with self._changing:
            await self._end(error("ContextRestarting", "Context was restarted while the code ran"))
        await self.start()

    async def close(self) -> None:
        async with self._changing:
            await self._end(error("ContextRemoved", "Context was removed while the code ran"))

    def admit(self) -> None:
        """Raises TooManyError when too many executions wait already."""
        if self._waiting >= MAX_WAITING:
            raise TooManyError(f"{MAX_WAITING} executions wait in context {self.id}; wait for some of them, or use more contexts")

    async def run(self, code: str, variables: Mapping[str, str], token: str | None, emit: Emit) -> None:
        """Runs `code` when its turn comes. A cancelled run interrupts the code, and the turn passes on when it has stopped."""
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        kernel = None
        finished = False
        try:
            kernel = await self.start()
            if preparation := await self._surroundings.enter(variables, token):
                await kernel.execute(preparation, _drop, quiet=True)
            await kernel.execute(code, emit)
            finished = True
        except KernelGoneError as gone:
            kernel = None
            await emit(gone.line)
        except KernelStartError as failure:
            await emit(error("KernelStartError", str(failure)))
        finally:
            leaving = asyncio.create_task(self._leave(kernel, variables, finished))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        await emit(END)

    async def _leave(self, kernel: Kernel | None, variables: Mapping[str, str], finished: bool) -> None:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                if kernel and not finished:
                    await kernel.interrupt()
                if kernel and (restoration := self._surroundings.leave(variables)):
                    await kernel.execute(restoration, _drop, quiet=True)
        except (KernelGoneError, TimeoutError):
            pass
        finally:
            self._turn.release()

    async def _end(self, line: Line) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.stop(line)


async def _drop(_: Line) -> None:
    """For code of the service itself."""
