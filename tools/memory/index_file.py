"""`tools/index.json`: every skill in one file, for people and other programs, made from the database.

Counters live in the database; the file has them as they were at its `seq`, the line of the database's log that it knows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.errors import StorageFailed
from tools.memory.locks import locked
from tools.memory.outbox import moved, waiting
from tools.memory.records import Evidence
from tools.memory.rows import loaded
from tools.storage import storage_failed, sweep, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.database import Row
    from tools.memory.library import Library

CURSOR = "index"
FORMAT = 1
_SHARE = 100
_MOST_NAMED = 3
_SAID = ("tool_type", "description", "entry", "tags", "requires", "family", "source")


class IndexFile:
    """The index of one data directory; processes that keep it take turns."""

    def __init__(self, home: Path) -> None:
        """Name the file; nothing is made yet."""
        self.path = home / "tools" / "index.json"
        self._lock = home / "memory" / "index.lock"

    def catch_up(self, library: Library, *, at_once: bool = True) -> bool:
        """Write the file anew if something changed; tell whether it was.

        Not `at_once`: only once a hundredth of its entries changed, so that a large library is not written out for
        each skill.

        Raises:
            StorageFailed: the disk refused; the old file is untouched.
        """
        if not self._is_behind(library, at_once):
            return False
        with locked(self._lock):
            if not self._is_behind(library, at_once):
                return False
            self._write(library)
        return True

    def faults(self, library: Library) -> list[str]:
        """How the file differs from the database: a sentence, or none."""
        with locked(self._lock):
            return self._wrong(library)

    def repair(self, library: Library) -> list[str]:
        """Put the file right; return how it differed.

        Raises:
            StorageFailed: the disk refused.
        """
        self.catch_up(library)
        with locked(self._lock):
            wrong = self._wrong(library)
            if wrong:
                self._write(library)
        return wrong

    def _is_behind(self, library: Library, at_once: bool) -> bool:
        if not self.path.is_file():
            return True
        count = waiting(library.database, CURSOR)
        if at_once or count == 0:
            return count > 0
        (row,) = library.database.read("SELECT count(*) FROM skills")
        return count * _SHARE >= int(row[0])

    def _write(self, library: Library) -> None:
        index = tools_index(library)
        try:
            if self.path.is_dir():
                raise IsADirectoryError(0, "a directory stands there")
            if self.path.parent.is_dir():
                sweep(self.path.parent)
        except OSError as error:
            raise storage_failed(error, self.path) from error
        write_atomic(self.path, _encoded(index))
        moved(library.database, CURSOR, index["seq"])

    def _wrong(self, library: Library) -> list[str]:
        index = tools_index(library)
        try:
            content = self.path.read_bytes()
            there = json.loads(content)
            entries = {entry["id"]: entry for entry in there["tools"]}
        except FileNotFoundError:
            return ["tools/index.json is missing"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            return [f"tools/index.json cannot be read ({type(error).__name__}: {error})"]
        if there.get("seq") != index["seq"]:
            return [f"tools/index.json is of change {there.get('seq')}, the memory of {index['seq']}"]
        wanted = {entry["id"]: entry for entry in index["tools"]}
        # As text, because a NaN among the examples equals nothing.
        differing = sorted(
            name for name in wanted.keys() | entries.keys() if _line(wanted.get(name)) != _line(entries.get(name))
        )
        if differing:
            return [f"tools/index.json differs from the memory in {len(differing)} skills: {_few(differing)}"]
        return [] if content == _encoded(index) else ["tools/index.json was changed"]


def tools_index(library: Library) -> dict[str, Any]:
    """What `tools/index.json` holds: every version of every skill, as one moment of the database has them.

    Raises:
        StorageFailed: the database cannot be read.
    """
    with library.database.reading() as connection:
        connection.execute("BEGIN")
        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM changes WHERE op != 'vector'").fetchone()
        aliases: dict[str, list[str]] = {}
        for row in connection.execute("SELECT skill, name FROM aliases ORDER BY name"):
            aliases.setdefault(row["skill"], []).append(row["name"])
        reasons = {
            row["skill"]: row["why"] for row in connection.execute("SELECT * FROM transitions ORDER BY rowid")
        }
        entries = [
            _entry(row, aliases.get(row["id"], []), reasons.get(row["id"], ""))
            for row in connection.execute("SELECT * FROM skills ORDER BY name, version")
        ]
    return {"format": FORMAT, "seq": seq, "count": len(entries), "tools": entries}


def _entry(row: Row, aliases: list[str], why: str) -> dict[str, Any]:
    try:
        body = loaded(row["body"])
        evidence = Evidence.model_validate(body["evidence"])
        said = {name: body[name] for name in _SAID}
        signature = {"parameters": body["parameters"], "returns": body["returns"]}
    except (ValueError, KeyError) as error:
        raise StorageFailed(
            f"the row of skill {row['id']!r} in the memory cannot be decoded ({error}); forget that skill: "
            f"`millwright memory forget {row['id']}`"
        ) from error
    return {
        **{name: row[name] for name in ("id", "name", "version", "state")},
        "why": why,
        **said,
        "aliases": aliases,
        "signature": signature,
        "sha256": row["sha256"],
        "evidence": {
            **evidence.model_dump(),
            "mutation_score": evidence.mutation_score,
            "uses": row["uses"],
            "successes": row["successes"],
            "trials": row["trials"],
            "won": row["won"],
        },
        "provenance": {
            "run": body["run"],
            "task": body["task"],
            "created": row["created"],
            "proved": body["proved"],
        },
    }


def _encoded(index: dict[str, Any]) -> bytes:
    """One tool a line: quick to write, and to compare."""
    tools = ",\n".join(_line(entry) for entry in index["tools"])
    head = json.dumps({name: value for name, value in index.items() if name != "tools"})
    return f'{head[:-1]}, "tools": [\n{tools}\n]}}\n'.encode()


def _line(entry: dict[str, Any] | None) -> str:
    return json.dumps(entry)


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
