"""Giving disk space back: first what would go and why, then, if wanted, exactly that.

What goes are runs that finished some time ago, with their directory and their checkpoints, the history of runs that
finished not so long ago, and what killed processes left behind. A run that can still be resumed goes only by name, and
one that is being driven never does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from millwright.checkpoints import open_sqlite
from millwright.comparing import PREFIX
from millwright.thinning import history_bytes, thin_history
from millwright.unbegun import unbegun
from tools.errors import Fenced
from tools.runs import untold
from tools.runs.home import data_dir, find_run, run_dir, run_ids, run_places
from tools.sandbox import canary
from tools.sandbox.leftovers import stale, sweep
from tools.skills import program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from millwright.checkpoints import SqliteCheckpoints
    from millwright.checkpoints.driver import Driver
    from tools.storage import Record

DAYS = 30.0
THIN_DAYS = 7.0
DAY = 86_400
_GONE = ".gone."
_ABANDONED = (PREFIX, canary.PREFIX, program.PREFIX, "millwright-proof-", "millwright-gym-")
# How `tempfile` names what is to replace a file of ours when it is whole.
_UNFINISHED = re.compile(r"^\..+\.[a-z0-9_]{8}$")


@dataclass(frozen=True)
class Waste:
    """Something that may go: a run or its history, checkpoints without a run, or what a killed process left."""

    kind: Literal["run", "history", "checkpoints", "sandbox copy", "leftover"]
    name: str
    bytes: int
    why: str


async def waste(days: float = DAYS, names: Sequence[str] = (), thin: float = THIN_DAYS) -> list[Waste]:
    """What may go: everything that is older than `days`, and the history of finished runs older than `thin` days.

    With `names` only these runs, whole, finished or not.

    Raises:
        RunUnknown: there is no such run.
        Fenced: a process drives a run that was named.
    """
    async with open_sqlite() as saver:
        if names:
            return [await _named(saver, await asyncio.to_thread(find_run, name)) for name in names]
        runs = await asyncio.to_thread(_old_runs, days)
        driven = {run.name for run in runs if _is_alive(await saver.adriver(run.name))}
        threads = await saver.aolder(days)
        known = {*await asyncio.to_thread(run_ids)}
        orphans = [
            Waste("checkpoints", thread, await saver.abytes_of(thread), "no run directory belongs to them")
            for thread in sorted(threads)
            if thread not in known
        ]
        sized = [
            Waste("run", r.name, r.bytes + await saver.abytes_of(r.name), r.why)
            for r in runs
            if r.name not in driven
        ]
        never = [
            Waste("leftover", str(p), _bytes(p), "it was killed before it began") for p in await unbegun(saver)
        ]
        histories = await _histories(saver, thin, {run.name for run in runs})
    return [*sized, *histories, *never, *orphans, *await asyncio.to_thread(_left_behind)]


async def collect(found: Iterable[Waste]) -> int:
    """Remove what `waste` found and return the bytes; what a process began to drive meanwhile stays."""
    freed = 0
    async with open_sqlite() as saver:
        for item in found:
            if item.kind in ("run", "checkpoints"):
                freed += item.bytes if await forget(saver, item.name) else 0
            elif item.kind == "history":
                freed += item.bytes if await thin_history(saver, item.name) else 0
            elif item.kind == "leftover":
                await asyncio.to_thread(_remove, Path(item.name))
                freed += item.bytes
            else:
                await asyncio.to_thread(sweep)
                freed += item.bytes
        await saver.acompact()
    return freed


async def _histories(saver: SqliteCheckpoints, days: float, leave: set[str]) -> list[Waste]:
    """What the finished runs that stay hold beside their last state, oldest run first."""
    found = []
    for run in await asyncio.to_thread(_old_runs, days):
        if run.name not in leave and not _is_alive(await saver.adriver(run.name)):
            size = await history_bytes(saver, run.name)
            if size:
                found.append(Waste("history", run.name, size, f"{run.why}; its last state stays"))
    return found


async def forget(saver: SqliteCheckpoints, run_id: str) -> bool:
    """Remove a run that nobody drives; tell whether it was done.

    A kill at any time leaves it whole or gone, but for leftovers of which `waste` knows.
    """
    try:
        await saver.aclaim(run_id)
    except Fenced:
        return False
    try:
        gone = await asyncio.to_thread(_put_aside, run_dir(run_id))
        await saver.aprune([run_id], strategy="delete")
        if gone is not None:
            await asyncio.to_thread(_remove, gone)
    finally:
        await saver.arelease(run_id)
    return True


def _put_aside(root: Path) -> Path | None:
    if not root.exists():
        return None
    gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=root.parent))
    root.rename(gone)
    return gone


async def _named(saver: SqliteCheckpoints, run_id: str) -> Waste:
    driver = await saver.adriver(run_id)
    if driver is not None and _is_alive(driver):
        raise Fenced(f"run {run_id!r} is being driven by process {driver.pid}; stop it first, then collect the run")
    size = await asyncio.to_thread(_bytes, run_dir(run_id))
    return Waste("run", run_id, size + await saver.abytes_of(run_id), "it was named")


def _old_runs(days: float) -> list[Waste]:
    """The finished runs that nothing was done with for so long, oldest first.

    A task of the factory that nobody was told of yet stays for the next session, which tells of it.
    """
    found, open_ones = [], untold.untold()
    for run_id in run_ids():
        manifest = _manifest(run_id)
        if manifest is None or run_id in open_ones:
            continue
        age = (datetime.now(UTC) - datetime.fromisoformat(manifest["changed"])).total_seconds() / DAY
        if manifest["status"] == "finished" and age >= days:
            why = f"finished ({manifest.get('verdict')}) {age:.0f} days ago"
            found.append((age, Waste("run", run_id, _bytes(run_dir(run_id)), why)))
    return [run for _, run in sorted(found, key=lambda pair: -pair[0])]


def _manifest(run_id: str) -> Record | None:
    """What `run.json` holds; None if somebody has removed the run meanwhile."""
    try:
        found: Record = json.loads((run_dir(run_id) / "run.json").read_bytes())
    except FileNotFoundError:
        return None
    return found


def _left_behind() -> list[Waste]:
    """What killed processes left: sandbox copies, copies of trees, files and runs that were never finished writing."""
    copies = [Waste("sandbox copy", str(path), _bytes(path), "its run is over") for path in stale()]
    temporary = [p for prefix in _ABANDONED for p in Path(tempfile.gettempdir()).glob(f"{prefix}*")]
    places = [data_dir(), *run_places(), *(run_dir(run_id) for run_id in run_ids())]
    unfinished = [path for place in places for path in place.iterdir() if _UNFINISHED.match(path.name)]
    packs = [p for run_id in run_ids() for p in (run_dir(run_id) / "objects.git/objects/pack").glob("pack-*.pack")]
    headless = [p for p in packs if not p.with_suffix(".idx").exists()]
    why = "a process that was killed left it"
    leftovers = [p for p in (*temporary, *unfinished, *headless) if _abandoned(p)]
    return [*copies, *(Waste("leftover", str(path), _bytes(path), why) for path in sorted(leftovers))]


def _abandoned(path: Path) -> bool:
    """Whether it is ours and nobody has touched it for a day; what was put aside to be removed needs no waiting."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    untouched = found.st_mtime < time.time() - DAY or path.name.startswith(_GONE)
    return found.st_uid == os.geteuid() and untouched


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bytes(path: Path) -> int:
    """The bytes of a file or of the files below a directory; links are not followed."""
    below = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    size = 0
    for file in below if path.is_dir() and not path.is_symlink() else [path]:
        with contextlib.suppress(FileNotFoundError):  # whoever works there renames and removes files
            size += file.lstat().st_size
    return size


def _is_alive(driver: Driver | None) -> bool:
    return driver is not None and driver.alive
