"""What there is to know about runs from outside: their list, one in detail, their zip."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from millwright.checkpoints import open_sqlite
from millwright.driving import history
from millwright.task_zip import is_task, pack
from tools.errors import RunUnknown
from tools.runs.home import find_run, run_dir, run_ids
from tools.storage import write_atomic

if TYPE_CHECKING:
    from pathlib import Path


async def overview() -> list[dict[str, Any]]:
    """Every run, newest first: id, goal, created, status, verdict, disk use."""
    async with open_sqlite() as saver:
        rows = []
        for run_id in await asyncio.to_thread(run_ids):
            row = await asyncio.to_thread(_row, run_id)
            driver = await saver.adriver(run_id)
            row["status"] = _status(row["status"], driver is not None and driver.alive)
            row["bytes"] += await saver.abytes_of(run_id)
            row["disk"] = human(row["bytes"])
            rows.append(row)
    return sorted(rows, key=lambda row: str(row["created"]), reverse=True)


async def described(prefix: str) -> dict[str, Any]:
    """One run: its row, its directory, its report if there is one, and its checkpoints."""
    run_id = await asyncio.to_thread(find_run, prefix)
    row = await asyncio.to_thread(_row, run_id)
    report = run_dir(run_id) / "report.md"
    return {
        **row,
        "directory": str(run_dir(run_id)),
        "report": str(report) if report.is_file() else "",
        "checkpoints": await history(run_id),
    }


def export(prefix: str, target: Path | None) -> Path:
    """Copy a finished run's zip to `target`; the run's own file without one. That of a factory's task is made now.

    Raises:
        RunUnknown: there is no such run, or it is not finished yet.
    """
    run_id = find_run(prefix)
    archive = run_dir(run_id) / f"{run_id}.zip"
    if is_task(run_id):
        pack(run_id, archive)
    if not archive.is_file():
        raise RunUnknown(f"run {run_id!r} has not delivered yet; `millwright runs resume {run_id}` goes on with it")
    if target is None:
        return archive
    target = target / archive.name if target.is_dir() else target
    write_atomic(target, archive.read_bytes(), mode=0o644)
    return target


def _row(run_id: str) -> dict[str, Any]:
    root = run_dir(run_id)
    manifest = json.loads((root / "run.json").read_bytes())
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        "id": run_id,
        "goal": manifest.get("goal", ""),
        "created": manifest.get("created", ""),
        "status": manifest.get("status", ""),
        "verdict": manifest.get("verdict"),
        "why": manifest.get("why", ""),
        "bytes": size,
    }


def _status(noted: str, driven: bool) -> str:
    """What a run is doing: one that is noted as running and has no living driver was killed.

    A run that is gone on with is noted as suspended until it ends.
    """
    if noted == "finished":
        return noted
    if driven:
        return "running"
    return "interrupted" if noted == "running" else noted


def human(size: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
