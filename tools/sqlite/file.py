"""The database file: born whole, in WAL mode, and readable by its owner alone."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from tools.storage import sync_directory

WAIT = 30.0
"""Seconds that a connection waits for another process's write lock."""


def prepare(path: Path) -> None:
    """Create the database if it is not there, and close it to others if it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _publish(path)
    for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            if part.stat().st_mode & 0o077:
                part.chmod(0o600)


def _publish(path: Path) -> None:
    # Two processes that switch one new file to WAL at once get "database is locked" whatever they would wait;
    # and opening an existing database's file by hand would drop this process's locks on it. So: made aside, linked.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name)) as database:
            database.execute("PRAGMA auto_vacuum=INCREMENTAL")
            database.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
    sync_directory(path.parent)
