"""What can still be read of a damaged memory database, in a new file beside it; the damaged one is not touched.

Rows are asked for one by one, so a page that cannot be read costs the rows that stand on it and no others. A skill
counts only if its code, tests and interface have their SHA-256.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import StorageFailed
from tools.memory.database import Database
from tools.memory.library import index_skill
from tools.memory.outbox import note, workflow_owner
from tools.memory.records import Workflow
from tools.memory.rows import index_words, loaded, skill_of, whole
from tools.sqlite.faults import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Words, tags and changes are made anew; cursors are not kept, so every projection is made anew.
_TABLES = (
    *("skills", "admissions", "requirements", "transitions", "aliases", "exposures", "uses", "trials"),
    *("runs", "efforts", "workflows", "vectors"),
)

_NO_BOUND = 2**63 - 1
_GIVE_UP = 10_000
"""So many places in a row without a row are the end of a table whose end cannot be read."""


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
        # Without it SQLite reads nothing of a file that is shorter than its header says.
        source.execute("PRAGMA writable_schema = ON")
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
        self.torn = False

    def __iter__(self) -> Iterator[sqlite3.Row]:
        last = self._last()
        place = missed = 0
        while place < last and missed < _GIVE_UP:
            place += 1
            row = self._row(place)
            missed = missed + 1 if row is None else 0
            if row is not None:
                yield row

    def _last(self) -> int:
        """The place of the last row; if that cannot be read, no bound."""
        try:
            (last,) = self._source.execute(f"SELECT max(rowid) FROM {self._table}").fetchone()  # noqa: S608
        except sqlite3.DatabaseError:
            self.torn = True
            return _NO_BOUND
        return int(last or 0)

    def _row(self, place: int) -> sqlite3.Row | None:
        try:
            row: sqlite3.Row | None = self._source.execute(
                f"SELECT * FROM {self._table} WHERE rowid = ?",  # noqa: S608
                (place,),
            ).fetchone()
        except sqlite3.DatabaseError:
            self.torn = True
            return None
        return row


def _is_whole(table: str, row: sqlite3.Row) -> bool:
    """Tell whether a row is what was written, as far as it says so itself."""
    try:
        if table == "skills":
            whole(skill_of(row))
        if "body" in row.keys():  # noqa: SIM118 - a Row's `in` looks among its values
            loaded(row["body"])
    except (StorageFailed, ValueError, TypeError):
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
