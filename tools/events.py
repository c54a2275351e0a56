"""The one event log of a run: everything that happened, in full, in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tools.redaction import redacted
from tools.storage import JsonLines, Record, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_listener: ContextVar[Callable[[Record], None] | None] = ContextVar("event_listener", default=None)


class Kind(StrEnum):
    """What an event tells."""

    RUN_STARTED = "RUN_STARTED"
    RUN_FINISHED = "RUN_FINISHED"
    RUN_SUSPENDED = "RUN_SUSPENDED"
    STEP = "STEP"
    FORK = "FORK"
    PLAN = "PLAN"
    ASSIGNMENT_STARTED = "ASSIGNMENT_STARTED"
    ASSIGNMENT_FINISHED = "ASSIGNMENT_FINISHED"
    FILE_OPERATION = "FILE_OPERATION"
    TOOL_CALL = "TOOL_CALL"
    TOOL_EXECUTION_ERROR = "TOOL_EXECUTION_ERROR"
    MODEL_CALL = "MODEL_CALL"
    MODEL_FAILURE = "MODEL_FAILURE"
    MEMORY_FAILURE = "MEMORY_FAILURE"
    SKILLS_OFFERED = "SKILLS_OFFERED"
    CALLBACK = "CALLBACK"
    BLOCKER = "BLOCKER"
    BLOCKER_CLOSED = "BLOCKER_CLOSED"
    REVIEW = "REVIEW"
    SANDBOX = "SANDBOX"
    COMMAND = "COMMAND"
    VERDICT = "VERDICT"
    DELIVERED = "DELIVERED"
    DECISION = "DECISION"
    PROVED = "PROVED"
    EXAM = "EXAM"
    ADMITTED = "ADMITTED"


def now() -> str:
    """The time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextlib.contextmanager
def listening(listener: Callable[[Record], None]) -> Iterator[None]:
    """Hand every event that is emitted inside this context to `listener` as well."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class EventLog:
    """Appends events to a run's `events.jsonl`; nothing is ever cut."""

    def __init__(self, path: Path) -> None:
        """Open the log and go on counting where it ended."""
        self._lines = JsonLines(path, durable=False)
        self._lock = threading.Lock()
        self._seq = sum(1 for _ in self._lines)

    def emit(self, event: Kind, /, **data: Any) -> Record:
        """Write one event, with secrets taken out, and tell the listener.

        Raises:
            StorageFailed: the log cannot be written.
        """
        with self._lock:
            # Counted when it is written: a disk that refuses leaves no gap.
            record: Record = {"seq": self._seq + 1, "at": now(), "event": str(event), **redacted(data)}
            self._lines.append(record)
            self._seq += 1
        listener = _listener.get()
        if listener is not None:
            listener(record)
        return record

    def error(self, event: Kind, error: BaseException, /, **data: Any) -> Record:
        """Write an event about an exception: its type, its message and its whole traceback."""
        return self.emit(
            event,
            error=type(error).__name__,
            message=str(error),
            traceback="".join(traceback.format_exception(error)),
            **data,
        )

    async def aemit(self, event: Kind, /, **data: Any) -> Record:
        """Write one event as `emit` does, without blocking the event loop."""
        return await asyncio.to_thread(self.emit, event, **data)

    async def aerror(self, event: Kind, error: BaseException, /, **data: Any) -> Record:
        """Write an event about an exception as `error` does, without blocking the event loop."""
        return await asyncio.to_thread(self.error, event, error, **data)

    def close(self) -> None:
        """Give the file back."""
        self._lines.close()


def read_events(path: Path) -> Iterator[Record]:
    """Yield the events of a log, also of one that is still being written."""
    return (event for event, _ in read_lines(path))
