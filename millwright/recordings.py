"""Is a recording of model calls whole, and does it account for what the run did?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.models.journal import asked_digest, digest
from tools.errors import ProofBroken
from tools.events import Kind
from tools.verification.records import agrees
from tools.workspace.ledger import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.storage import Record


def whole_calls(lines: Sequence[Record]) -> list[Record]:
    """The calls of a cassette, when every message and every request has its hash, and messages stand before their calls.

    Raises:
        ProofBroken: naming the first line that does not hold.
    """
    known: set[str] = set()
    calls = []
    for number, line in enumerate(lines, 1):
        if line["kind"] == "message":
            if digest(line["body"]) != line["sha"]:
                raise ProofBroken(f"cassette.jsonl line {number} is a message with another hash than it states")
            known.add(line["sha"])
        elif line["kind"] == "call":
            needed = {*line["request"], *([] if line["response"] is None else [line["response"]])}
            where = f"cassette.jsonl line {number}, {line['scope']} turn {line['turn']},"
            if not needed <= known:
                raise ProofBroken(f"{where} has a message that is not recorded")
            if asked_digest(line) != line["digest"]:
                raise ProofBroken(f"{where} asks for something else than its digest states")
            calls.append(line)
    return calls


def check_told(calls: Sequence[Record], events: Sequence[Record]) -> None:
    """Make sure that every model call that an event tells of is recorded, with the same cost.

    Raises:
        ProofBroken: naming the first event that is not.
    """
    recorded: dict[tuple[str, int], list[Record]] = {}
    for call in calls:
        recorded.setdefault((call["scope"], call["turn"]), []).append(call)
    for event in events:
        if event["event"] != Kind.MODEL_CALL:
            continue
        same = recorded.get((event["scope"], event["turn"]), [])
        if not any(agrees(event["usage"], c["usage"]) and agrees(event["seconds"], c.get("seconds")) for c in same):
            raise ProofBroken(
                f"event {event['seq']} tells of {event['scope']} turn {event['turn']}, which cassette.jsonl has not so"
            )


def check_asked(calls: Sequence[Record], ledger: Sequence[Record]) -> None:
    """Make sure that every file operation of an agent belongs to a recorded call.

    Raises:
        ProofBroken: naming the first line of the ledger that does not.
    """
    asked = {f"{c['branch']}.{c['step']}/{c['scope']}/{c['turn']}" for c in calls}
    for record in ledger:
        if record["op"] in ("command", "restore"):
            continue
        if record["key"].rpartition("/")[0] not in asked:
            raise ProofBroken(
                f"ledger line {record['seq']} has a {record['op']} of {record['path']!r} that no model call asked for"
            )


def check_made(lines: Sequence[Record], ledger: Sequence[Record]) -> None:
    """Make sure that what a program wrote in an author's place is what was recorded when it was made.

    Raises:
        ProofBroken: naming the first line of the ledger that differs.
    """
    made = {sha256(line["value"].get("text", "").encode()) for line in lines if line["kind"] == "choice"}
    for record in ledger:
        if record["op"] != "delete" and record["after"] not in made:
            raise ProofBroken(
                f"ledger line {record['seq']} has a {record['op']} of {record['path']!r} that cassette.jsonl has not so"
            )
