"""The ledger: an append-only, hash-chained record of every file operation and every command.

Each record names the hash of the line before it, so that a line that was removed, added or changed shows. A file
operation is written twice: as `intent` before the disk is touched, and as `done` when the new bytes were read back.
After a crash the intent tells which of the two states the file must be in, so no finished write is ever repeated.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import ProofBroken
from tools.events import now
from tools.storage import JsonLines, Record, canonical, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Operation = Literal["write", "edit", "delete", "move", "restore"]
GENESIS = "0" * 64


def sha256(content: bytes) -> str:
    """The hash that the ledger keeps of a content, in hex."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Actor:
    """Who acts: a role, the assignment it works on, and which attempt that is."""

    role: str
    assignment: str = ""
    attempt: int = 0


@dataclass(frozen=True)
class FileOperation:
    """One change of one file; `before` and `after` are SHA-256 in hex, or None where there is no file."""

    op: Operation
    path: str
    before: str | None
    after: str | None
    size: int
    actor: Actor
    key: str
    target: str | None = None
    executes_on: str | None = None

    def record(self) -> Record:
        """The ledger's fields of this operation."""
        return asdict(self)

    @classmethod
    def of(cls, record: Record) -> FileOperation:
        """The operation that a line of the ledger is about."""
        known = {field.name: record[field.name] for field in fields(cls)}
        return cls(**{**known, "actor": Actor(**record["actor"])})


class Ledger:
    """Writes and reads one run's ledger."""

    def __init__(self, path: Path) -> None:
        """Open the ledger and read what it holds."""
        self._lines = JsonLines(path, durable=True)
        self._lock = threading.RLock()
        self._head = GENESIS
        self._seq = 0
        self._files: dict[str, str | None] = {}
        self._writers: dict[str, Record] = {}
        self._done: dict[str, Record] = {}
        self._intents: dict[str, Record] = {}
        self._commands: list[Record] = []
        for record in self._lines:
            self._fold(record)

    def intend(self, operation: FileOperation) -> None:
        """Record what is about to happen to a file."""
        self._append({**operation.record(), "state": "intent"})

    def settle(self, operation: FileOperation) -> Record:
        """Record that the operation is on disk, read back and as intended."""
        return self._append({**operation.record(), "state": "done"})

    def void(self, operation: FileOperation, why: str) -> None:
        """Record that an intended operation did not happen."""
        self._append({**operation.record(), "state": "void", "why": why})

    def command(self, **details: Any) -> Record:
        """Record a command that was run: argv, exit_code, output_sha256, level, tree, purpose and who."""
        return self._append({"op": "command", **details})

    def done(self, key: str) -> Record | None:
        """The finished operation of this key, if there is one."""
        return self._done.get(key)

    def intent(self, key: str) -> Record | None:
        """The operation of this key that was begun and neither finished nor voided."""
        return self._intents.get(key)

    def files(self) -> dict[str, str | None]:
        """The last known hash per path; None where the ledger saw the file deleted."""
        return dict(self._files)

    def last_write(self, path: str) -> Record | None:
        """The last finished operation that touched `path`."""
        return self._writers.get(path)

    def open_intents(self) -> list[Record]:
        """Operations that a killed process began and did not finish."""
        return list(self._intents.values())

    def commands(self) -> list[Record]:
        """Every recorded command, oldest first."""
        return list(self._commands)

    def operations(self, *, assignment: str, attempt: int | None = None) -> Iterator[Record]:
        """The finished file operations of one assignment (of one attempt of it)."""
        for record in list(self._done.values()):  # other agents may be writing meanwhile
            actor = record["actor"]
            if actor["assignment"] == assignment and attempt in (None, actor["attempt"]):
                yield record

    @property
    def head(self) -> str:
        """The hash of the last line: it stands for the whole ledger."""
        return self._head

    def close(self) -> None:
        """Give the file back."""
        self._lines.close()

    def _append(self, details: Record) -> Record:
        with self._lock:
            record = {"seq": self._seq + 1, "prev": self._head, "at": now(), **details}
            self._lines.append(record)
            self._fold(record)
            return record

    def _fold(self, record: Record) -> None:
        self._seq = record["seq"]
        self._head = sha256(canonical(record))
        if record["op"] == "command":
            self._commands.append(record)
        elif record["state"] == "intent":
            self._intents[record["key"]] = record
        else:
            self._intents.pop(record["key"], None)
            if record["state"] == "done":
                self._fold_file(record)

    def _fold_file(self, record: Record) -> None:
        self._done[record["key"]] = record
        if record["op"] == "move":
            self._files[record["path"]] = None
            self._files[record["target"]] = record["after"]
            self._writers[record["target"]] = record
        else:
            self._files[record["path"]] = record["after"]
        self._writers[record["path"]] = record


def check_chain(path: Path) -> str:
    """Recheck every link of a ledger file and return its head.

    Raises:
        ProofBroken: naming the first line that does not follow from the one before it.
    """
    head, seq = GENESIS, 0
    try:
        for record, _ in read_lines(path):
            if not isinstance(record, dict) or record.get("prev") != head or record.get("seq") != seq + 1:
                raise ProofBroken(
                    f"ledger line {seq + 1} does not follow from the line before it: a line was changed or removed"
                )
            head, seq = sha256(canonical(record)), seq + 1
    except ValueError as error:
        raise ProofBroken(f"ledger line {seq + 1} is not JSON: {error}") from error
    return head
