"""What a run knows of its work: an append-only log of keyed values, read along the run's own history.

The graph's state holds only a position; plans, outcomes, callbacks, blockers and verdicts stand here, written once.
One line holds what one task of one step found out. A task that runs again after a crash does not see its own line,
and replaces it; lines of abandoned branches are passed over.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tools.redaction import redacted
from tools.storage import JsonLines, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tools.runs.lineage import Lineage, Position

Change = tuple[str, str, Any]
Tables = dict[str, dict[str, Any]]


class Register:
    """Keyed values of one run, by table."""

    def __init__(self, path: Path, lineage: Lineage) -> None:
        """Open the log; `lineage` tells which of its lines count."""
        self._lines = JsonLines(path, durable=True)
        self._lineage = lineage
        self._lock = threading.Lock()
        self._records: dict[tuple[int, int, str], Record] = {}
        self._tables: Tables = {}
        self._folded: tuple[int, int] = (-1, -1)
        for record in self._lines:
            self._replace(record)

    def write(self, place: Position, task: str, changes: Iterable[Change]) -> None:
        """Set values as one task's finding at one point; a value of None removes the key."""
        found = redacted([list(change) for change in changes])
        record = {"branch": place.branch, "step": place.step, "task": task, "set": found}
        with self._lock:
            self._lines.append(record)
            self._replace(record)

    def redo(self, place: Position, task: str) -> None:
        """Take back what a task wrote at this point before its process died: done again, it finds what it found then."""
        with self._lock:
            self._drop((place.branch, place.step, task))

    def read(self) -> Mapping[str, Mapping[str, Any]]:
        """Every table as the current branch knows it; values are as written."""
        with self._lock:
            branch, count = self._folded
            if branch != self._lineage.branch:
                self._tables, count = {}, 0
            for record in list(self._records.values())[count:]:
                if self._lineage.includes(record["branch"], record["step"]):
                    self._apply(record)
            self._folded = (self._lineage.branch, len(self._records))
            return {name: dict(table) for name, table in self._tables.items()}

    def close(self) -> None:
        """Give the file back."""
        self._lines.close()

    def _replace(self, record: Record) -> None:
        self._drop(self._key(record))
        self._records[self._key(record)] = record

    def _drop(self, key: tuple[int, int, str]) -> None:
        if self._records.pop(key, None) is not None:
            self._folded = (-1, -1)

    def _apply(self, record: Record) -> None:
        for table, key, value in record["set"]:
            rows = self._tables.setdefault(table, {})
            rows.pop(key, None)
            if value is not None:
                rows[key] = value

    @staticmethod
    def _key(record: Record) -> tuple[int, int, str]:
        return record["branch"], record["step"], record["task"]
