"""What SQLite and the disk report, told as `StorageFailed`: the file, the cause, the way out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.errors import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DAMAGED = (
    "nothing was changed; read what can be read with the sqlite3 command `.recover`, "
    "or move the file aside (with its -wal and -shm) to start with an empty one"
)
_DENIED = "make the file and its directory writable, or set MILLWRIGHT_HOME elsewhere, then resume"
# Primary result codes, https://www.sqlite.org/rescode.html
_WAY_OUT = {
    sqlite3.SQLITE_BUSY: "another process holds its write lock: end that process, then resume",
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_FULL: "free some space on that disk, then resume",
    sqlite3.SQLITE_IOERR: "check that disk for space and errors, then resume",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_ERROR: "it may belong to another program: move it aside, or set MILLWRIGHT_HOME elsewhere",
}
_OURS = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.NotSupportedError, sqlite3.DataError)
_METADATA = (json.JSONDecodeError, UnicodeDecodeError)


@contextmanager
def told(path: Path, damaged: str = _DAMAGED) -> Iterator[None]:
    """Raise `StorageFailed` for what goes wrong with the database at `path`; misuse of SQLite passes unchanged.

    `damaged` is the way out if the file is not what was written.
    """
    try:
        yield
    except _OURS:
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        way_out = _WAY_OUT.get(code, "check the file and its disk, then resume")
        raise _failed(path, str(error), damaged if way_out == _DAMAGED else way_out) from error
    except _METADATA as error:
        raise _failed(path, f"a row cannot be decoded: {error}", damaged) from error
    except OSError as error:
        raise _failed(path, error.strerror or str(error), _DENIED) from error


def undecodable(path: Path, cause: Exception) -> StorageFailed:
    """Return the error for a row whose content is not what was written."""
    return _failed(path, f"a row cannot be decoded: {cause}", _DAMAGED)


def _failed(path: Path, cause: str, way_out: str) -> StorageFailed:
    return StorageFailed(f"The database {str(path)!r} cannot be used ({cause}): {way_out}.")
