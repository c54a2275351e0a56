"""Do the logs of a run agree with themselves and with each other: the chain of the ledger, and the events beside it?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tools.errors import ProofBroken
from tools.events import Kind
from tools.redaction import MASK
from tools.storage import Record, canonical
from tools.workspace.ledger import GENESIS, check_chain, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_OF_THE_LEDGER = frozenset({"seq", "prev", "at", "op", "state"})
_OF_THE_EVENT = frozenset({"seq", "at", "event", "stdout", "stderr"})
_UNDECODED = "\N{REPLACEMENT CHARACTER}"


def check_ledger(path: Path, records: Sequence[Record], claimed: str) -> str:
    """Every line follows from the one before it, no operation is done that was not intended, the head is the report's.

    Raises:
        ProofBroken: naming the first line that does not hold.
    """
    head = check_chain(path)
    intended: dict[str, Record] = {}
    for record in records:
        if record["op"] == "command":
            continue
        said = _without(record, {*_OF_THE_LEDGER - {"op"}, "why"})
        if record["state"] == "intent":
            intended[record["key"]] = said
        elif intended.pop(record["key"], None) != said:
            raise ProofBroken(
                f"ledger line {record['seq']} ends a {record['op']} of {record['path']!r} that no line began"
            )
    if head != claimed:
        raise ProofBroken(f"the ledger ends with {head}, the report with {claimed}: lines were removed or added")
    return f"{len(records)} lines, each chained to the one before; the report names its head {head[:16]}"


def check_events(events: Sequence[Record], ledger: Sequence[Record]) -> str:
    """The events count without a gap, and what they tell of files and commands is what the ledger has.

    A process that was killed between the two logs leaves a line of the ledger without its event, never the other way.

    Raises:
        ProofBroken: naming the first event that does not hold.
    """
    operations = {record["key"]: record for record in ledger if record.get("state") == "done"}
    commands: dict[str, list[Record]] = {}
    for record in ledger:
        if record["op"] == "command":
            commands.setdefault(record["output_sha256"], []).append(record)
    told: set[str] = set()
    for number, event in enumerate(events, 1):
        if event["seq"] != number:
            raise ProofBroken(f"events.jsonl line {number} has the number {event['seq']!r}: an event was removed")
        if event["event"] == Kind.FILE_OPERATION:
            _check_operation(event, operations.get(event["key"]))
            told.add(event["key"])
        elif event["event"] == Kind.COMMAND:
            _check_command(event, commands)
    ours = [record for record in operations.values() if record["op"] != "restore"]
    silent = sum(record["key"] not in told for record in ours) + sum(map(len, commands.values()))
    missing = f"; {silent} lines of the ledger have none" if silent else ""
    return f"{len(events)} without a gap; those of files and commands are on the ledger{missing}"


def hashes(records: Iterable[Record]) -> list[str]:
    """The hash of each line of a ledger, oldest first, beginning with that of no line at all."""
    return [GENESIS, *(sha256(canonical(record)) for record in records)]


def agrees(told: object, known: object) -> bool:
    """Whether an event tells what is known, as far as it could be told: secrets are masked in events."""
    return told == known or MASK.encode() in canonical(told)


def _check_operation(event: Record, record: Record | None) -> None:
    what = f"event {event['seq']} tells of a {event['op']} of {event['path']!r}"
    if record is None:
        raise ProofBroken(f"{what}; the ledger has no such operation")
    if not _agree(_without(event, _OF_THE_EVENT), _without(record, _OF_THE_LEDGER - {"op"})):
        raise ProofBroken(f"{what}; line {record['seq']} of the ledger says otherwise")


def _check_command(event: Record, commands: dict[str, list[Record]]) -> None:
    """Find the command on the ledger and take it away; `commands` are those without an event yet, by their output."""
    what = f"event {event['seq']} tells of a run of {event['purpose']!r}"
    said = _without(event, _OF_THE_EVENT)
    candidates = commands.get(event["output_sha256"], [])
    same = next((record for record in candidates if _agree(said, _without(record, _OF_THE_LEDGER))), None)
    if same is None:
        raise ProofBroken(f"{what}; the ledger has no such command")
    candidates.remove(same)
    text = event["stdout"] + event["stderr"]
    if event["output_cut"] or _UNDECODED in text or MASK in text:
        return
    parts = [hashlib.sha256(event[stream].encode()).digest() for stream in ("stdout", "stderr")]
    if hashlib.sha256(b"".join(parts)).hexdigest() != event["output_sha256"]:
        raise ProofBroken(f"{what}; its output is not the one whose hash is on the ledger")


def _agree(told: Record, known: Record) -> bool:
    return told.keys() == known.keys() and all(agrees(told[name], known[name]) for name in told)


def _without(record: Record, fields: Iterable[str]) -> Record:
    left_out = set(fields)
    return {name: value for name, value in record.items() if name not in left_out}
