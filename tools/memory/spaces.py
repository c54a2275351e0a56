"""The vectors of one embedder: compared one by one while they are few, through the index when they are many."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tools.memory.chroma import ChromaIndex
from tools.memory.vectors import Scan, vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.database import Database
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.outbox import OwnerKind

# Up to here comparing all vectors is faster than asking Chroma, and misses nothing (`benchmarks/memory.py`).
MANY = 10_000


class Space:
    """What one embedder made, and how it is searched."""

    def __init__(self, database: Database, embedder: Embedder, folder: Path, chroma: str) -> None:
        """Read nothing yet; `folder` is Chroma's, `chroma` how to use it: auto, off or a server's URL."""
        self._database = database
        self.embedder = embedder
        self.scan = Scan(database, embedder.fingerprint, embedder.dimensions)
        self._workflows = Scan(database, embedder.fingerprint, embedder.dimensions, "workflow")
        short = hashlib.sha256(embedder.fingerprint.encode()).hexdigest()[:8]
        self.chroma = ChromaIndex(folder, chroma, database, embedder.fingerprint, short)

    def nearest(self, query: NDArray[np.float32], limit: int, kind: OwnerKind = "skill") -> list[tuple[str, float]]:
        """The owners of this kind with the nearest vectors, and their cosines, nearest first.

        Workflows are always compared one by one: they are not in the index.
        """
        if kind == "workflow":
            self._workflows.catch_up()
            return self._workflows.nearest(query, limit)
        if self._through_chroma():
            behind = self.chroma.behind()
            found = self.chroma.nearest(query, limit + len(behind))
            if found is not None:
                fresh = self._compared(query, behind)
                found = [pair for pair in found if pair[0] not in set(behind)] + list(fresh.items())
                return sorted(found, key=lambda pair: -pair[1])[:limit]
        self.scan.catch_up()
        return self.scan.nearest(query, limit)

    def cosines(self, query: NDArray[np.float32], owners: Iterable[str]) -> dict[str, float]:
        """The cosines of these owners, as far as they have a vector."""
        return self._compared(query, list(owners))

    def size(self) -> int:
        """How many skills have a vector here."""
        return int(self._database.read(_SKILLS, (self.embedder.fingerprint,))[0][0])

    def _through_chroma(self) -> bool:
        return self.chroma.usable and self.size() > MANY

    def _compared(self, query: NDArray[np.float32], owners: Sequence[str]) -> dict[str, float]:
        import numpy as np

        stored = vectors_of(self._database, self.embedder.fingerprint, owners)
        return {owner: float(np.frombuffer(blob, dtype="<f4") @ query) for owner, blob in stored.items()}


_SKILLS = "SELECT count(*) FROM vectors WHERE owner >= 'skill:' AND owner < 'skill;' AND fingerprint = ?"
