"""Thinning the history of a run that is over: its last state stays, what led there goes.

First go the checkpoints that nothing resumes from, then the snapshots that no checkpoint leads to any more. A kill in
between leaves snapshots that the next collection finds. The logs, the cassette and the delivery are never touched, and
a fork has copies of its own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from typing import TYPE_CHECKING

from millwright.comparing import positions
from tools.errors import Fenced, StorageFailed
from tools.runs.home import run_dir
from tools.workspace.snapshots import SnapshotStore

if TYPE_CHECKING:
    from millwright.checkpoints import SqliteCheckpoints


async def history_bytes(saver: SqliteCheckpoints, run_id: str) -> int:
    """The bytes that thinning would give back; 0 for a run of which something is missing or damaged."""
    try:
        _, size = await saver.asuperseded(run_id)
        surplus = await _surplus(saver, run_id)
    except StorageFailed:
        return 0
    return size + sum(surplus.values())


async def thin_history(saver: SqliteCheckpoints, run_id: str) -> bool:
    """Remove what `history_bytes` counts, unless the run is driven or has gone on meanwhile; tell whether it was done.

    Raises:
        StorageFailed: the disk refused; calling it again goes on.
    """
    try:
        await saver.aclaim(run_id)
    except Fenced:
        return False
    try:
        if not await asyncio.to_thread(_finished, run_id):
            return False
        surplus = await _surplus(saver, run_id)
        await saver.aprune([run_id])
        await asyncio.to_thread(_remove, run_id, surplus)
    finally:
        await saver.arelease(run_id)
    return True


async def _surplus(saver: SqliteCheckpoints, run_id: str) -> dict[str, int]:
    """The snapshots' objects that no checkpoint which stays leads to, with their bytes."""
    superseded, _ = await saver.asuperseded(run_id)
    places, trees = set(), set()
    async for found in saver.alist({"configurable": {"thread_id": run_id}}):
        address, values = found.config["configurable"], found.checkpoint["channel_values"]
        if (address["checkpoint_ns"], address["checkpoint_id"]) not in superseded:
            places.add(values.get("position"))
            trees.add(values.get("tree"))
    if not places:
        raise StorageFailed(f"run {run_id!r} has no checkpoint; `millwright gc {run_id}` removes the whole run")
    return await asyncio.to_thread(_objects_beside, run_id, places, trees)


def _objects_beside(run_id: str, places: set[str | None], trees: set[str | None]) -> dict[str, int]:
    records, head = positions(run_id)
    # The newest step may be unconfirmed; then the state may stand at the one before it.
    kept = {*places, head, records[head]["from"]}
    trees = trees | {records[place]["tree"] for place in kept if place in records}
    path = run_dir(run_id) / "objects.git"
    if not path.is_dir():
        return {}
    with closing(SnapshotStore(path)) as store:
        return store.surplus(tree for tree in trees if tree is not None)


def _remove(run_id: str, surplus: dict[str, int]) -> None:
    if surplus:
        with closing(SnapshotStore(run_dir(run_id) / "objects.git")) as store:
            store.objects.remove(surplus.keys())


def _finished(run_id: str) -> bool:
    path = run_dir(run_id) / "run.json"
    return path.exists() and json.loads(path.read_bytes())["status"] == "finished"
