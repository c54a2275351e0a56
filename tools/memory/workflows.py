"""Workflows: what was wanted, what was done and how it ended; kept, and found again by what was wanted.

They are looked for as skills are, by vectors and words, but not by name: a workflow has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.memory.comparing import Comparison
from tools.memory.finding import FIRST_WIDTH, WIDER
from tools.memory.outbox import note, workflow_owner
from tools.memory.ranking import SWING
from tools.memory.records import Workflow
from tools.memory.rows import body_of, cleaned, index_words, insert_vector, loaded, plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from tools.memory.comparing import Like, Query
    from tools.memory.database import Database
    from tools.memory.records import WorkflowOutcome

# Between two that are about as like, one that was seen to work comes before one that nobody judged, or that failed.
_WORTH: dict[WorkflowOutcome, float] = {"verified": 1.0, "user": 1.0, "unknown": 0.5, "failed": 0.0}


@dataclass(frozen=True)
class WorkflowHit:
    """A workflow that was found; `cosine` is 0 without a vector, `words` is BM25."""

    workflow: Workflow
    score: float
    cosine: float
    words: float


def put(cursor: sqlite3.Cursor, workflow: Workflow, vector: tuple[str, bytes] | None) -> None:
    """Keep one in the place of the record with its id; vectors of the text before go."""
    workflow = cleaned(workflow)
    owner = workflow_owner(workflow.id)
    cursor.execute(
        "INSERT INTO workflows VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
        "SET outcome = excluded.outcome, at = excluded.at, body = excluded.body",
        (workflow.id, workflow.outcome, plain(workflow.at), body_of(workflow)),
    )
    index_words(cursor, owner, workflow.template, workflow.intent, workflow.tags)
    cursor.execute("DELETE FROM vectors WHERE owner = ?", (owner,))
    if vector is not None:
        insert_vector(cursor, owner, *vector)
    note(cursor, owner, "put")


def get(database: Database, workflow_id: str) -> Workflow | None:
    """The workflow of that id."""
    rows = database.read("SELECT body FROM workflows WHERE id = ?", (workflow_id,))
    return Workflow.model_validate(loaded(rows[0]["body"])) if rows else None


def newest(
    database: Database, limit: int, tags: Collection[str] = (), outcomes: Collection[WorkflowOutcome] = ()
) -> list[Workflow]:
    """The newest that have all of the tags and one of the outcomes, or any, newest first."""
    rows = database.read(_NEWEST, {**_conditions(tags, outcomes), "limit": limit})
    return [Workflow.model_validate(loaded(row["body"])) for row in rows]


def find(
    database: Database, query: Query, limit: int, tags: Collection[str], outcomes: Collection[WorkflowOutcome]
) -> list[WorkflowHit]:
    """The workflows that fit, of each intent one, most fitting first; `tags` and `outcomes` as for `newest`."""
    comparison = Comparison(database, query, "workflow", lambda name: _text(database, name))
    conditions, width = _conditions(tags, outcomes), FIRST_WIDTH
    while True:
        like = comparison.nearest(width)
        found = _once(_hits(database, like, conditions))
        if len(found) >= limit or len(like) < width:
            return sorted(found, key=lambda hit: (-_rank(hit), hit.workflow.id))[:limit]
        width *= WIDER


def _text(database: Database, workflow_id: str) -> str | None:
    workflow = get(database, workflow_id)
    return workflow.words if workflow else None


def _hits(database: Database, like: list[Like], conditions: dict[str, str | int]) -> list[WorkflowHit]:
    ids = json.dumps([one.id for one in like])
    fitting = {row["id"]: row["body"] for row in database.read(_FITTING, {**conditions, "ids": ids})}
    return [
        WorkflowHit(Workflow.model_validate(loaded(fitting[one.id])), one.score, one.cosine, one.words)
        for one in like
        if one.id in fitting
    ]


def _once(hits: list[WorkflowHit]) -> list[WorkflowHit]:
    """Of those that wanted the same the one that ended best, of equals the newest."""
    best: dict[str, WorkflowHit] = {}
    for hit in sorted(hits, key=lambda hit: (_WORTH[hit.workflow.outcome], hit.workflow.at)):
        best[" ".join(hit.workflow.intent.casefold().split())] = hit
    return list(best.values())


def _rank(hit: WorkflowHit) -> float:
    return hit.score + SWING * _WORTH[hit.workflow.outcome]


def _conditions(tags: Collection[str], outcomes: Collection[WorkflowOutcome]) -> dict[str, str | int]:
    wanted = sorted({tag.strip().lower() for tag in tags})
    return {"tags": json.dumps(wanted), "count": len(wanted), "outcomes": json.dumps(sorted(outcomes or _WORTH))}


_CONDITIONS = """
    outcome IN (SELECT value FROM json_each(:outcomes)) AND :count = (
        SELECT count(*) FROM tags WHERE owner = 'workflow:' || id AND tag IN (SELECT value FROM json_each(:tags)))
"""
_FITTING = f"SELECT id, body FROM workflows WHERE id IN (SELECT value FROM json_each(:ids)) AND {_CONDITIONS}"  # noqa: S608
_NEWEST = f"SELECT body FROM workflows WHERE {_CONDITIONS} ORDER BY at DESC, rowid DESC LIMIT :limit"  # noqa: S608
