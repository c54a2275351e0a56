"""One driver per run: every write shares its transaction with the check that the run is ours."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from millwright.checkpoints.driver import Driver, this_process
from tools.errors import Fenced, StorageFailed
from tools.sqlite.faults import told
from tools.sqlite.file import WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DRIVERS = """CREATE TABLE IF NOT EXISTS drivers (
    thread_id TEXT PRIMARY KEY, token TEXT NOT NULL, machine TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL, released INTEGER NOT NULL)"""


class Fence:
    """The connection that writes, and its memory of which threads it drives. Thread-safe; every call may block."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, which must exist. Raises `StorageFailed`."""
        self.path = path
        self._token = uuid4().hex
        self._mine: set[str] = set()
        self._lost: set[str] = set()
        self._lock = threading.Lock()
        with told(path):
            self._database = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                self._database.execute("PRAGMA synchronous=FULL")
                self._database.execute(_DRIVERS)
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        """Release every thread that is still driven from here, and close the connection."""
        with self._lock:
            # A release that the disk refuses is no loss: the end of this process says the same.
            with suppress(StorageFailed):
                if self._mine:
                    self._mine.clear()
                    with self._transaction() as database:
                        database.execute("UPDATE drivers SET released = 1 WHERE token = ?", (self._token,))
            self._database.close()

    @contextmanager
    def driving(self, thread_id: str) -> Iterator[sqlite3.Connection]:
        """Yield a transaction that writes as the thread's driver, becoming it first. Raises `Fenced`."""
        with self._lock:
            with self._transaction() as database:
                if not self.allows(database, thread_id):
                    self._register(database, thread_id)
                yield database
            self._mine.add(thread_id)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction that changes threads without driving them; ask `allows` for each of them."""
        with self._lock, self._transaction() as database:
            yield database

    @contextmanager
    def unfenced(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, outside a transaction, for what no driver needs to be asked about."""
        with self._lock, told(self.path):
            yield self._database

    def allows(self, database: sqlite3.Connection, thread_id: str) -> bool:
        """Return whether this is the thread's driver. Raises `Fenced` if it may not even become it."""
        owner = _owner(database, thread_id)
        if owner and owner.token == self._token:
            return not owner.released
        if thread_id in self._mine or thread_id in self._lost:
            self._lost.add(thread_id)
            raise Fenced(
                f"Thread {thread_id!r} was taken over{f' by process {owner.pid}' if owner else ''}: "
                "this process may not write to it again; resume it from a new one."
            )
        if owner and not owner.released and owner.alive:
            raise Fenced(
                f"Thread {thread_id!r} is driven by process {owner.pid}, which is alive as far as can be seen from "
                "here: let it finish, end it, or take the thread over."
            )
        return False

    def claim(self, thread_id: str) -> bool:
        """Become the driver, and say whether this was not the driver before. Raises `Fenced`."""
        known = thread_id in self._mine
        with self.driving(thread_id):
            return not known

    def take_over(self, thread_id: str) -> None:
        """Become the driver by force: whoever drove the thread is refused from now on."""
        with self._lock:
            with self._transaction() as database:
                self._register(database, thread_id)
            self._lost.discard(thread_id)
            self._mine.add(thread_id)

    def release(self, thread_id: str) -> None:
        """Let another process drive the thread; nothing happens when this one does not."""
        with self._lock:
            self._mine.discard(thread_id)
            with self._transaction() as database:
                database.execute(
                    "UPDATE drivers SET released = 1 WHERE thread_id = ? AND token = ?", (thread_id, self._token)
                )

    def driver(self, thread_id: str) -> Driver | None:
        """Return who drives the thread, or None when nobody that lives does."""
        with self.unfenced() as database:
            owner = _owner(database, thread_id)
        return owner if owner and not owner.released and owner.alive else None

    def gone(self, thread_id: str) -> bool:
        """Return whether a process has driven the thread, and no longer does."""
        with self.unfenced() as database:
            owner = _owner(database, thread_id)
        return owner is not None and (bool(owner.released) or not owner.alive)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with told(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _register(self, database: sqlite3.Connection, thread_id: str) -> None:
        us = this_process(self._token)
        database.execute(
            "INSERT OR REPLACE INTO drivers (thread_id, token, machine, pid, started, released) "
            "VALUES (?, ?, ?, ?, ?, 0)",
            (thread_id, us.token, us.machine, us.pid, us.started),
        )


def _owner(database: sqlite3.Connection, thread_id: str) -> Driver | None:
    query = "SELECT token, machine, pid, started, released FROM drivers WHERE thread_id = ?"
    row = database.execute(query, (thread_id,)).fetchone()
    return Driver(*row) if row else None
