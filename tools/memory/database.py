"""The memory's database: one SQLite file that several threads and processes share.

WAL, `synchronous=FULL`: a transaction that was committed survives a power cut. Writers queue for the one write lock for
up to 30 s; readers never wait. `secure_delete`: what is deleted is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tools.errors import StorageFailed
from tools.memory.schema import APPLICATION_ID, MIGRATIONS
from tools.sqlite.faults import told
from tools.sqlite.file import WAIT, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Row = sqlite3.Row

_DAMAGED = (
    "nothing was changed; `millwright memory doctor` saves what can be read to a copy, "
    "or move the file aside (with its -wal and -shm) to start with an empty one"
)


class Database:
    """The open file; safe to share between threads, and to hold across a fork."""

    def __init__(self, path: Path) -> None:
        """Open `path`, or make it, and bring its tables up to date.

        Raises:
            StorageFailed: not to be read or written, damaged, of another program or of a newer Millwright.
        """
        self.path = path.absolute()
        self._lock = threading.Lock()
        self._writing = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._pid = os.getpid()
        self._inherited: list[Any] = []
        self._closed = False
        with told(self.path, _DAMAGED):
            prepare(self.path)
        self._migrate()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """Give a cursor in a transaction that holds the write lock: all of it is kept, or nothing.

        Raises:
            StorageFailed: the disk refused, or another process kept the lock for 30 s; nothing was changed.
        """
        self._leave_the_parents()
        with self._writing, told(self.path, _DAMAGED):
            if self._writer is None:
                self._writer = self._connect()
            writer = self._writer
            writer.execute("BEGIN IMMEDIATE")
            try:
                with closing(writer.cursor()) as cursor:
                    yield cursor
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    def read(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """The rows of one query, as the last commit left them.

        Raises:
            StorageFailed: the file cannot be read.
        """
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that only reads; between `BEGIN` and `COMMIT` it sees one state of the database."""
        self._leave_the_parents()
        with told(self.path, _DAMAGED):
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect(reads_only=True)
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def scrub(self) -> None:
        """Leave no copy of deleted rows in the write-ahead log, once no other connection reads from it.

        Raises:
            StorageFailed: others kept reading for 30 s; the log is emptied when the last of them closes.
        """
        with self._writing, told(self.path, _DAMAGED):
            if self._writer is None:
                self._writer = self._connect()
            busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageFailed(
                f"deleted, but another process reads {str(self.path)!r}, whose log still holds a copy: "
                f"it goes when that process ends"
            )

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file, a sentence each; an empty list is a sound database. Reads all of it."""
        try:
            with closing(self._connect()) as connection:
                found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
                connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Close every connection; the last process to do so folds the log into the file."""
        self._leave_the_parents()
        with self._writing, self._lock:
            self._closed = True
            for connection in (*self._idle, self._writer):
                if connection is not None:
                    connection.close()
            self._idle, self._writer = [], None

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _leave_the_parents(self) -> None:
        """A child of a fork must not use, nor close, its parent's connections: https://www.sqlite.org/howtocorrupt.html."""
        if self._pid != os.getpid():
            self._inherited.append((self._idle, self._writer))
            self._idle, self._writer, self._pid = [], None, os.getpid()
            self._lock, self._writing = threading.Lock(), threading.RLock()

    def _connect(self, *, reads_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if reads_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _migrate(self) -> None:
        """Do what is missing of `MIGRATIONS`, all of it or nothing."""
        (known,) = self.read("PRAGMA user_version")[0]
        if known == len(MIGRATIONS) and self._is_ours():
            return
        with self.transaction() as cursor:
            # Another process may have done it while this one waited for the lock.
            (done,) = cursor.execute("PRAGMA user_version").fetchone()
            if done > len(MIGRATIONS):
                raise StorageFailed(
                    f"the memory database {str(self.path)!r} was written by a newer Millwright (schema {done}, this "
                    f"one knows {len(MIGRATIONS)}): install that version, or set MILLWRIGHT_HOME elsewhere"
                )
            if not self._is_ours():
                raise StorageFailed(
                    f"{str(self.path)!r} is a database of another program: move it aside, "
                    f"or set MILLWRIGHT_HOME elsewhere"
                )
            for migration in MIGRATIONS[done:]:
                for statement in migration:
                    cursor.execute(statement)
            cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            cursor.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _is_ours(self) -> bool:
        """Tell whether Millwright wrote the file, or nobody did yet."""
        (owner,) = self.read("PRAGMA application_id")[0]
        (tables,) = self.read("SELECT count(*) FROM sqlite_schema")[0]
        return bool(owner == APPLICATION_ID or tables == 0)
