"""Starting kernels as processes that never outlive the service."""

import os
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from .languages import Language
from .limits import START_SECONDS

_OVERHEAD_BYTES = 1024 * 1024 * 1024
"""Of the address space of a kernel with many libraries, which is no memory of its own."""


_TRIES = 3


class KernelStartError(Exception):
    """A kernel did not come up; the text is for the user."""


class _Manager(AsyncKernelManager):
    leash: tuple[str, ...] = ()

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        return [*self.leash, *super().format_kernel_cmd(extra_arguments)]


async def start_kernel(language: Language, cwd: str) -> tuple[AsyncKernelManager, AsyncKernelClient]:
    """Starts a kernel of the language and waits until it answers. Raises KernelStartError."""
    if not Path(cwd).is_dir():  # noqa: ASYNC240 -- one look at a local file system
        raise KernelStartError(f"The directory {cwd} of the context does not exist")
    name = language.kernel
    failure: Exception | None = None
    # Its ports are chosen before it takes them: a connection of somebody else may be quicker.
    for _ in range(_TRIES):
        manager = _Manager(kernel_name=name)
        manager.leash = _leash(language)
        try:
            return manager, await _answering(manager, cwd)
        except NoSuchKernel:
            raise KernelStartError(f"There is no kernel for the language {name} in this sandbox") from None
        except (RuntimeError, OSError) as error:
            failure = error
            await end_kernel(manager)
        except BaseException:
            await end_kernel(manager)
            raise
    raise KernelStartError(f"The kernel for {name} did not start: {failure}") from failure


async def _answering(manager: AsyncKernelManager, cwd: str) -> AsyncKernelClient:
    await manager.start_kernel(cwd=cwd, stdout=DEVNULL)
    client: AsyncKernelClient = manager.client()
    # No heartbeat: it would wake an idle sandbox every second. Death is seen by the process.
    client.start_channels(stdin=False, hb=False)
    try:
        await client.wait_for_ready(timeout=START_SECONDS)
    except BaseException:
        client.stop_channels()
        raise
    return client


async def end_kernel(manager: AsyncKernelManager) -> None:
    """Kills the process, if there is one, and frees its ports and files."""
    if manager.has_kernel:
        await manager.shutdown_kernel(now=True)


def how_it_ended(manager: Any) -> str:
    """For people: `exit status 1`, `killed by signal 9`."""
    process = getattr(manager.provisioner, "process", None)
    status = None if process is None else process.poll()
    if status is None:
        return "it was ended"
    if status == -9:
        return "killed by signal 9, as happens when memory runs out"
    return f"exit status {status}" if status >= 0 else f"killed by signal {-status}"


def _leash(language: Language) -> tuple[str, ...]:
    """
    Ends the kernel with the service, and makes an allocation beyond the sandbox's memory fail inside the kernel. gVisor enforces
    no finer limit than that of the address space; what grows slowly is stopped by the agent, which ends the process.
    """
    deathbed = ("setpriv", "--pdeathsig", "KILL")
    if language.reserves_address_space:
        return deathbed
    return (*deathbed, "prlimit", f"--as={_memory_bytes() + _OVERHEAD_BYTES}")


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
