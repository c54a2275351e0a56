"""Directories of runs whose process was killed before it had written what the run is to do."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tools.runs.home import run_places

if TYPE_CHECKING:
    from pathlib import Path

    from millwright.checkpoints import SqliteCheckpoints


async def unbegun(saver: SqliteCheckpoints) -> list[Path]:
    """The directories of runs that never began and that nobody is about to begin."""
    return [path for path in await asyncio.to_thread(_without_manifest) if await saver.agone(path.name)]


async def remove_unbegun(saver: SqliteCheckpoints) -> None:
    """Remove what `unbegun` finds."""
    for path in await unbegun(saver):
        await asyncio.to_thread(_remove, path)


def _without_manifest() -> list[Path]:
    entries = (entry for place in run_places() for entry in place.iterdir() if not entry.name.startswith("."))
    return sorted(path for path in entries if not (path / "run.json").exists() and _is_empty(path))


def _is_empty(path: Path) -> bool:
    """Whether there is nothing in a run's directory but an empty workspace and half a manifest."""
    with contextlib.suppress(OSError):
        inside = [entry for entry in path.iterdir() if not entry.name.startswith(".run.json.")]
        return all(entry.name == "workspace" and not any(entry.iterdir()) for entry in inside)
    return False


def _remove(path: Path) -> None:
    """Remove an empty run, and leave alone what is not empty any more."""
    with contextlib.suppress(OSError):
        for draft in path.glob(".run.json.*"):
            draft.unlink()
        if (path / "workspace").exists():
            (path / "workspace").rmdir()
        path.rmdir()
