"""`nodes/<id>/`: every skill as files to read, made from the database.

`main.py`, `test.py` and `interface.json` are there for people and other programs. Nothing here is ever read back or
executed: what stands here is compared with the database, and put right.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING

from tools.memory.locks import locked
from tools.memory.outbox import moved, pending, rewound
from tools.memory.rows import COLUMNS, skill_of
from tools.runs.home import watched
from tools.storage import storage_failed, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.memory.library import Library
    from tools.memory.outbox import Change
    from tools.memory.records import Skill

CURSOR = "nodes"
_AT_ONCE = 500
_FEW = 8
_KIND = "skill:"
_ASIDE = ".new"


class Nodes:
    """The directory of skills of one data directory; processes that keep it take turns."""

    def __init__(self, home: Path) -> None:
        """Name the directory; nothing is made yet."""
        self.folder = home / "nodes"
        self._lock = home / "memory" / "nodes.lock"

    def catch_up(self, library: Library) -> int:
        """Do what the database's log says since the last time; return how many skills were looked at.

        A server that starts anew at every Python file that is written here leaves it to the next process.

        Raises:
            StorageFailed: the disk refused; it is tried again the next time.
        """
        if watched(self.folder.parent) or (self.folder.is_dir() and not pending(library.database, CURSOR, 1)):
            return 0
        done = 0
        with locked(self._lock):
            if not self.folder.is_dir():
                rewound(library.database, CURSOR)
            while changes := pending(library.database, CURSOR, _AT_ONCE):
                done += self._apply(library, changes)
                moved(library.database, CURSOR, changes[-1].seq)
        return done

    def faults(self, library: Library) -> list[str]:
        """What differs from the database, a sentence each: missing, changed, and what is nobody's. Reads every file."""
        with locked(self._lock):
            return [sentence for _, sentence in self._wrong(library)]

    def repair(self, library: Library) -> list[str]:
        """Put right what differs from the database; return what did.

        Raises:
            StorageFailed: the disk refused.
        """
        self.catch_up(library)
        with locked(self._lock):
            wrong = list(self._wrong(library))
            for name, _ in wrong:
                self._make(name, _skill(library, name))
        return [sentence for _, sentence in wrong]

    def _apply(self, library: Library, changes: list[Change]) -> int:
        told = [owner for _, owner, op in changes if op in ("put", "delete")]
        names = [owner.removeprefix(_KIND) for owner in told if owner.startswith(_KIND)]
        # Syncing file by file takes tens of times as long as syncing the disk once.
        many = len(names) > _FEW
        for name in names:
            self._make(name, _skill(library, name), durable=not many)
        if many:
            os.sync()
        return len(names)

    def _make(self, name: str, skill: Skill | None, *, durable: bool = True) -> None:
        """Make an entry of the directory what the database says: these files, or nothing."""
        place = self.folder / name
        try:
            if skill is None:
                _remove(place)
            elif _difference(place, files := _files(skill)):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _remove(place)
                _publish(files, place, durable=durable)
        except OSError as error:
            raise storage_failed(error, place) from error

    def _wrong(self, library: Library) -> Iterator[tuple[str, str]]:
        """Every entry that is not as the database has it, and how it differs."""
        there = set(os.listdir(self.folder)) if self.folder.is_dir() else set()  # noqa: PTH208 - names are enough
        for (name,) in library.database.read("SELECT id FROM skills ORDER BY id"):
            there.discard(name)
            skill = _skill(library, name)
            if skill is not None and (difference := _difference(self.folder / name, _files(skill))):
                yield name, f"nodes/{name}: {difference}"
        for name in sorted(there):
            yield name, f"nodes/{name}: no skill of that id is in the memory"


def _skill(library: Library, name: str) -> Skill | None:
    rows = library.database.read(f"SELECT {COLUMNS} FROM skills WHERE id = ?", (name,))  # noqa: S608
    return skill_of(rows[0]) if rows else None


def _files(skill: Skill) -> dict[str, bytes]:
    interface = json.dumps(skill.interface, indent=2, ensure_ascii=False).encode(errors="backslashreplace")
    return {"main.py": skill.code.encode(), "test.py": skill.tests.encode(), "interface.json": interface + b"\n"}


def _difference(place: Path, files: dict[str, bytes]) -> str:
    """How a directory differs from what it should hold; empty if it does not. Follows no link."""
    if place.is_symlink() or not place.is_dir():
        return "is missing" if not os.path.lexists(place) else "is no directory"
    there = set(os.listdir(place))  # noqa: PTH208
    for name, content in files.items():
        path = place / name
        if name not in there:
            return f"{name} is missing"
        if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
            return f"{name} was changed"
    extra = sorted(there - set(files))
    return f"{extra[0]!r} is none of its files" if extra else ""


def _publish(files: dict[str, bytes], place: Path, *, durable: bool) -> None:
    """Make a directory aside and give it its name: it is there with all its files, or not at all."""
    # One name is enough, for only who holds the lock comes here; what a killed process left is taken away.
    aside = place.with_name(_ASIDE)
    _remove(aside)
    aside.mkdir(mode=0o700)
    for name, content in files.items():
        descriptor = os.open(aside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    if durable:
        sync_directory(aside)
    aside.rename(place)
    if durable:
        sync_directory(place.parent)


def _remove(place: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if place.is_symlink() or not place.is_dir():
            place.unlink()
        else:
            shutil.rmtree(place)
