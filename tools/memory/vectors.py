"""The nearest vectors, exactly: one matrix in memory, kept level with the database by its log of changes.

Up to some ten thousand vectors this is faster than any index, and it misses nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.database import Database

_FIRST_ROOM = 256
_AT_ONCE = 500


class Scan:
    """All vectors of one fingerprint and one kind of owner (`skill` or `workflow`). Safe to use from several threads."""

    def __init__(self, database: Database, fingerprint: str, dimensions: int, kind: str = "skill") -> None:
        """Read nothing yet: the first `catch_up` does."""
        import numpy as np

        self._database, self._fingerprint, self._kind = database, fingerprint, kind
        self._lock = threading.RLock()
        self._owners: list[str] = []
        self._places: dict[str, int] = {}
        self._rows = np.zeros((_FIRST_ROOM, dimensions), dtype=np.float32)
        self._seq = -1

    def __len__(self) -> int:
        """How many vectors are held."""
        return len(self._owners)

    def catch_up(self) -> None:
        """Take in what was written since the last time, by whichever process."""
        with self._lock:
            latest = last_change(self._database)
            if latest == self._seq:
                return
            if self._seq < 0:
                everything = self._database.read(_ALL, (self._fingerprint, f"{self._kind}:", f"{self._kind};"))
                self._take((row[0], row[1]) for row in everything)
            else:
                self._renew(changed_since(self._database, self._seq, self._kind))
            self._seq = latest

    def nearest(self, query: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The owners of the `limit` nearest vectors with their cosines, nearest first; `query` has length 1."""
        import numpy as np

        with self._lock:
            cosines = self._rows[: len(self._owners)] @ query
            limit = min(limit, len(cosines))
            if not limit:
                return []
            best = np.argpartition(-cosines, limit - 1)[:limit]
            best = best[np.argsort(-cosines[best], kind="stable")]
            return [(self._owners[place], float(cosines[place])) for place in best]

    def cosines(self, query: NDArray[np.float32], owners: Iterable[str]) -> dict[str, float]:
        """The cosines of these owners, as far as they have a vector."""
        with self._lock:
            known = [(owner, self._places[owner]) for owner in owners if owner in self._places]
            return {owner: float(self._rows[place] @ query) for owner, place in known}

    def _renew(self, owners: Sequence[str]) -> None:
        for owner in owners:
            self._drop(owner)
        self._take(vectors_of(self._database, self._fingerprint, owners).items())

    def _take(self, rows: Iterable[tuple[str, bytes]]) -> None:
        import numpy as np

        for owner, blob in rows:
            place = len(self._owners)
            if place == len(self._rows):
                grown = np.zeros((2 * place, self._rows.shape[1]), dtype=np.float32)  # takes memory as it is filled
                grown[:place] = self._rows
                self._rows = grown
            self._rows[place] = np.frombuffer(blob, dtype="<f4")
            self._places[owner] = place
            self._owners.append(owner)

    def _drop(self, owner: str) -> None:
        """Put the last vector in the place of one that is gone."""
        place = self._places.pop(owner, None)
        if place is None:
            return
        last = self._owners.pop()
        if last != owner:
            self._rows[place] = self._rows[len(self._owners)]
            self._owners[place] = last
            self._places[last] = place


def last_change(database: Database) -> int:
    """The number of the newest change; 0 before the first."""
    return int(database.read("SELECT coalesce(max(seq), 0) FROM changes")[0][0])


def changed_since(database: Database, seq: int, kind: str) -> list[str]:
    """The owners of this kind that something happened to after change `seq`."""
    return [row[0] for row in database.read(_CHANGED, (seq, f"{kind}:", f"{kind};"))]


def vectors_of(database: Database, fingerprint: str, owners: Sequence[str]) -> dict[str, bytes]:
    """The stored vectors of these owners, as far as they have one: float32, little-endian."""
    found: dict[str, bytes] = {}
    for start in range(0, len(owners), _AT_ONCE):
        some = owners[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        sql = f"SELECT owner, vector FROM vectors WHERE fingerprint = ? AND owner IN ({marks})"  # noqa: S608
        found.update((row[0], row[1]) for row in database.read(sql, (fingerprint, *some)))
    return found


# `:` is followed by `;` in ASCII, so that these bounds hold exactly what begins with the kind and a colon.
_ALL = "SELECT owner, vector FROM vectors WHERE fingerprint = ? AND owner >= ? AND owner < ?"
_CHANGED = "SELECT DISTINCT owner FROM changes WHERE seq > ? AND op != 'count' AND owner >= ? AND owner < ?"
