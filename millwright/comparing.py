"""Two points of runs side by side, and the point of a run at which a command begins to fail.

A point is written `RUN` (its latest), `RUN@POSITION` or `RUN@CHECKPOINT`. Runs are only read, so one that is being
driven may be compared as well.
"""

from __future__ import annotations

import asyncio
import difflib
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphs.build.trials import command_argv
from millwright.driving import history
from tools.errors import RunUnknown, UsageError
from tools.runs.home import find_run, run_dir
from tools.runs.lineage import START
from tools.sandbox import Limits, Sandbox
from tools.storage import read_lines
from tools.workspace.confined import ConfinedDir
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tools.sandbox import Execution

PREFIX = "millwright-trial-"
_NO_NEWLINE = "\n\\ No newline at end of file\n"


@dataclass(frozen=True)
class Point:
    """One point of a run's history: the tree of its files, and the node that left it so."""

    run: str
    position: str
    tree: str
    node: str = ""

    def __str__(self) -> str:
        """As a person may write it."""
        return f"{self.run}@{self.position}"


@dataclass(frozen=True)
class Bisection:
    """The first point where a command fails after one where it passes; `tried` points were looked at, of `points`.

    Without `bad` the command passes at the end; without `good` it passes nowhere.
    """

    bad: Point | None
    good: Point | None
    failure: Execution | None
    tried: int
    points: int


def points(run_id: str) -> list[Point]:
    """The points of a run's present history that have files, oldest first; equal neighbours are one."""
    records, head = positions(run_id)
    chain = []
    while head in records and head != START:
        chain.append(Point(run_id, head, records[head]["tree"] or EMPTY_TREE, records[head]["node"]))
        head = records[head]["from"]
    chain.reverse()
    return [point for before, point in zip([None, *chain], chain, strict=False) if not _same(before, point)]


async def point(name: str) -> Point:
    """The point that a person named.

    Raises:
        RunUnknown: there is no such run, position or checkpoint.
    """
    prefix, _, where = name.partition("@")
    run_id = await asyncio.to_thread(find_run, prefix)
    records, head = await asyncio.to_thread(positions, run_id)
    position = where or head
    if where and where not in records:
        found = {state["checkpoint"]: state["position"] for state in await history(run_id)}
        if where not in found:
            raise RunUnknown(
                f"run {run_id!r} has no {where!r}; `millwright runs show {run_id}` lists its checkpoints"
            )
        position = found[where]
    record = records.get(position, {})
    named = Point(run_id, position, record.get("tree") or EMPTY_TREE, record.get("node", ""))
    if not await asyncio.to_thread(_kept, run_id, [named]):
        raise RunUnknown(
            f"the files of run {run_id!r} at {position} went when `millwright gc` thinned its history; "
            f"`millwright runs show {run_id}` lists the positions that are kept"
        )
    return named


def difference(before: Point, after: Point) -> str:
    """The unified diff between the files of two points; empty when they are equal."""
    with closing(_store(before.run)) as old, closing(_store(after.run)) as new:
        ours, theirs = old.list(before.tree), new.list(after.tree)
        changed = [p for p in sorted(ours.keys() | theirs.keys()) if _entry(ours, p) != _entry(theirs, p)]
        return "".join(
            _file_difference(
                path,
                old.read(before.tree, path) if path in ours else None,
                new.read(after.tree, path) if path in theirs else None,
            )
            for path in changed
        )


