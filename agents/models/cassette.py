"""Answers from a recording instead of a model."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from agents.models.journal import Answered, Request, answered, body, first_difference, read_cassette
from tools.errors import CassetteDivergence

if TYPE_CHECKING:
    from pathlib import Path

    from tools.storage import Record


class CassettePlayer:
    """Answers each request as the recorded run was answered, and refuses one that differs."""

    def __init__(self, path: Path) -> None:
        """Read a cassette file.

        Raises:
            CassetteError, CassetteVersion: it cannot be read.
        """
        self.path = path
        self.header, lines = read_cassette(path)
        self.end: Record = next((line for line in reversed(lines) if line["kind"] == "end"), {})
        self._messages: dict[str, Record] = {x["sha"]: x["body"] for x in lines if x["kind"] == "message"}
        self._calls: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self._choices: dict[str, list[Record]] = defaultdict(list)
        for line in lines:
            if line["kind"] == "call":
                self._calls[line["scope"], line["turn"]].append(line)
            elif line["kind"] == "choice":
                self._choices[line["scope"]].append(line["value"])

    def choice(self, scope: str, occurrence: int) -> Record | None:
        """What the recorded run chose for a scope at the given occurrence (from 0); None when it chose nothing."""
        recorded = self._choices.get(scope, [])
        return recorded[occurrence] if occurrence < len(recorded) else None

    def answer(self, request: Request, occurrence: int) -> Answered:
        """The recorded answer to the given occurrence (from 0) of this turn.

        Raises:
            CassetteDivergence: naming the call and what differs.
        """
        where = f"{request.scope} turn {request.turn}"
        recorded = self._calls.get((request.scope, request.turn), [])
        if occurrence >= len(recorded):
            raise CassetteDivergence(f"the replay diverges at {where}: the recording has no such call")
        record = recorded[occurrence]
        if record["digest"] != request.digest():
            raise CassetteDivergence(f"the replay diverges at {where}: {self._difference(record, request)}")
        return answered(record, self._messages)

    def _difference(self, record: Record, request: Request) -> str:
        if record["tools"] != list(request.tools):
            return f"recorded with the tools {record['tools']}, now {list(request.tools)}"
        if record["answer"] != request.answer:
            return f"recorded with the answer form {record['answer']!r}, now {request.answer!r}"
        if record["temperature"] != request.temperature:
            return f"recorded at the temperature {record['temperature']}, now {request.temperature}"
        old = [self._messages[sha] for sha in record["request"]]
        return first_difference(old, [body(message) for message in request.messages])
