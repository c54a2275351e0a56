"""How commands are run for a verdict: confined, and on the ledger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tools.events import Kind
from tools.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graphs.context import AuthoringContext
    from graphs.session import Session
    from tools.sandbox import Execution


class Runner(Protocol):
    """Runs a command on the workspace or on a changed copy of it; `purpose` says what for."""

    async def __call__(
        self,
        argv: Sequence[str],
        purpose: str,
        *,
        workspace: Path | None = None,
        read_only: tuple[str, ...] = (),
    ) -> Execution:
        """Return how the command ended; raises SandboxUnavailable."""


class Confined:
    """Runs commands in the sandbox and keeps every one on the ledger."""

    def __init__(self, session: Session[AuthoringContext], tree: str) -> None:
        """Run on the files of `tree`, which stand in the run's workspace."""
        self._run = session.run
        self._policy = session.context.sandbox
        self._limits = Limits(seconds=session.context.test_seconds)
        self._tree = tree
        self._sandbox: Sandbox | None = None

    async def __call__(
        self,
        argv: Sequence[str],
        purpose: str,
        *,
        workspace: Path | None = None,
        read_only: tuple[str, ...] = (),
        readable: tuple[Path, ...] = (),
    ) -> Execution:
        """Run one command; the sandbox is chosen before the first."""
        if self._sandbox is None:
            self._sandbox = await asyncio.to_thread(Sandbox.choose, self._policy)
            if self._sandbox.banner:
                await self._run.events.aemit(Kind.SANDBOX, level=self._sandbox.level, banner=self._sandbox.banner)
        execution = await self._sandbox.arun(
            argv,
            workspace=workspace or self._run.workspace,
            limits=self._limits,
            read_only=read_only,
            readable=readable,
            # The interpreter leaves the working directory out of its path; a program finds itself by this.
            env={"PYTHONPATH": ".:src"},
        )
        record = {
            "purpose": purpose,
            "tree": self._tree,
            "actor": {"role": "verifier", "assignment": "", "attempt": 0},
            **execution.to_dict(),
        }
        output = {"stdout": record.pop("stdout"), "stderr": record.pop("stderr")}
        await asyncio.to_thread(lambda: self._run.ledger.command(**record))
        await self._run.events.aemit(Kind.COMMAND, **record, **output)
        return execution
