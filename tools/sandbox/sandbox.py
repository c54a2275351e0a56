"""The sandbox: the one way to run code that a model wrote."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Literal

from tools.errors import SandboxUnavailable
from tools.sandbox.choice import Choice, strongest
from tools.sandbox.running import DEFAULT_LIMITS, Request, execute
from tools.threads import ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tools.sandbox.execution import Execution, Level, Limits

Policy = Literal["require", "off"]
OFF_BANNER = (
    "SANDBOX OFF: code that a model wrote runs with all your rights: it can read your files and keys, "
    "use the network and change anything you can"
)
NOTHING: Mapping[str, str] = {}
MOST_AT_ONCE = 16
_threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="sandbox")


class Sandbox:
    """Runs commands confined at one level; what that level held in its self-test goes into every result."""

    def __init__(
        self, level: Level, held: Sequence[str] = (), missing: Sequence[str] = (), banner: str = ""
    ) -> None:
        """Take a verdict as given; use `choose` to have this machine tested."""
        self.level = level
        self.held = tuple(held)
        self.missing = tuple(missing)
        self.banner = banner

    @classmethod
    def choose(cls, policy: Policy = "require") -> Sandbox:
        """The strongest level that holds on this machine, tested once per process (about a tenth of a second).

        Raises:
            SandboxUnavailable: under "require", when nothing here confines a process; with every exact error.
        """
        if policy == "off":
            return cls("off", banner=OFF_BANNER)
        choice = strongest()
        if choice.verdict is None:
            reasons = "; ".join(f"level {level}: {reason}" for level, reason in choice.refused.items())
            raise SandboxUnavailable(
                f"nothing on this machine confines a process, so no generated code is run ({reasons}); "
                "`millwright doctor` says how to mend it, `--exec-sandbox off` runs code unconfined"
            )
        verdict = choice.verdict
        return cls(verdict.level, verdict.held, tuple(verdict.open), _banner(choice))

    def run(
        self,
        argv: Sequence[str],
        *,
        workspace: Path,
        limits: Limits = DEFAULT_LIMITS,
        env: Mapping[str, str] = NOTHING,
        stdin: bytes = b"",
        read_only: Sequence[str] = (),
        readable: Sequence[Path] = (),
        keep_changes: bool = False,
    ) -> Execution:
        """Run `argv` in a throwaway copy of `workspace`, at `/workspace` as far as it and its output can tell.

        A command that fails, is stopped or does not exist is a result and no error. `env` is added to a clean
        environment. `read_only` paths cannot be changed or replaced. `readable` directories of this machine, such as
        another interpreter's, can be read as well. With `keep_changes` new and changed files
        of a command that ended by itself come back into `workspace`; nothing is ever deleted there.

        Raises:
            SandboxUnavailable: the confinement could not be set up; nothing ran.
            StorageFailed: the copy could not be written.
            FileMissing, PathRefused: a `read_only` path that the workspace does not hold.
            ToolRefused: no command, or words in it that no command can have.
        """
        request = Request(
            tuple(argv), workspace, limits, dict(env), stdin, tuple(read_only), keep_changes, tuple(readable)
        )
        return self._execute(request, Event())

    async def arun(
        self,
        argv: Sequence[str],
        *,
        workspace: Path,
        limits: Limits = DEFAULT_LIMITS,
        env: Mapping[str, str] = NOTHING,
        stdin: bytes = b"",
        read_only: Sequence[str] = (),
        readable: Sequence[Path] = (),
        keep_changes: bool = False,
    ) -> Execution:
        """The same as `run` without blocking the loop; cancelling it ends every process of the run first."""
        request = Request(
            tuple(argv), workspace, limits, dict(env), stdin, tuple(read_only), keep_changes, tuple(readable)
        )
        stop = Event()
        running = asyncio.get_running_loop().run_in_executor(_threads, self._execute, request, stop)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.set()
            await ended(running)
            raise

    def _execute(self, request: Request, stop: Event) -> Execution:
        return replace(execute(self.level, request, stop), held=self.held, missing=self.missing)


def _banner(choice: Choice) -> str:
    verdict = choice.verdict
    if verdict is None or not verdict.open:
        return ""
    return (
        f"sandbox level {verdict.level} ({'; '.join(choice.refused.values())}): not held: {', '.join(verdict.open)}"
    )
