"""Whether the memory is in order: the database, the copies on disk, the vectors, the index, and how texts are compared.

The database is the truth; everything else can be made from it again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import StorageFailed
from tools.memory.reembedding import missing, spaces
from tools.memory.salvage import salvage
from tools.memory.uplift import families, reuse_of, uplift_of
from tools.runs.home import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.database import Database
    from tools.memory.memory import Memory

REINDEX = "`millwright memory reindex` makes it anew"
_BETTER = (
    "start Ollama with an embedding model (`ollama pull nomic-embed-text`), or name one in MILLWRIGHT_EMBEDDINGS"
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` is empty where nothing is to be done."""

    subject: str
    state: Literal["good", "weak", "bad"]
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Health:
    """How the memory is. `counts` says of each place how many skills it holds, None where it could not be asked."""

    findings: list[Finding]
    counts: dict[str, int | None] = field(default_factory=dict)
    embeddings: str = ""
    degraded: bool = False
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing is broken; what is only weak, or not caught up with, does not count."""
        return all(finding.state != "bad" for finding in self.findings)


def examine(home: Path | None = None) -> Health:
    """Look at everything, and save what can be read if the database is damaged. Slow with a large memory.

    Raises:
        UsageError: `MILLWRIGHT_EMBEDDINGS` or `MILLWRIGHT_CHROMA` cannot be used as it is set.
        StorageFailed: the database cannot be opened for another reason than damage.
    """
    from tools.memory.memory import open_memory

    place = home or data_dir()
    try:
        memory = open_memory(place)
        damage = memory.library.database.check()
    except StorageFailed as error:
        if not _damaged(error.__cause__):
            raise
        return Health([_saved(place / "memory" / "memory.sqlite", str(error))])
    if damage:
        return Health([_saved(memory.library.database.path, "; ".join(damage))])
    return health_of(memory)


def health_of(memory: Memory) -> Health:
    """The health of an open memory whose database is whole, after everything has caught up with it."""
    memory.catch_up()
    choice = memory.choice
    findings = [
        Finding("database", "good", f"{memory.library.database.path} is whole"),
        *_altered(memory),
        *_copies(memory),
        *_vectors(memory),
        _index(memory),
        _embeddings(memory),
    ]
    if memory.failure:
        findings.append(Finding("background", "weak", f"what follows an admission failed: {memory.failure}"))
    refused = {refused.rung: refused.why for refused in choice.refused}
    return Health(findings, counts(memory), choice.embedder.name, choice.embedder.degraded, refused)


def counts(memory: Memory) -> dict[str, int | None]:
    """How many skills each of the four places holds; Chroma's are the ones with a vector."""
    owners = memory.space().chroma.owners()
    return {
        "database": int(memory.library.database.read("SELECT count(*) FROM skills")[0][0]),
        "nodes": _entries(memory.nodes.folder),
        "index.json": _indexed(memory.index.path),
        "chroma": None if owners is None else len(owners),
    }


def stats_of(memory: Memory) -> dict[str, Any]:
    """How much is remembered, in which spaces, and how much of the disk it takes, in bytes."""
    places = {
        "database": memory.library.database.path,
        "chroma": memory.folder / "chroma",
        "nodes": memory.nodes.folder,
    }
    return {
        **memory.library.counts(),
        "spaces": spaces(memory.library),
        "bytes": {name: _bytes(place) for name, place in places.items()},
        **_worth(memory.library.database),
    }


def _worth(database: Database) -> dict[str, Any]:
    """What tools that were there did for the factory, and what was solved with the memory's help and without."""
    return {
        "reuse": reuse_of(database).to_dict(),
        "uplift": {graph: uplift_of(database, graph).to_dict() for graph in ("factory", "build")},
        "families": {family: found.to_dict() for family, found in families(database).items()},
    }


def _altered(memory: Memory) -> list[Finding]:
    found = memory.library.altered()
    if not found:
        return []
    mend = "put the database back from a copy, or delete them: " + ", ".join(
        f"`millwright memory forget {skill_id}`" for skill_id in found
    )
    what = f"{len(found)} skills are not what was admitted and are not given out: {', '.join(found)}"
    return [Finding("skills", "bad", what, mend)]


def _copies(memory: Memory) -> list[Finding]:
    found = []
    for subject, copy in (("nodes", memory.nodes), ("index.json", memory.index)):
        wrong = copy.faults(memory.library)
        state: Literal["good", "bad"] = "bad" if wrong else "good"
        what = "; ".join(wrong) or "says what the database says"
        found.append(Finding(subject, state, what, REINDEX if wrong else ""))
    return found


def _vectors(memory: Memory) -> list[Finding]:
    wanted = memory.embedder
    without = missing(memory.library, wanted.fingerprint)
    found = []
    if without:
        mend = (
            "they are made in the background when the embedder answers, or at once by `millwright memory reindex`"
        )
        found.append(
            Finding("vectors", "weak", f"{without} skills and workflows have none of {wanted.name} yet", mend)
        )
    else:
        found.append(Finding("vectors", "good", f"every skill and workflow has one of {wanted.name}"))
    for fingerprint, count in spaces(memory.library).items():
        if fingerprint != wanted.fingerprint:
            what = f"{count} of {fingerprint.partition('@')[0]} are kept from before"
            found.append(Finding("vectors", "good", what, "`millwright memory reindex` drops them"))
    return found


def _index(memory: Memory) -> Finding:
    chroma = memory.space().chroma
    wrong = chroma.faults()
    if chroma.status == "failed":
        mend = (
            "searches compare all vectors meanwhile; see to the directory or the server, or set MILLWRIGHT_CHROMA"
        )
        return Finding("chroma", "weak", chroma.why, mend)
    if wrong:
        return Finding("chroma", "bad", "; ".join(wrong), REINDEX)
    if chroma.status == "off":
        return Finding("chroma", "good", "is not used (MILLWRIGHT_CHROMA=off): searches compare all vectors")
    if chroma.status == "theirs":
        what = f"{chroma.why}: searches of this process compare all vectors"
        return Finding("chroma", "good", what, "to share it, run `chroma run` and set MILLWRIGHT_CHROMA to its URL")
    behind = len(chroma.behind())
    state: Literal["good", "weak"] = "weak" if behind else "good"
    return Finding("chroma", state, f"{behind} changes behind" if behind else "is level with the database")


def _embeddings(memory: Memory) -> Finding:
    embedder = memory.embedder
    if not embedder.degraded:
        return Finding("embeddings", "good", f"texts are compared by {embedder.name}")
    what = "texts are compared by their words only: other words for the same thing are not found"
    return Finding("embeddings", "weak", what, _BETTER)


def _damaged(cause: BaseException | None) -> bool:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _saved(path: Path, what: str) -> Finding:
    """A database that is broken, and where what could be read of it now is."""
    try:
        copy = salvage(path)
    except StorageFailed as error:
        return Finding("database", "bad", what, str(error))
    rows = f"{copy.rows.get('skills', 0)} skills, {copy.rows.get('runs', 0)} tasks"
    return Finding("database", "bad", what, f"what could be read ({rows}) is in {copy.path}: put it in its place")


def _entries(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(not name.startswith(".") for name in os.listdir(folder))  # noqa: PTH208 - names are enough


def _indexed(path: Path) -> int | None:
    try:
        return len(json.loads(path.read_bytes())["tools"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _bytes(place: Path) -> int:
    if place.is_dir():
        return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in place.parent.glob(f"{place.name}*"))
