"""The journal of a run's model calls, which is also its cassette.

Every finished call is written, and synced, before its answer is used; a run that resumes after a crash gets the
answers it already had. The same file is the cassette that replays the run without a model. Messages are kept once,
by hash, so the file grows with the conversation and not with its square.

Lines: a `cassette` header, `message` (sha, body), `call` (scope, turn, what was asked and its digest, response hash or
fault, usage), `tool` (the answer of a tool call), `choice` (how an attempt is made) and, when the run is over, `end`
(verdict and the deliverables' hashes).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from tools.errors import CassetteError, CassetteVersion
from tools.events import now
from tools.storage import JsonLines, Record, canonical, read_lines
from tools.workspace.ledger import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.runs.lineage import Lineage, Position

FORMAT = 2


@dataclass(frozen=True)
class Request:
    """What a model is asked: the messages, the tools it may call and the form of the answer."""

    scope: str
    turn: int
    messages: tuple[BaseMessage, ...]
    tools: tuple[str, ...] = ()
    answer: str = ""
    temperature: float | None = None

    def parts(self) -> list[str]:
        """The hash of each message."""
        return [digest(body(message)) for message in self.messages]

    def digest(self) -> str:
        """One hash for everything that the answer depends on."""
        return asked_digest(self.asked())

    def asked(self) -> Record:
        """Everything that the answer depends on, the messages by their hashes."""
        return {
            "request": self.parts(),
            "tools": list(self.tools),
            "answer": self.answer,
            "temperature": self.temperature,
        }


@dataclass(frozen=True)
class Answered:
    """A recorded answer: a message, or the fault that the call ended with, perhaps with the reply that was no use."""

    message: AIMessage | None
    fault: Record | None
    record: Record


def body(message: BaseMessage) -> Record:
    """A message's meaning as JSON: who says it, its text, its tool calls."""
    found: Record = {"role": message.type, "content": message.text}
    if isinstance(message, AIMessage) and message.tool_calls:
        found["tool_calls"] = [{"name": c["name"], "args": c["args"], "id": c["id"]} for c in message.tool_calls]
    if isinstance(message, AIMessage) and message.invalid_tool_calls:
        found["unreadable_calls"] = [
            {"name": c["name"], "args": c["args"], "id": c["id"]} for c in message.invalid_tool_calls
        ]
    if isinstance(message, ToolMessage):
        found["tool_call_id"] = message.tool_call_id
    return found


def digest(value: Any) -> str:
    """The hash of a JSON value."""
    return sha256(canonical(value))[:32]


def asked_digest(call: Record) -> str:
    """The digest of what a recorded call asked, taken from its own fields."""
    return digest({name: call[name] for name in ("request", "tools", "answer", "temperature")})


