"""What can still be read of a damaged memory database, in a new file beside it; the damaged one is not touched.

Rows are read in the order of their places; one that cannot be read is passed over, and behind a page that cannot be
read the table is read from its end. A skill counts only if its code, tests and interface have their SHA-256.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tools.errors import StorageFailed
from tools.memory.database import Database
from tools.memory.library import index_skill
from tools.memory.outbox import note, workflow_owner
from tools.memory.records import Workflow, sha256_of
from tools.memory.rows import index_words, loaded, skill_of
from tools.sqlite.faults import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Words, tags and changes are made anew; cursors are not kept, so every projection is made anew.
_TABLES = (
    *("skills", "admissions", "requirements", "transitions", "aliases", "exposures", "uses", "trials"),
    *("runs", "workflows", "vectors"),
)


@dataclass(frozen=True)
class Salvaged:
    """A new database, the rows that it holds by table, and the tables of which rows may be missing."""

    path: Path
    rows: dict[str, int]
    torn: tuple[str, ...]


def salvage(path: Path) -> Salvaged:
    """Copy what can be read of the database at `path` into `<name>.salvaged.sqlite` beside it.

    Raises:
        StorageFailed: there is such a copy already, or not one skill, task or workflow can be read.
    """
    copy = path.with_name(f"{path.stem}.salvaged.sqlite")
    if copy.exists():
        raise StorageFailed(
            f"{str(copy)!r} is there already; put it in the place of {path.name!r}, or move it away"
        )
    with told(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
        source.row_factory = sqlite3.Row
        database = Database(copy)
        try:
            found = _copied(source, database)
        finally:
            database.close()
    if not any(found.rows.values()):
        copy.unlink()
        raise StorageFailed(
            f"nothing can be read of {str(path)!r}; move it aside (with its -wal and -shm) to start anew"
        )
    return found


def _copied(source: sqlite3.Connection, database: Database) -> Salvaged:
    rows, torn = {}, []
    with database.transaction() as cursor:
        for table in _TABLES:
            reader = _Reader(source, table)
            columns = [row["name"] for row in cursor.execute(f"PRAGMA table_info({table})")]
            marks = ", ".join("?" * len(columns))
            sql = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            rows[table] = sum(
                cursor.execute(sql, [row[name] for name in columns]).rowcount
                for row in reader
                if _is_whole(table, row)
            )
            if reader.torn:
                torn.append(table)
        _index(cursor)
    return Salvaged(database.path, rows, tuple(torn))


class _Reader:
    """The rows of a table that can be read; `torn` once one could not."""

    def __init__(self, source: sqlite3.Connection, table: str) -> None:
        self._source, self._table = source, table
        self._after, self._before = 0, 2**63 - 1
        self.torn = False

    def __iter__(self) -> Iterator[sqlite3.Row]:
        yield from self._read("ASC")
        yield from self._read("DESC")

    def _read(self, order: Literal["ASC", "DESC"]) -> Iterator[sqlite3.Row]:
        """Read from one end up to a page that cannot be read, passing over rows that cannot."""
        between = f"FROM {self._table} WHERE rowid > ? AND rowid < ? ORDER BY rowid {order}"
        while True:
            try:
                for row in self._source.execute(f"SELECT rowid AS place, * {between}", self._left):
                    yield row
                    self._pass(order, row["place"])
            except sqlite3.DatabaseError:
                self.torn = True
            try:
                row = self._source.execute(f"SELECT rowid AS place {between} LIMIT 1", self._left).fetchone()
            except sqlite3.DatabaseError:
                return
            if row is None:
                return
            self._pass(order, row["place"])

    @property
    def _left(self) -> tuple[int, int]:
        return self._after, self._before

    def _pass(self, order: Literal["ASC", "DESC"], place: int) -> None:
        if order == "ASC":
            self._after = place
        else:
            self._before = place


def _is_whole(table: str, row: sqlite3.Row) -> bool:
    """Tell whether a row is what was written, as far as it says so itself."""
    try:
        if table == "skills":
            skill = skill_of(row)
            return sha256_of(skill, skill.version) == skill.sha256
        if "body" in row.keys():  # noqa: SIM118 - a Row's `in` looks among its values
            loaded(row["body"])
    except (ValueError, TypeError):
        return False
    return True


def _index(cursor: sqlite3.Cursor) -> None:
    """Make words, tags and changes for everything that was copied, and drop what belongs to a skill that was not."""
    for table in ("admissions", "requirements", "transitions", "aliases", "exposures", "uses", "trials"):
        cursor.execute(f"DELETE FROM {table} WHERE skill NOT IN (SELECT id FROM skills)")  # noqa: S608
    for row in cursor.execute("SELECT * FROM skills").fetchall():
        index_skill(cursor, skill_of(row))
    for row in cursor.execute("SELECT * FROM workflows").fetchall():
        workflow = Workflow.model_validate(loaded(row["body"]))
        index_words(cursor, workflow_owner(workflow.id), workflow.template, workflow.intent, workflow.tags)
        note(cursor, workflow_owner(workflow.id), "put")
