"""The memory as the rest of Millwright uses it: find skills, admit them, and keep everything derived level.

The database is the truth. A skill is admitted in one transaction, with its vector if the embedder answers; the copies
on disk follow before `admit` returns, and the vector index in a thread that nobody waits for.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
from contextlib import closing, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from tools.errors import ModelUnavailable
from tools.memory.background import Background
from tools.memory.database import Database
from tools.memory.finding import Finder
from tools.memory.library import Library
from tools.memory.projections import IndexFile, Nodes
from tools.memory.ranking import Hit, ordered
from tools.memory.records import SkillState
from tools.memory.reembedding import embed_some, missing, spaces
from tools.runs.home import data_dir

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.embeddings.choosing import Choice
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.records import NewSkill, Skill
    from tools.memory.spaces import Space

FOUND_IN = (SkillState.ACTIVE, SkillState.CANDIDATE)
# A rung above may have come back: a model server that was started since.
CHOOSE_AGAIN_SECONDS = 300.0
# Chroma takes a second or two to load: a process that ends soon after an admission leaves the feeding to the next.
BEFORE_CHROMA_SECONDS = 2.0


class Hits(list[Hit]):
    """Skills that were found, most fitting first, and by which means."""

    def __init__(self, found: Collection[Hit], means: str, *, degraded: bool) -> None:
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
        self._lock = threading.RLock()
        self._choice: Choice | None = None
        self._chosen_at = 0.0
        self._serving: Space | None = None
        self._background = Background(self._follow, "millwright memory")

    @property
    def choice(self) -> Choice:
        """The embedder that was chosen when it was first needed, and why no better one was.

        Raises:
            UsageError: `MILLWRIGHT_EMBEDDINGS` names none that can be had.
        """
        from tools.memory.embeddings.choosing import choose

        with self._lock:
            stale = self._chosen_at + CHOOSE_AGAIN_SECONDS < time.monotonic()
            if self._choice is None or (stale and self._choice.refused):
                self._choice, self._chosen_at = choose(), time.monotonic()
            return self._choice

    @property
    def embedder(self) -> Embedder:
        """What new texts are embedded with."""
        return self.choice.embedder

    def search(
        self,
        text: str,
        *,
        limit: int = 5,
        tags: Collection[str] = (),
        states: Collection[SkillState] = FOUND_IN,
    ) -> Hits:
        """The skills that fit a text, a name or, without a text, the tags; at most `limit`, most fitting first."""
        if not text.strip():
            tagged = self.library.skills(states=states, tags=tags) if tags else []
            hits = ordered(Hit(skill, 0.0, 0.0, 0.0, identifier=False) for skill in tagged)
            return Hits(hits[:limit], "tags", degraded=False)
        space = self.space()
        try:
            query: NDArray[np.float32] | None = space.embedder.embed([text])[0]
            means, degraded = space.embedder.name, space.embedder.degraded
        except ModelUnavailable:
            query, means, degraded = None, f"words alone, while {space.embedder.name} does not answer", True
        found = Finder(self.library, text, space, query).find(limit, tags, states)
        return Hits(found, means, degraded=degraded)

    def admit(self, new: NewSkill, *, key: str) -> Skill:
        """Admit a skill; the same key again gives the same skill. What is derived follows.

        Raises:
            UsageError: it requires a skill that is not there.
            StorageFailed: the disk refused; what was acknowledged before is kept.
        """
        skill = self.library.admit(new, key=key, vector=self._vector(new))
        self.nodes.catch_up(self.library)
        self.index.catch_up(self.library)
        self._background.ask()
        return skill

    def forget(self, what: str) -> int:
        """Delete a skill, a name, a run's traces or a workflow, everywhere; return how many rows went.

        Raises:
            UsageError: another skill is made of it.
        """
        count = self.library.forget(what)
        self.catch_up()
        return count

    def catch_up(self) -> None:
        """Bring everything that is derived level with the database, and wait for it."""
        self.nodes.catch_up(self.library)
        self.index.catch_up(self.library)
        self._embed_rest()
        self.space().chroma.feed()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until what follows an admission has been done."""
        self._background.wait(seconds)

    def reindex(self) -> int:
        """Embed every skill with the chosen embedder, drop other spaces, and make the vector index anew.

        Returns how many skills were embedded.

        Raises:
            ModelUnavailable: the embedder does not answer; what was there is kept.
        """
        from tools.memory.reembedding import drop

        embedder, count = self.embedder, 0
        while embedded := embed_some(self.library, embedder):
            count += embedded
        for fingerprint in spaces(self.library):
            if fingerprint != embedder.fingerprint:
                drop(self.library, fingerprint)
        with self._lock:
            self._serve(embedder)
        self.space().chroma.rebuild()
        self.catch_up()
        return count

    def space(self) -> Space:
        """The vectors that are searched: the chosen embedder's, or while those are being made, the ones before."""
        wanted = self.embedder
        with self._lock:
            serving = self._serving
            if serving is not None and serving.embedder.fingerprint == wanted.fingerprint:
                return serving
            if serving is None or not missing(self.library, wanted.fingerprint):
                self._serve(self._best(wanted))
            assert self._serving is not None
            return self._serving

    def close(self) -> None:
        """End what is being done in the background and close every file."""
        self._background.close()
        with self._lock:
            if self._serving is not None:
                self._serving.chroma.close()
        self.library.database.close()
        _forget_open(self)

    def _vector(self, new: NewSkill) -> tuple[str, bytes] | None:
        """The vector of a new skill; None while the embedder is away: it is made when that is back."""
        try:
            return self.embedder.fingerprint, self.embedder.embed([new.words])[0].tobytes()
        except ModelUnavailable:
            return None

    def _best(self, wanted: Embedder) -> Embedder:
        from tools.memory.embeddings.choosing import reopened

        lacking = missing(self.library, wanted.fingerprint)
        if not lacking:
            return wanted
        self._background.ask()
        there = spaces(self.library)
        fuller = sorted((f for f in there if there[f] > there.get(wanted.fingerprint, 0)), key=lambda f: -there[f])
        return next((found for f in fuller if (found := reopened(f)) is not None), wanted)

    def _serve(self, embedder: Embedder) -> None:
        from tools.memory.spaces import Space

        before = self._serving
        if before is not None and before.embedder.fingerprint == embedder.fingerprint:
            return
        if before is not None:
            before.chroma.close()
        self._serving = Space(self.library.database, embedder, self.folder / "chroma", self._chroma)

    def _follow(self) -> None:
        """What is done in the background: vectors that are missing, then the index."""
        self._embed_rest()
        if self._chroma != "off" and self._background.pause(BEFORE_CHROMA_SECONDS):
            self.space().chroma.feed()

    def _embed_rest(self) -> None:
        """Embed what has no vector yet; an embedder that is away is asked again another time."""
        with suppress(ModelUnavailable):
            while not self._background.closing and embed_some(self.library, self.embedder):
                pass

    @cached_property
    def _chroma(self) -> str:
        from tools.memory.chroma import SETTING

        return os.environ.get(SETTING, "").strip() or "auto"


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
