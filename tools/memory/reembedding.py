"""Giving a vector to what has none yet: after a change of embedder, or after one was away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.memory import workflows
from tools.memory.outbox import note

if TYPE_CHECKING:
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.library import Library

BATCH = 64


def missing(library: Library, fingerprint: str) -> int:
    """How many skills and workflows have no vector of this fingerprint."""
    return int(library.database.read(f"SELECT count(*) {_WITHOUT}", (fingerprint,))[0][0])


def embed_some(library: Library, embedder: Embedder, most: int = BATCH) -> int:
    """Embed up to `most` skills and workflows that have no vector of this embedder; return how many there were.

    What is forgotten meanwhile gets none.

    Raises:
        ModelUnavailable: the embedder does not answer.
    """
    sql = f"SELECT owner {_WITHOUT} LIMIT ?"
    owners = [row[0] for row in library.database.read(sql, (embedder.fingerprint, most))]
    texts = {owner: text for owner in owners if (text := _words(library, owner)) is not None}
    if texts:
        vectors = embedder.embed(list(texts.values()))
        keep(library, embedder.fingerprint, {o: v.tobytes() for o, v in zip(texts, vectors, strict=True)})
    return len(owners)


def keep(library: Library, fingerprint: str, vectors: dict[str, bytes]) -> None:
    """Store vectors of owners that still exist, and the change for whoever follows."""
    with library.database.transaction() as cursor:
        for owner, blob in vectors.items():
            cursor.execute(_KEEP, (owner, fingerprint, blob, owner))
            if cursor.rowcount:
                note(cursor, owner, "vector")


def spaces(library: Library) -> dict[str, int]:
    """How many vectors there are of each fingerprint."""
    rows = library.database.read("SELECT fingerprint, count(*) FROM vectors GROUP BY fingerprint")
    return {row[0]: row[1] for row in rows}


def drop(library: Library, fingerprint: str) -> None:
    """Delete every vector of a fingerprint that is no longer used."""
    with library.database.transaction() as cursor:
        cursor.execute("DELETE FROM vectors WHERE fingerprint = ?", (fingerprint,))


def _words(library: Library, owner: str) -> str | None:
    """What is embedded of an owner; None if it was forgotten since."""
    kind, _, name = owner.partition(":")
    if kind == "workflow":
        workflow = workflows.get(library.database, name)
        return workflow.words if workflow else None
    try:
        return library.skill(name).words
    except UsageError:
        return None


_WITHOUT = """
    FROM (SELECT 'skill:' || id AS owner FROM skills UNION ALL SELECT 'workflow:' || id FROM workflows) AS o
    WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.owner = o.owner AND v.fingerprint = ?)
"""
_KEEP = """
    INSERT OR IGNORE INTO vectors (owner, fingerprint, vector)
    SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM owners WHERE owner = ?)
"""