class Journal:
    """Writes and reads the calls of one run."""

    def __init__(self, path: Path, lineage: Lineage) -> None:
        """Open the journal; `lineage` tells which calls belong to the run's present history."""
        self._lines = JsonLines(path, durable=True)
        self._lineage = lineage
        self._lock = threading.RLock()
        self._messages: dict[str, Record] = {}
        self._calls: dict[tuple[int, int, str, int], Record] = {}
        self._tools: dict[tuple[int, int, str, int, int], Record] = {}
        self._choices: dict[tuple[int, int, str], Record] = {}
        self._header: Record | None = None
        for record in self._lines:
            self._fold(record)

    def open(self, **header: Any) -> None:
        """Write the header once."""
        with self._lock:
            if self._header is None:
                self._append({"kind": "cassette", "format": FORMAT, "at": now(), **header})

    def recall(self, place: Position, request: Request) -> Answered | None:
        """The answer to this very request at this very point, if the call was finished."""
        record = self._calls.get((place.branch, place.step, request.scope, request.turn))
        if record is None or record["digest"] != request.digest():
            return None
        return answered(record, self._messages)

    def keep(
        self, place: Position, request: Request, *, message: AIMessage | None, fault: Record | None, **facts: Any
    ) -> None:
        """Make a finished call durable, with its usage and time as `facts`."""
        bodies = [body(m) for m in (*request.messages, *([message] if message else []))]
        record = {
            "kind": "call",
            "branch": place.branch,
            "step": place.step,
            "scope": request.scope,
            "turn": request.turn,
            **request.asked(),
            "digest": request.digest(),
            "response": digest(body(message)) if message else None,
            "fault": fault,
            "at": now(),
            **facts,
        }
        with self._lock:
            fresh = {digest(b): b for b in bodies if digest(b) not in self._messages}
            self._append(*({"kind": "message", "sha": sha, "body": b} for sha, b in fresh.items()), record)

    def tool_answer(self, place: Position, scope: str, turn: int, index: int) -> Record | None:
        """The recorded answer of a tool call at this point."""
        return self._tools.get((place.branch, place.step, scope, turn, index))

    def keep_tool_answer(self, place: Position, scope: str, turn: int, index: int, **facts: Any) -> None:
        """Make a tool call's answer durable."""
        record = {"kind": "tool", "branch": place.branch, "step": place.step, "scope": scope, "turn": turn}
        self._append({**record, "index": index, **facts})

    def choice(self, place: Position, scope: str) -> Record | None:
        """What was chosen for a scope at this point."""
        found = self._choices.get((place.branch, place.step, scope))
        return None if found is None else found["value"]

    def keep_choice(self, place: Position, scope: str, value: Record) -> None:
        """Make a choice durable before it is acted on."""
        self._append({"kind": "choice", "branch": place.branch, "step": place.step, "scope": scope, "value": value})

    def earlier_choices(self, place: Position, scope: str) -> int:
        """How often a choice of this scope was made at earlier steps of the present history."""
        with self._lock:
            places = [(branch, step) for branch, step, name in self._choices if name == scope and step < place.step]
        return sum(self._lineage.includes(branch, step) for branch, step in places)

    def asked(self, place: Position, scope: str, turn: int) -> bool:
        """Whether this turn was answered at this point, whatever it asked."""
        return (place.branch, place.step, scope, turn) in self._calls

    def end(self, **facts: Any) -> None:
        """Write how the run ended."""
        self._append({"kind": "end", "at": now(), **facts})

    def calls(self) -> list[Record]:
        """The calls of the run's present history, oldest first."""
        with self._lock:
            return [c for c in self._calls.values() if self._lineage.includes(c["branch"], c["step"])]

    def earlier(self, place: Position, scope: str, turn: int) -> int:
        """How often this turn of this scope was asked at earlier steps of the present history."""
        return sum(c["scope"] == scope and c["turn"] == turn and c["step"] < place.step for c in self.calls())

    def close(self) -> None:
        """Give the file back."""
        self._lines.close()

    def _append(self, *records: Record) -> None:
        with self._lock:
            self._lines.append(*records)
            for record in records:
                self._fold(record)

    def _fold(self, record: Record) -> None:
        if record["kind"] == "message":
            self._messages[record["sha"]] = record["body"]
        elif record["kind"] == "cassette":
            self._header = record
        elif record["kind"] == "choice":
            self._choices[record["branch"], record["step"], record["scope"]] = record
        elif record["kind"] in ("call", "tool"):
            place = (record["branch"], record["step"], record["scope"], record["turn"])
            if record["kind"] == "call":
                self._calls[place] = record
            else:
                self._tools[(*place, record["index"])] = record


def answered(record: Record, messages: dict[str, Record]) -> Answered:
    """A recorded call's answer as the message it was."""
    if record["response"] is None:
        return Answered(None, record["fault"], record)
    kept = messages[record["response"]]
    message = AIMessage(
        content=kept["content"],
        tool_calls=[{**call, "type": "tool_call"} for call in kept.get("tool_calls", [])],
        invalid_tool_calls=[
            {**call, "error": None, "type": "invalid_tool_call"} for call in kept.get("unreadable_calls", [])
        ],
        usage_metadata=record.get("usage") or None,
        response_metadata={"prompt": record.get("prompt", {}), "seconds": record.get("seconds", 0.0)},
    )
    return Answered(message, record["fault"], record)


def read_cassette(path: Path) -> tuple[Record, list[Record]]:
    """The header of a cassette file and all of its lines.

    Raises:
        CassetteError: it is missing, empty or not a cassette.
        CassetteVersion: its format is not the one this version reads.
    """
    if not path.is_file():
        raise CassetteError(f"there is no cassette at {str(path)!r}")
    try:
        lines = [record for record, _ in read_lines(path)]
    except ValueError as error:
        raise CassetteError(f"{str(path)!r} is not a cassette: {error}") from error
    header = lines[0] if lines else {}
    if header.get("kind") != "cassette":
        raise CassetteError(f"{str(path)!r} is not a cassette: its first line is not a cassette header")
    if header.get("format") != FORMAT:
        raise CassetteVersion(
            f"{str(path)!r} was recorded in cassette format {header.get('format')!r}, this version reads {FORMAT}; "
            f"record the build again, or replay it with the version that wrote it ({header.get('version', 'unknown')})"
        )
    return header, lines


def first_difference(old: Sequence[Record], new: Sequence[Record]) -> str:
    """Say which message of two conversations differs first, and how."""
    for number, (before, after) in enumerate(zip(old, new, strict=False), 1):
        if before == after:
            continue
        was, now_ = before["content"].splitlines(), after["content"].splitlines()
        for a, b in zip([*was, "(end)"], [*now_, "(end)"], strict=False):
            if a != b:
                return f"message {number} ({after['role']}): recorded {a!r}, now {b!r}"
        return f"message {number} ({after['role']}): its tool calls differ"
    return f"recorded with {len(old)} messages, now {len(new)}"
