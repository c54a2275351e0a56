"""The trainer: one small task after another, without end, until it is told to finish or suspended.

A task is one run of the factory graph. Every finished step is on disk, so whatever stops the trainer (a key, Ctrl+C,
kill -9, a full disk) costs nothing that was done; what was begun is taken up first the next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from millwright.catalogue import FACTORY, Drivable, drivable, graph_of
from millwright.checkpoints import open_sqlite
from millwright.driving import Result, resume_with, start_with
from millwright.factory_summary import Summary
from millwright.gc import forget
from tools.errors import Fenced, MillwrightError, SkillUnknown, StorageFailed, Suspended
from tools.events import Kind
from tools.memory.memory import open_memory
from tools.runs import untold
from tools.runs.home import data_dir, run_dir, run_ids
from tools.runs.run import open_run
from tools.skills.pynguin.interpreter import find_pynguin
from tools.tasks import stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphs.context import RunContext
    from millwright.checkpoints import SqliteCheckpoints
    from millwright.factory_summary import Done

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds between two looks at a model server that is away."""

LASTING = ("ModelRefused", "StorageFailed")
"""What stops a task and would stop every other."""

MOST_CRASHES = 5
"""So many tasks in a row that a mistake of ours breaks off end the session."""


@dataclass(frozen=True)
class Order:
    """What a session is to do. `settings` are fields of `graphs.factory.FactoryContext`.

    `keep` says how many of its finished runs stay; the tools and what is remembered of each task stay in any case.
    """

    max_tasks: int | None = None
    prompt: str = ""
    domain: str = "any"
    seed: int = 0
    workers: int = 1
    fresh: bool = False
    keep: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)


