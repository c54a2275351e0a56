"""What each task came to, with the memory's help or without: the rows that tell whether the memory is worth its keep.

A share of the requests is held out: what the memory found for them is not shown. Who is held out is decided by a hash of
the request, so the same request is always treated the same, whoever asks, and no run chooses its side.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from tools.events import now
from tools.memory.rows import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from tools.memory.records import TaskRecord

Arm = Literal["", "with", "without"]
"""`with` was shown what the memory found, `without` was held out, and of the others nothing could be told."""

_WAYS = {"reused": "reused", "admitted": "made", "duplicate": "made"}


def request_of(text: str) -> str:
    """The name of a request: equal for texts that differ in case and white space alone."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode(errors="replace")).hexdigest()[:16]


def held_out(request: str, share: float) -> bool:
    """Whether a request is among the `share` of all, from 0 to 1, that get no help."""
    return int(request, 16) < share * (1 << 4 * len(request))


def assign(cursor: sqlite3.Cursor, run: str, graph: str, request: str, arm: Arm) -> None:
    """Put a whole run on its side, before anybody knows what comes of it."""
    cursor.execute(
        "INSERT INTO efforts (key, run, graph, family, request, arm, way, at) VALUES (?1, ?1, ?2, '', ?3, ?4, '', ?5) "
        "ON CONFLICT DO NOTHING",
        (run, graph, request, arm, now()),
    )


def judge(cursor: sqlite3.Cursor, run: str, verified: bool) -> None:
    """Say what came of a run that was assigned."""
    cursor.execute("UPDATE efforts SET solved = ? WHERE key = ?", (verified, run))


def insert(cursor: sqlite3.Cursor, record: TaskRecord) -> None:
    """Keep what a task came to, and what it took; the first record of a key stays."""
    columns = {
        "key": record.key,
        "run": record.run,
        "family": plain(record.family),
        "request": record.request,
        "arm": record.arm,
        "way": _WAYS.get(record.outcome, ""),
        "solved": record.outcome in _WAYS,
        "seconds": _elapsed(record.seconds),
        "calls": record.calls,
        "at": plain(record.at),
    }
    cursor.execute(
        "INSERT INTO efforts VALUES (:key, :run, 'factory', :family, :request, :arm, :way, :solved, :seconds, :calls, "
        ":at) ON CONFLICT DO NOTHING",
        columns,
    )


def _elapsed(seconds: Mapping[str, float]) -> float:
    """The seconds that a task took, of those of its phases: code and tests are written side by side."""
    together = [seconds.get(name, 0.0) for name in ("write", "author")]
    return sum(seconds.values()) - min(together)