async def bisect(
    prefix: str, command: str, *, sandbox: Literal["require", "off"] = "require", seconds: float = 120
) -> Bisection:
    """Find where a command begins to fail, by running it in the sandbox on the files of some of a run's points.

    Looks backwards from the end for a point where it passes, in steps that double, and halves what lies between.

    Raises:
        RunUnknown: there is no such run.
        UsageError: it is no command, or the run has no files, or no longer those of its history.
        SandboxUnavailable: nothing on this machine confines a process.
    """
    run_id = await asyncio.to_thread(find_run, prefix)
    found = await asyncio.to_thread(points, run_id)
    if not found:
        raise UsageError(
            f"run {run_id!r} has no checkpoint with files yet; `millwright runs resume` goes on with it"
        )
    if await asyncio.to_thread(_kept, run_id, found) != found:
        raise UsageError(
            f"the history of run {run_id!r} was thinned by `millwright gc`, so nobody can say where something began; "
            f"`millwright replay {run_id}` builds it anew, with its history"
        )
    try:
        argv = command_argv(command)
    except ValueError as error:
        raise UsageError(f"{command!r} is not a command line: {error}") from error
    box = await asyncio.to_thread(Sandbox.choose, sandbox)
    ends: dict[int, Execution] = {}

    async def passes(index: int) -> bool:
        if index not in ends:
            ends[index] = await _run(box, argv, found[index], Limits(seconds=seconds))
        return ends[index].ok

    good, bad = await search(len(found), passes)
    return Bisection(
        None if bad is None else found[bad],
        None if good is None else found[good],
        None if bad is None else ends[bad],
        len(ends),
        len(found),
    )


async def search(count: int, passes: Callable[[int], Awaitable[bool]]) -> tuple[int | None, int | None]:
    """Neighbours of which the first passes and the second fails, among `count`; (count - 1, None) if the last passes.

    (None, 0) when none passes; then every one was tried.
    """
    last = count - 1
    if await passes(last):
        return last, None
    step, bad = 1, last
    while True:
        good = max(0, last - step)
        if await passes(good):
            break
        if good == 0:
            return await _one_by_one(last, passes)
        bad, step = good, 2 * step
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if await passes(middle) else (good, middle)
    return good, bad


async def _one_by_one(last: int, passes: Callable[[int], Awaitable[bool]]) -> tuple[int | None, int]:
    """Steps that double may leap over the points that pass."""
    for index in reversed(range(last)):
        if await passes(index):
            return index, index + 1
    return None, 0


async def _run(box: Sandbox, argv: Sequence[str], at: Point, limits: Limits) -> Execution:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=PREFIX))
    try:
        await asyncio.to_thread(_restore, at, folder)
        return await box.arun(argv, workspace=folder, limits=limits, env={"PYTHONPATH": ".:src"})
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _restore(at: Point, folder: Path) -> None:
    with closing(_store(at.run)) as store, ConfinedDir(folder) as files:
        store.restore(at.tree, files)


def _kept(run_id: str, found: Sequence[Point]) -> list[Point]:
    """The points whose files are there; those of others went with the run's history."""
    with closing(_store(run_id)) as store:
        objects = store.objects
        return [at for at in found if at.tree == EMPTY_TREE or at.tree in objects or not objects.thinned]


def _store(run_id: str) -> SnapshotStore:
    return SnapshotStore(run_dir(run_id) / "objects.git")


def positions(run_id: str) -> tuple[dict[str, dict[str, Any]], str]:
    """Every position of a run with its tree, node and origin, and the newest one; see `tools.runs.lineage`."""
    records: dict[str, dict[str, Any]] = {START: {"tree": None, "node": "", "from": START}}
    head = START
    for record, _ in read_lines(run_dir(run_id) / "lineage.jsonl"):
        if record["kind"] == "advance":
            head = record["position"]
            records[head] = record
        elif record["kind"] == "adopt":
            records[head] = {**records[head], "tree": record["tree"]}
        elif record["kind"] == "fork":
            head = record["from"]
    return records, head


def _same(before: Point | None, after: Point) -> bool:
    return (before.tree if before else EMPTY_TREE) == after.tree


def _entry(files: Any, path: str) -> tuple[str, bool] | None:
    return (files[path].blob, files[path].executable) if path in files else None


def _file_difference(path: str, before: bytes | None, after: bytes | None) -> str:
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    if before == after:
        return f"diff {path}: only whether it may be executed differs\n"
    try:
        old, new = ((content or b"").decode().splitlines(keepends=True) for content in (before, after))
    except UnicodeDecodeError:
        return f"Binary files {names[0]} and {names[1]} differ\n"
    lines = list(difflib.unified_diff(old, new, *names)) or [f"--- {names[0]}\n", f"+++ {names[1]}\n"]
    return "".join(line if line.endswith("\n") else line + _NO_NEWLINE for line in lines)
