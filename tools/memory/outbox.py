"""What changed, for everything that is derived from the database.

Each transaction that changes an owner leaves a line; whoever keeps a projection has a cursor, applies what lies behind
it and moves it on. Applying a line means: look at what the database says of its owner now. So of one owner only the
newest line of a kind is kept, the log stays as small as the memory, and a projection that starts at 0 becomes whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from tools.memory.database import Database

Op = Literal["put", "count", "vector", "delete"]
"""New or changed; other counts only; another vector only; gone."""
OwnerKind = Literal["skill", "workflow"]
"""What has words, vectors and tags; an owner is its kind, a colon and an id."""


class Change(NamedTuple):
    """One line of the log; `owner` is `skill:<id>` or `workflow:<id>`."""

    seq: int
    owner: str
    op: Op


def skill_owner(skill_id: str) -> str:
    """The owner that a skill is in words, vectors, tags and changes."""
    return f"skill:{skill_id}"


def workflow_owner(workflow_id: str) -> str:
    """The owner that a workflow is in words, vectors, tags and changes."""
    return f"workflow:{workflow_id}"


def note(cursor: sqlite3.Cursor, owner: str, op: Op) -> None:
    """Leave a line in the caller's transaction, in the place of those that it makes needless."""
    if op in ("count", "vector"):
        cursor.execute("DELETE FROM changes WHERE owner = ? AND op = ?", (owner, op))
    else:
        cursor.execute("DELETE FROM changes WHERE owner = ?", (owner,))
    cursor.execute("INSERT INTO changes (owner, op) VALUES (?, ?)", (owner, op))


def pending(database: Database, name: str, limit: int = -1) -> list[Change]:
    """The lines behind the cursor of that name, oldest first; a cursor that was never moved stands at 0."""
    rows = database.read(
        "SELECT seq, owner, op FROM changes WHERE seq > coalesce((SELECT seq FROM cursors WHERE name = ?), 0) "
        "ORDER BY seq LIMIT ?",
        (name, limit),
    )
    return [Change(*row) for row in rows]


def waiting(database: Database, name: str) -> int:
    """How many lines that are not of vectors lie behind the cursor of that name."""
    (row,) = database.read(
        "SELECT count(*) FROM changes WHERE op != 'vector' "
        "AND seq > coalesce((SELECT seq FROM cursors WHERE name = ?), 0)",
        (name,),
    )
    return int(row[0])


def moved(database: Database, name: str, seq: int) -> None:
    """Set the cursor of that name on a line that was applied; it never goes back."""
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)",
            (name, seq),
        )


def rewound(database: Database, name: str) -> None:
    """Take the cursor of that name back to 0: the projection is made anew."""
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM cursors WHERE name = ?", (name,))
