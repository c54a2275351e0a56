"""The vector index: a Chroma collection that is derived from the database and can be thrown away at any time.

One process feeds it, the one that holds the lock: two that write to one directory lose vectors without a word. The
collection's row in `cursors` says up to which change it was fed; a collection without a row was never finished.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tools.errors import UsageError
from tools.memory.ownership import Ownership
from tools.memory.vectors import changed_since, last_change, vectors_of

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.collection import Collection
    from tools.memory.database import Database

SETTING = "MILLWRIGHT_CHROMA"
BATCH = 500
PROBED = 1000
# What failed is not tried again at every admission.
_AGAIN_SECONDS = 60.0
Status = Literal["off", "closed", "ours", "server", "theirs", "failed"]


class ChromaIndex:
    """The vectors of one fingerprint in Chroma. Safe to share between threads; nothing is loaded before it is used."""

    def __init__(self, folder: Path, setting: str, database: Database, fingerprint: str, short: str) -> None:
        """Open nothing yet. `setting` is auto, off or the URL of a `chroma run` server; `short` names the space.

        Raises:
            UsageError: the setting is none of these.
        """
        if setting not in ("auto", "off") and urlsplit(setting).scheme not in ("http", "https"):
            raise UsageError(f"{SETTING}={setting!r} is no way to use Chroma; write auto, off or http://host:port")
        self._folder, self._server = folder, "" if setting in ("auto", "off") else setting
        self._database, self._fingerprint, self._prefix = database, fingerprint, f"skills-{short}-"
        self._owner = Ownership(folder.with_name(f"{folder.name}.lock"))
        self._lock = threading.RLock()
        self._client: Any = None
        self._collection: Collection | None = None
        self._pid = 0
        self._failed_at = -_AGAIN_SECONDS
        self.status: Status = "off" if setting == "off" else "closed"
        self.why = ""

    @property
    def usable(self) -> bool:
        """Whether it is open and was found in order. The child of a fork has to open it itself."""
        return self._collection is not None and self._pid == os.getpid()

    def open(self) -> bool:
        """Open the index and, if this process may feed it, mend what is wrong; tell whether it can be asked."""
        with self._lock, self._kept():
            self._open()
        return self.usable

    def feed(self) -> int:
        """Bring in what changed in the database, if this process may; return how many changes those were."""
        count = 0
        with self._lock, self._kept():
            if self._open() and self._owner.take():
                while step := self._step():
                    count += step
        return count

    def nearest(self, query: NDArray[np.float32], limit: int) -> list[tuple[str, float]] | None:
        """The owners of the nearest vectors with their cosines, or None if the index cannot be asked.

        What changed since the index was last fed, `behind`, is for the caller to compare.
        """
        collection = self._collection
        if collection is None or not self.usable:
            return None
        with self._kept():
            return collection.nearest(query, limit)
        return None

    def behind(self) -> list[str]:
        """The owners that changed since the index was last fed."""
        return changed_since(self._database, self._fed_to(), "skill")

    def owners(self) -> set[str] | None:
        """Every owner in the index; None if it cannot be asked."""
        collection = self._collection
        if collection is None or not self.usable:
            return None
        with self._kept():
            return collection.owners()
        return None

    def faults(self, probed: int | None = None) -> list[str]:
        """What is wrong with the index as far as it was fed, a sentence each; `probed` vectors are read, or all."""
        with self._lock, self._kept():
            return self._faults(probed) if self._open(mend=False) else []
        return [self.why]

    def rebuild(self) -> bool:
        """Put a new collection in the place of the old one; tell whether this process may."""
        with self._lock, self._kept():
            if self._open(mend=False) and self._owner.take():
                self._rebuild()
                return True
        return False

    def close(self) -> None:
        """Give the index, and the right to feed it, back."""
        with self._lock:
            self._close()
            self._owner.release()

    def _open(self, *, mend: bool = True) -> bool:
        if self.usable:
            return True
        if self.status == "off" or time.monotonic() < self._failed_at + _AGAIN_SECONDS:
            return False
        may_feed = self._owner.take()
        if not may_feed and not self._server:
            self.status, self.why = "theirs", f"{self._owner.owner()} has the vector index open"
            return False
        self._enter(may_feed=may_feed, mend=mend)
        self.status, self.why = ("server" if self._server else "ours"), ""
        return self.usable

    def _enter(self, *, may_feed: bool, mend: bool) -> None:
        from tools.memory.collection import Collection, connected, names

        self._client, self._pid = connected(self._folder, self._server), os.getpid()
        there = names(self._client)
        finished = next((name for name in self._finished() if name in there), None)
        if finished is not None:
            self._collection = Collection(self._client, finished)
        if may_feed:
            for name in there:
                if name.startswith(self._prefix) and name != finished:
                    self._client.delete_collection(name)  # a killed process did not come to its end
            if finished is None or (mend and self._faults(PROBED)):
                self._rebuild()

    def _step(self) -> int:
        """Bring in the next changes; return how many."""
        assert self._collection is not None
        rows = self._database.read(_NEXT, (self._fed_to(), BATCH))
        if rows:
            self._renew(self._collection, sorted({row[1] for row in rows if row[1].startswith("skill:")}))
            self._move(self._collection.name, rows[-1][0])
        return len(rows)

    def _renew(self, collection: Collection, owners: Sequence[str]) -> None:
        """Make what the collection says of these owners what the database says; twice is as good as once."""
        stored, states = vectors_of(self._database, self._fingerprint, owners), self._states(owners)
        there = {owner: vector for owner, vector in stored.items() if owner in states}
        collection.put(there, states)
        collection.delete([owner for owner in owners if owner not in there])

    def _rebuild(self) -> None:
        """Fill a new collection, then let it count, then drop the old ones: a kill leaves one that is whole, or none."""
        from tools.memory.collection import Collection, names

        old = [name for name in names(self._client) if name.startswith(self._prefix)]
        number = 1 + max((int(name.rpartition("-")[2]) for name in old), default=0)
        new = Collection(self._client, f"{self._prefix}{number}")
        upto = last_change(self._database)
        owners = sorted(self._with_vectors())
        for start in range(0, len(owners), BATCH):
            self._renew(new, owners[start : start + BATCH])
        self._move(new.name, upto)
        self._collection = new
        for name in old:
            self._client.delete_collection(name)
        with self._database.transaction() as sql:
            sql.executemany("DELETE FROM cursors WHERE name = ?", [(f"chroma/{name}",) for name in old])

    def _faults(self, probed: int | None) -> list[str]:
        assert self._collection is not None
        if not self._owner.held:
            return []  # what another process is feeding just now cannot be compared
        here, behind = self._collection.owners(), set(self.behind())
        wanted = self._with_vectors() - behind
        missing, surplus = len(wanted - here), len(here - wanted - behind)
        found = [f"{missing} vectors are missing"] if missing else []
        found += [f"{surplus} vectors belong to nothing"] if surplus else []
        some = here if probed is None or len(here) <= probed else random.sample(sorted(here), probed)
        unreadable = self._collection.unreadable(sorted(some))
        return [*found, f"vectors cannot be read ({unreadable})"] if unreadable else found

    def _finished(self) -> list[str]:
        """The collections that were fed to their end once, newest first."""
        rows = self._database.read(
            "SELECT name FROM cursors WHERE name GLOB ? ORDER BY rowid DESC", (f"chroma/{self._prefix}*",)
        )
        return [row[0].partition("/")[2] for row in rows]

    def _fed_to(self) -> int:
        name = self._collection.name if self._collection is not None else ""
        rows = self._database.read("SELECT seq FROM cursors WHERE name = ?", (f"chroma/{name}",))
        return int(rows[0][0]) if rows else 0

    def _move(self, name: str, seq: int) -> None:
        with self._database.transaction() as sql:
            sql.execute(_MOVE, (f"chroma/{name}", seq))

    def _with_vectors(self) -> set[str]:
        return {row[0] for row in self._database.read(_WITH_VECTORS, (self._fingerprint,))}

    def _states(self, owners: Several[str]) -> dict[str, str]:
        marks = ",".join("?" * len(owners))
        sql = f"SELECT 'skill:' || id, state FROM skills WHERE id IN ({marks})"  # noqa: S608
        rows = self._database.read(sql, [owner.partition(":")[2] for owner in owners])
        return {row[0]: row[1] for row in rows}

    def _close(self) -> None:
        if self._client is not None and self._pid == os.getpid():
            from tools.memory.collection import disconnected

            disconnected(self._client)
        self._client = self._collection = None
        self.status = "off" if self.status == "off" else "closed"

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep a failure of Chroma as a reason; the search goes on by comparing all vectors."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - Chroma, its directory and its server fail in many ways
            self._close()
            self._failed_at = time.monotonic()
            self.status, self.why = "failed", f"Chroma fails ({type(error).__name__}: {error})"


_NEXT = "SELECT seq, owner FROM changes WHERE seq > ? AND op != 'count' ORDER BY seq LIMIT ?"
_MOVE = """
    INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)
"""
_WITH_VECTORS = """
    SELECT v.owner FROM vectors v JOIN skills s ON v.owner = 'skill:' || s.id WHERE v.fingerprint = ?
"""
