"""The points at which a client can be struck: every durable operation under its data directory, by name.

Each write, sync, rename, link, removal and commit is a point. It has a number, counted from 0, and a name that says
the operation, the file and what a log's line is about, such as `write ledger.jsonl done`. A strike comes before the
operation; a torn strike comes after half of the bytes of a write.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = ("state", "kind", "event", "task", "node")
_OBJECT = re.compile(r"objects\.git/objects/.*")
_RUN = re.compile(r"^runs/(\.?[\w-]{36})[^/]*/?")
_RANDOM = re.compile(r"(^|/)\.(?:millwright-tmp-\w+|(.+)\.\w{6,8})$")


@dataclass(frozen=True)
class Strike:
    """A signal at the point of that number, or at the nth (from 0) whose name matches the pattern.

    With `every`, also at every so many points after the number; there every second write of them is torn.
    """

    signal: str = "SIGKILL"
    number: int | None = None
    every: int = 0
    pattern: str = ""
    nth: int = 0
    torn: bool = False

    def hits(self, number: int, matched: int | None) -> bool:
        if self.number is None:
            return matched == self.nth
        past = number - self.number
        return past == 0 or (self.every > 0 < past and past % self.every == 0)

    def tears(self, number: int) -> bool:
        return number // self.every % 2 == 1 if self.every else self.torn


class Points:
    """Counts the points of this process, writes their names down, and strikes at one of them."""

    def __init__(self, home: str, trace: str, strike: Strike | None) -> None:
        self._home = os.path.realpath(home) + "/"
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._strike = strike
        self._numbers, self._matches = itertools.count(), itertools.count()
        self._lock = threading.Lock()
        self._write = os.write

    def install(self) -> None:
        """Watch this process from now on."""
        for name in ("fsync", "fdatasync", "ftruncate"):
            self._watch(name, lambda arguments: _opened(arguments[0]))
        for name in ("replace", "rename", "link"):
            self._watch(name, lambda arguments: arguments[1])
        for name in ("unlink", "mkdir"):
            self._watch(name, lambda arguments: arguments[0])
        self._watch_writes()
        self._watch_commits()

    def _watch(self, name: str, place: Callable[[Any], Any]) -> None:
        real = getattr(os, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            folder = options.get("dst_dir_fd", options.get("dir_fd"))
            self._reach(name, _joined(folder, place(arguments)))
            return real(*arguments, **options)

        setattr(os, name, watched)
        # What asks whether a function takes descriptors of directories asks for the function itself.
        for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if real in known:
                known.add(watched)

    def _watch_writes(self) -> None:
        def watched(descriptor: int, data: bytes) -> int:
            half = self._reach("write", _opened(descriptor), data)
            if half:
                written = self._write(descriptor, bytes(data)[: len(data) // 2])
                self._hit()
                return written + self._write(descriptor, bytes(data)[written:])
            return self._write(descriptor, data)

        os.write = watched

    def _watch_commits(self) -> None:
        reach, connect = self._reach, sqlite3.connect

        class Watched(sqlite3.Connection):
            def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
                super().__init__(database, *arguments, **options)
                self._file = str(Path(database).absolute())

            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if sql == "COMMIT":
                    reach("commit", self._file)
                return super().execute(sql, *arguments)

        sqlite3.connect = lambda *a, **o: connect(*a, **{"factory": Watched, **o})

    def _reach(self, operation: str, path: str, data: bytes = b"") -> bool:
        """Come to a point; tell whether the write there is to be torn."""
        if not path.startswith(self._home):
            return False
        name = f"{operation} {_named(path.removeprefix(self._home))}{_about(data)}"
        with self._lock:
            number = next(self._numbers)
            strike = self._strike
            matches = strike is not None and strike.number is None and re.search(strike.pattern, name)
            struck = strike is not None and strike.hits(number, next(self._matches) if matches else None)
            self._write(self._trace, f"{number} {name}\n".encode())
            if not struck:
                return False
            if data and strike.tears(number):
                return True
            self._hit()
            return False

    def _hit(self) -> None:
        os.kill(os.getpid(), getattr(signal, self._strike.signal))


def _opened(descriptor: Any) -> str:
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    return os.readlink(f"/proc/self/fd/{number}")


def _joined(folder: int | None, path: Any) -> str:
    return os.path.join(Path.cwd() if folder is None else _opened(folder), os.fspath(path))


def _named(path: str) -> str:
    """The path without what differs from run to run."""
    path = _OBJECT.sub("objects.git/*", _RUN.sub("", path))
    return _RANDOM.sub(lambda found: f"{found[1]}{found[2] or ''}~", path)


def _about(data: bytes) -> str:
    """What the last line of a log's write is about."""
    try:
        record = json.loads(bytes(data).splitlines()[-1]) if data else {}
    except (ValueError, IndexError):
        return ""
    words = [str(record[key]) for key in _KINDS if isinstance(record, dict) and record.get(key)]
    return "".join(f" {word}" for word in words)
