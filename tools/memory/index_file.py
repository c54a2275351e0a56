"""`tools/index.json`: every skill in one file, for people and other programs, made from the database.

Counters live in the database; the file has them as they were at its `seq`, the line of the database's log that it knows.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.errors import StorageFailed
from tools.memory.locks import locked
from tools.memory.outbox import moved, waiting
from tools.memory.records import Evidence
from tools.memory.rows import loaded
from tools.storage import storage_failed, sweep, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
        try:
            if self.path.is_dir():
                raise IsADirectoryError(0, "a directory stands there")
            if self.path.parent.is_dir():
                sweep(self.path.parent)
        except OSError as error:
            raise storage_failed(error, self.path) from error
        with _reading(library) as (head, tools):
            write_atomic(self.path, _encoded(head, tools))
        moved(library.database, CURSOR, head["seq"])

    def _wrong(self, library: Library) -> list[str]:
        index = tools_index(library)
        tools = index.pop("tools")
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
        wanted = {entry["id"]: entry for entry in tools}
        # As text, because a NaN among the examples equals nothing.
        differing = sorted(
            name for name in wanted.keys() | entries.keys() if _line(wanted.get(name)) != _line(entries.get(name))
        )
        if differing:
            return [f"tools/index.json differs from the memory in {len(differing)} skills: {_few(differing)}"]
        return [] if content == b"".join(_encoded(index, tools)) else ["tools/index.json was changed"]


def tools_index(library: Library) -> dict[str, Any]:
    """What `tools/index.json` holds: every version of every skill, as one moment of the database has them.

    Raises:
        StorageFailed: the database cannot be read.
    """
    with _reading(library) as (head, tools):
        return {**head, "tools": list(tools)}


@contextmanager
def _reading(library: Library) -> Iterator[tuple[dict[str, Any], Iterator[dict[str, Any]]]]:
    """Give what the index says before its tools, and these one by one: of a large library, all take much memory."""
    with library.database.reading() as connection:
        connection.execute("BEGIN")
        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM changes WHERE op != 'vector'").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM skills").fetchone()
        yield {"format": FORMAT, "seq": seq, "count": count}, map(_entry, connection.execute(_TOOLS))


def _entry(row: Row) -> dict[str, Any]:
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
        "why": row["why"] or "",
        **said,
        "aliases": json.loads(row["aliases"]),
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
            "tests_by": body["plan"].get("tests by", ""),
        },
    }


def _encoded(head: dict[str, Any], tools: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One tool a line: quick to write, and to compare."""
    yield f'{json.dumps(head)[:-1]}, "tools": ['.encode()
    between = "\n"
    for entry in tools:
        yield f"{between}{_line(entry)}".encode()
        between = ",\n"
    yield b"\n]}\n"


def _line(entry: dict[str, Any] | None) -> str:
    return json.dumps(entry)


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


_TOOLS = """
    SELECT skills.*,
        (SELECT why FROM transitions WHERE skill = skills.id ORDER BY rowid DESC LIMIT 1) AS why,
        (SELECT json_group_array(name) FROM (SELECT name FROM aliases WHERE skill = skills.id ORDER BY name)) AS aliases
    FROM skills ORDER BY name, version
"""
