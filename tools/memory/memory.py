"""The memory as the rest of Millwright uses it: find skills, admit them, and keep everything derived level.

The database is the truth. A skill is admitted in one transaction, with its vector if the embedder answers; the copies
on disk follow before `admit` returns, and the vector index in a thread that nobody waits for.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tools.errors import ModelUnavailable, StorageFailed
from tools.memory import index_file, nodes, workflows
from tools.memory.background import Background
from tools.memory.comparing import Query
from tools.memory.database import Database
from tools.memory.finding import Finder
from tools.memory.library import Library
from tools.memory.outbox import pending
from tools.memory.projections import IndexFile, Nodes
from tools.memory.ranking import Hit, ordered
from tools.memory.records import SkillState
from tools.memory.rows import cleaned
from tools.memory.serving import Serving
from tools.memory.workflows import WorkflowHit
from tools.runs.home import data_dir

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tools.memory.embeddings.choosing import Choice
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.health import Health
    from tools.memory.records import NewSkill, Skill, Workflow, WorkflowOutcome
    from tools.memory.spaces import Space

Found = TypeVar("Found")
FOUND_IN = (SkillState.ACTIVE, SkillState.CANDIDATE)
# Chroma takes a second or two to load: a process that ends soon after an admission leaves the feeding to the next.
BEFORE_CHROMA_SECONDS = 2.0


class Hits(list[Found]):
    """What was found, most fitting first, and by which means."""

    def __init__(self, found: Collection[Found], means: str, *, degraded: bool) -> None:
        """Keep `means`, what compared the texts, and whether it sees words only."""
        super().__init__(found)
        self.means = means
        self.degraded = degraded


class Memory:
    """One data directory's memory; share it between threads. It blocks: async callers use `asyncio.to_thread`."""

    def __init__(self, home: Path) -> None:
        """Open the memory in the data directory `home`, or make it.

        Raises:
            StorageFailed: it cannot be read or written.
        """
        self.home = home
        self.folder = home / "memory"
        self.library = Library(Database(self.folder / "memory.sqlite"))
        self.nodes = Nodes(home)
        self.index = IndexFile(home)
        self._background = Background(self._follow, "millwright memory")
        self._serving = Serving(self.library, self.folder / "chroma", self._background.ask)
        if self._has_fallen_behind():
            self._background.ask()

    @property
    def choice(self) -> Choice:
        """The embedder that was chosen when it was first needed, and why no better one was.

        Raises:
            UsageError: `MILLWRIGHT_EMBEDDINGS` names none that can be had.
        """
        return self._serving.choice

    @property
    def embedder(self) -> Embedder:
        """What new texts are embedded with."""
        return self.choice.embedder

    def space(self) -> Space:
        """The vectors that are searched now."""
        return self._serving.space()

    def search(
        self,
        text: str,
        *,
        limit: int = 5,
        tags: Collection[str] = (),
        states: Collection[SkillState] = FOUND_IN,
    ) -> Hits[Hit]:
        """The skills that fit a text, a name or, without a text, the tags; at most `limit`, most fitting first.

        All of `tags` are wanted, and one of `states`.
        """
        if not text.strip():
            tagged = self.library.skills(states=states, tags=tags) if tags else []
            hits = ordered(Hit(skill, 0.0, 0.0, 0.0, identifier=False) for skill in tagged)
            return Hits(hits[:limit], "tags", degraded=False)
        query, means, degraded = self._query(text)
        found = Finder(self.library, query).find(limit, tags, states)
        return Hits(found, means, degraded=degraded)

    def search_workflows(
        self,
        text: str,
        *,
        limit: int = 5,
        tags: Collection[str] = (),
        outcomes: Collection[WorkflowOutcome] = (),
    ) -> Hits[WorkflowHit]:
        """The workflows whose intent fits a text, most fitting first, or without a text the newest; at most `limit`.

        All of `tags` are wanted, and one of `outcomes` if any are given. What was wanted several times comes once.
        """
        database = self.library.database
        if not text.strip():
            newest = workflows.newest(database, limit, tags, outcomes)
            return Hits([WorkflowHit(one, 0.0, 0.0, 0.0) for one in newest], "time", degraded=False)
        query, means, degraded = self._query(text)
        return Hits(workflows.find(database, query, limit, tags, outcomes), means, degraded=degraded)

    def admit(self, new: NewSkill, *, key: str) -> Skill:
        """Admit a skill; the same key again gives the same skill. What is derived follows.

        Raises:
            UsageError: it requires a skill that is not there.
            StorageFailed: the disk refused; what was acknowledged before is kept.
        """
        new = cleaned(new)
        skill = self.library.admit(new, key=key, vector=self._serving.vector(new.words))
        self.nodes.catch_up(self.library)
        self.index.catch_up(self.library, at_once=False)
        self._background.ask()
        return skill

    def record_workflow(self, workflow: Workflow) -> None:
        """Keep an interaction, with its vector if the embedder answers; a later record of its id takes its place.

        Raises:
            StorageFailed: the disk refused.
        """
        workflow = cleaned(workflow)
        self.library.record_workflow(workflow, vector=self._serving.vector(workflow.words))
        self._background.ask()

    def forget(self, what: str) -> int:
        """Delete a skill, a name, a run's traces or a workflow, everywhere; return how many rows went.

        Raises:
            UsageError: another skill is made of it.
            StorageFailed: it is deleted, but another process still reads a copy.
        """
        try:
            return self.library.forget(what)
        finally:
            self.catch_up()

    @property
    def failure(self) -> str:
        """What the background met the last time; empty if it came to its end."""
        return self._background.failure

    def health(self) -> Health:
        """How the memory is, after everything has caught up with the database."""
        from tools.memory.health import health_of

        return health_of(self)

    def stats(self) -> dict[str, Any]:
        """How much is remembered, in which spaces, and how much of the disk it takes, in bytes."""
        from tools.memory.health import stats_of

        return stats_of(self)

    def catch_up(self) -> None:
        """Bring everything that is derived level with the database, and wait for it."""
        self.nodes.catch_up(self.library)
        self.index.catch_up(self.library)
        self._serving.embed_rest(lambda: self._background.closing)
        self.space().chroma.feed()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what follows an admission has been done."""
        self._background.wait(seconds)

    def reindex(self) -> int:
        """Embed every skill and workflow with the chosen embedder, drop other spaces, and make the vector index anew.

        Returns how many were embedded.

        Raises:
            ModelUnavailable: the embedder does not answer; what was there is kept.
        """
        count = self._serving.renew()
        self.nodes.repair(self.library)
        self.index.repair(self.library)
        self.catch_up()
        return count

    def close(self) -> None:
        """End what is being done in the background and close every file."""
        self._background.close()
        with suppress(StorageFailed):  # the next to open it catches up
            self.index.catch_up(self.library)
        self._serving.close()
        self.library.database.close()
        _forget_open(self)

    def _query(self, text: str) -> tuple[Query, str, bool]:
        """What is looked for, what compares it, and whether that sees words only."""
        space = self.space()
        try:
            vector = space.embedder.embed([text])[0]
        except ModelUnavailable:
            return Query(text), f"words alone, while {space.embedder.name} does not answer", True
        return Query(text, space, vector), space.embedder.name, space.embedder.degraded

    def _has_fallen_behind(self) -> bool:
        """Whether the copies lack something: a process that was killed may have left it to the next."""
        database = self.library.database
        return any(pending(database, name, 1) for name in (nodes.CURSOR, index_file.CURSOR))

    def _follow(self) -> None:
        """What is done in the background: the copies, vectors that are missing, then the vector index."""
        self.nodes.catch_up(self.library)
        self.index.catch_up(self.library, at_once=False)
        self._serving.embed_rest(lambda: self._background.closing)
        if self._serving.chroma != "off" and self._background.pause(BEFORE_CHROMA_SECONDS):
            self.space().chroma.feed()


_OPEN: dict[tuple[int, Path], Memory] = {}
_OPENING = threading.Lock()


def open_memory(home: Path | None = None) -> Memory:
    """The memory of a data directory: one shared object in a process.

    Raises:
        StorageFailed: it cannot be read or written.
    """
    place = (os.getpid(), (home or data_dir()).resolve())
    with _OPENING:
        if place not in _OPEN:
            _OPEN[place] = Memory(place[1])
        return _OPEN[place]


def have_skills(home: Path | None = None) -> bool:
    """Whether there is an active skill at all; reads one row, and makes nothing."""
    path = (home or data_dir()) / "memory" / "memory.sqlite"
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM skills WHERE state = 'active' LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True  # opening it says what is wrong with it


@atexit.register
def close_all() -> None:
    """Close every memory that this process has open, as its end does."""
    for (pid, _), memory in list(_OPEN.items()):
        if pid == os.getpid():
            memory.close()


def _forget_open(memory: Memory) -> None:
    with _OPENING:
        for place in [place for place, opened in _OPEN.items() if opened is memory]:
            del _OPEN[place]
