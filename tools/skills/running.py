"""How a skill's commands are run: by whoever keeps account of them, or simply confined."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tools.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.sandbox import Execution
    from tools.sandbox.sandbox import Policy


class Runner(Protocol):
    """Runs a command on a copy of a workspace; `purpose` says what for."""

    async def __call__(
        self,
        argv: Sequence[str],
        purpose: str,
        *,
        workspace: Path,
        read_only: tuple[str, ...] = (),
        readable: tuple[Path, ...] = (),
    ) -> Execution:
        """Return how the command ended; raises SandboxUnavailable."""


def confined(policy: Policy = "require", limits: Limits | None = None) -> Runner:
    """A runner that keeps no account."""
    within = limits or Limits()

    async def run(
        argv: Sequence[str],
        purpose: str,
        *,
        workspace: Path,
        read_only: tuple[str, ...] = (),
        readable: tuple[Path, ...] = (),
    ) -> Execution:
        sandbox = await asyncio.to_thread(Sandbox.choose, policy)
        return await sandbox.arun(argv, workspace=workspace, limits=within, read_only=read_only, readable=readable)

    return run