class Trainer:
    """One session; `tell` hears of every finished task, and `say` of what a person should know meanwhile."""

    def __init__(self, order: Order, tell: Callable[[Done], None], say: Callable[[str], None]) -> None:
        """Prepare a session; nothing is begun before `run`."""
        self.order = order
        self.summary = Summary()
        self._tell = tell
        self._say = say
        self._kind: Drivable = drivable(FACTORY)
        self._waiting: deque[str] = deque()
        self._given = 0
        self._kept: deque[str] = deque()
        self._finishing = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._away = False
        self._crashes = 0
        self._error: MillwrightError | None = None

    async def run(self) -> Summary:
        """Carry out the session.

        Raises:
            MillwrightError: it cannot go on, for a reason that waiting does not mend.
        """
        began = time.monotonic()
        self._context()
        if self.order.settings.get("tests") == "pynguin":
            await asyncio.to_thread(find_pynguin)  # before anything is begun that could not go on without it
        stream(self.order.domain, self.order.seed)  # refuses a domain that there is not, before anything begins
        async with open_sqlite() as saver:
            if not self.order.fresh:
                await self._forget_unbegun(saver)
                self._waiting.extend(await asyncio.to_thread(unfinished))
            self._workers = [asyncio.create_task(self._work(saver)) for _ in range(self.order.workers)]
            await asyncio.gather(*self._workers, return_exceptions=True)
        self.summary.seconds = time.monotonic() - began
        with contextlib.suppress(StorageFailed):  # the last task's figure stands
            self.summary.library = await asyncio.to_thread(library_size)
        self.summary.home = str(await asyncio.to_thread(data_dir))
        for worker in self._workers:
            if not worker.cancelled() and (error := worker.exception()) is not None:
                raise error
        if self._error is not None and not self.summary.total:
            raise self._error
        self.summary.broken = self._error is not None
        return self.summary

    def finish(self, why: str = "finished, as you asked") -> None:
        """Finish the tasks that are being worked on, and begin no other."""
        if not self._finishing.is_set():
            self.summary.stopped = why
            self._finishing.set()

    def suspend(self) -> None:
        """Stop where the tasks stand; nothing that is finished is lost."""
        self.finish("suspended")
        for worker in self._workers:
            worker.cancel()

    async def _work(self, saver: SqliteCheckpoints) -> None:
        try:
            while not self._finishing.is_set() and (job := self._next()) is not None:
                run_id, begun = job
                await self._worked(saver, run_id, begun=begun)
        except MillwrightError as error:
            # Between two tasks only the disk is used, and the next task would fare no better.
            self._error = error
            self.finish(str(error))

    async def _worked(self, saver: SqliteCheckpoints, run_id: str, *, begun: bool) -> None:
        began = time.monotonic()
        try:
            result = await self._carried(saver, run_id, begun=begun)
            if result is not None:
                await self._finished(saver, result, time.monotonic() - began)
        finally:
            # Not before it was told of: whoever drives it next would tell of it again.
            await saver.arelease(run_id)
        while len(self._kept) > (self.order.keep or 0):
            await forget(saver, self._kept.popleft())

    def _next(self) -> tuple[str, bool] | None:
        """A run to go on with, or the id of a new one, and whether it was begun; None when no more are wanted."""
        if self.order.max_tasks is not None and self._given >= self.order.max_tasks:
            return None
        self._given += 1
        if self._waiting:
            return self._waiting.popleft(), True
        return str(uuid.uuid4()), False

    async def _carried(self, saver: SqliteCheckpoints, run_id: str, *, begun: bool) -> Result | None:
        """One task to its end; None when it stops short of it."""
        wait = FIRST_WAIT
        while True:
            try:
                result = await self._driven(saver, run_id, begun=begun)
            except Fenced:
                result = None  # another process works on it
            except Suspended as error:
                self.summary.suspended += 1
                self._say(f"task {run_id} cannot go on: {error}")
                if isinstance(error, StorageFailed):
                    self.finish(str(error))
                return None
            except MillwrightError as error:
                self._refused(run_id, error, begun_before=begun)
                return None
            except Exception as error:  # noqa: BLE001 - a mistake of ours in one task ends no session of a night
                await self._crashed(run_id, error)
                return None
            if result is None:
                self._given -= 1
                return None
            if result.status == "finished":
                self._crashes = 0
                self._back()
                return result
            if result.cause != "ModelUnavailable":
                self._stopped(result)
                return None
            self._gone(result.why)
            begun = True
            if await self._waited(wait):
                self.summary.suspended += 1
                return None
            wait = min(2 * wait, LONGEST_WAIT)

    def _stopped(self, result: Result) -> None:
        """Count a task that stops short of its end; what would stop every other one ends the session."""
        self.summary.suspended += 1
        if result.cause in LASTING:
            self.finish(result.why)
        elif result.cause != "Interrupted":
            self._say(f"task {result.run} cannot go on: {result.why}")

    def _refused(self, run_id: str, error: MillwrightError, *, begun_before: bool) -> None:
        """End the session for a reason that waiting does not mend; a task of before is left alone, or none would begin."""
        if begun_before:
            self.summary.suspended += 1
            self._say(f"task {run_id} cannot go on: {error}; `millwright gc {run_id} --apply` removes it")
        else:
            self._error = error
            self.finish(str(error))

    async def _driven(self, saver: SqliteCheckpoints, run_id: str, *, begun: bool) -> Result | None:
        """One go at a task; None when another process has ended it meanwhile."""
        await saver.aclaim(run_id)
        if begun:
            if not await asyncio.to_thread(_is_left, run_id):
                return None
            return await resume_with(saver, run_id, **self.order.settings)
        await asyncio.to_thread(untold.begin, run_id)
        inputs = {"prompt": self.order.prompt} if self.order.prompt else {}
        return await start_with(saver, self._kind, run_id, inputs, self._context())

    def _context(self) -> RunContext:
        settings = {**self.order.settings, "domain": self.order.domain, "seed": self.order.seed}
        return self._kind.context(**settings)

    async def _finished(self, saver: SqliteCheckpoints, result: Result, seconds: float) -> None:
        """Tell of a finished task; one that cannot be told of now is for the next session to tell."""
        self.summary.suspended += 1
        # What resuming a finished task needs is its last checkpoint alone.
        await saver.aprune([result.run])
        library, proof = await asyncio.to_thread(_found, result)
        # From here on nothing waits, so that no other worker and no Ctrl+C comes in between.
        before = copy.deepcopy(self.summary)
        self.summary.suspended -= 1
        try:
            self._tell(self.summary.finished(result, seconds, library, proof))
        except MillwrightError:
            self.summary = before
            raise
        untold.tell(result.run)
        if self.order.keep is not None:
            self._kept.append(result.run)

    async def _forget_unbegun(self, saver: SqliteCheckpoints) -> None:
        """Expect nothing of tasks that a killed session had only named, or that were removed since."""
        for run_id in await asyncio.to_thread(untold.untold):
            if not (run_dir(run_id) / "run.json").exists() and await saver.adriver(run_id) is None:
                await asyncio.to_thread(untold.tell, run_id)

    async def _crashed(self, run_id: str, error: Exception) -> None:
        """Say what went wrong, keep the whole of it with the run, and end a session in which nothing else happens."""
        self._crashes += 1
        self.summary.suspended += 1
        self._say(f"task {run_id} was broken off by {type(error).__name__}: {error}")
        if (run_dir(run_id) / "run.json").exists():
            run = await asyncio.to_thread(open_run, run_id)
            await run.events.aerror(Kind.RUN_SUSPENDED, error)
            await asyncio.to_thread(lambda: run.note(status="suspended", why=str(error)))
        if self._crashes >= MOST_CRASHES:
            self._error = MillwrightError(
                f"{self._crashes} tasks in a row were broken off, the last by: {error}; --fresh leaves them alone"
            )
            self.finish(str(self._error))

    async def _waited(self, seconds: float) -> bool:
        """Wait; tell whether the session is to end meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._finishing.wait()
        except TimeoutError:
            return False
        return True

    def _gone(self, why: str) -> None:
        if not self._away:
            self._away = True
            self._say(f"the model is away, and the session waits for it: {why}")

    def _back(self) -> None:
        if self._away:
            self._away = False
            self._say("the model is back")


def unfinished() -> list[str]:
    """The tasks that were begun and not finished, or finished and told to nobody, oldest first. Blocks.

    Forks and replays are whoever's who made them.
    """
    found, open_ones = [], untold.untold()
    for run_id in run_ids():
        manifest = _manifest(run_id)
        replayed = str(manifest.get("settings", {}).get("model", "")).startswith("cassette:")
        mine = bool(manifest) and graph_of(manifest) == FACTORY and not replayed and "forked_from" not in manifest
        if mine and (manifest.get("status") != "finished" or run_id in open_ones):
            found.append((str(manifest.get("created", "")), run_id))
    return [run_id for _, run_id in sorted(found)]


def _is_left(run_id: str) -> bool:
    """Whether another process has not finished it, and told of it, meanwhile."""
    return _manifest(run_id).get("status") != "finished" or run_id in untold.untold()


def _manifest(run_id: str) -> dict[str, Any]:
    """What `run.json` holds; nothing if somebody has removed the run."""
    path = run_dir(run_id) / "run.json"
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


async def told(summary: Summary, result: Result, seconds: float) -> Done:
    """Count a finished task of a session, and say what there is to tell of it."""
    return summary.finished(result, seconds, *await asyncio.to_thread(_found, result))


def _found(result: Result) -> tuple[int, str]:
    """How many tools there are after a task, and what the exam of the one that it left counted."""
    admitted = result.details.get("outcome") == "admitted"
    return library_size(), proof_of(result.details["skill"]) if admitted else ""


def proof_of(skill_id: str) -> str:
    """What a tool's exam counted, in a line; empty if somebody has forgotten the tool since. Blocks."""
    try:
        skill = open_memory().library.skill(skill_id)
    except SkillUnknown:
        return ""
    found = skill.evidence
    parts = [f"{found.tests} tests", f"{found.noticed} of {found.mutants} small changes noticed"]
    if found.oracle_cases:
        parts.append(f"{found.oracle_cases} answers as an independent calculation gives them")
    return ", ".join([*parts, *(f"uses {part}" for part in skill.requires)])


def library_size() -> int:
    """How many tools there are. Blocks."""
    counts = open_memory().library.counts()
    return counts.get("active", 0) + counts.get("candidate", 0)
