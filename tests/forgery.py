"""What a forger can do with the zip of a run: change members, and make what depends on them fit again."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from agents.contracts import Verdict
from graphs.build.report import Report, markdown
from tools.storage import canonical
from tools.verification.attestation import ATTESTATION, Facts, attestation
from tools.workspace.archive import write_zip

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Members = dict[str, bytes]
Record = dict[str, Any]
LEDGER, EVENTS, REGISTER, CASSETTE = "ledger.jsonl", "events.jsonl", "register.jsonl", "cassette.jsonl"


def members(path: Path) -> Members:
    """Every member of a zip, without its manifest."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}


def packed(target: Path, changed: Members) -> str:
    """A zip of these members with a manifest that fits; its path."""
    write_zip(target, changed)
    return str(target)


def lines(found: Members, name: str) -> list[Record]:
    """The records of a log."""
    return [json.loads(line) for line in found[name].splitlines()]


def log(records: list[Record]) -> bytes:
    """A log of these records."""
    return b"".join(canonical(record) + b"\n" for record in records)


def chained(records: list[Record]) -> list[Record]:
    """The records of a ledger with every number and every link made to fit."""
    head, found = "0" * 64, []
    for number, record in enumerate(records, 1):
        found.append({**record, "seq": number, "prev": head})
        head = hashlib.sha256(canonical(found[-1])).hexdigest()
    return found


def head_of(records: list[Record]) -> str:
    """The head of a ledger."""
    return hashlib.sha256(canonical(records[-1])).hexdigest()


def numbered(records: list[Record]) -> list[Record]:
    """Events that count without a gap."""
    return [{**record, "seq": number} for number, record in enumerate(records, 1)]


def reported(found: Members, **changes: Any) -> Members:
    """The members with another report, in both of its forms."""
    report = Report.model_validate({**json.loads(found["report.json"]), **changes})
    return found | {
        "report.json": report.model_dump_json(indent=2).encode() + b"\n",
        "report.md": markdown(report).encode(),
    }


def judged(found: Members, verdict: Record) -> Members:
    """The members with another verdict in the register, the last VERDICT event, the report and the cassette."""
    verdict = Verdict.model_validate(verdict).model_dump(mode="json")
    register, events, cassette = (lines(found, name) for name in (REGISTER, EVENTS, CASSETTE))
    for record in register:
        record["set"] = [[t, k, verdict if (t, k) == ("fact", "verdict") else v] for t, k, v in record["set"]]
    last = max(n for n, event in enumerate(events) if event["event"] == "VERDICT")
    events[last] |= verdict
    said = "PASS" if verdict["passed"] else "FAIL"
    cassette[-1] |= {"verdict": said, "deliverables": {d["path"]: d["sha256"] for d in verdict["deliverables"]}}
    changed = found | {REGISTER: log(register), EVENTS: log(events), CASSETTE: log(cassette)}
    fields = {name: verdict[name] for name in ("reasons", "deliverables", "checks")}
    return reported(changed, verdict=said, **fields)


def attested(
    found: Members,
    key: Ed25519PrivateKey | None = None,
    *,
    base: Record | None = None,
    executable: Iterable[str] = (),
) -> Members:
    """The members with a statement that fits them, signed by whoever forges."""
    rest = {name: content for name, content in found.items() if name != ATTESTATION}
    present: dict[str, str | None] = {}
    for record in lines(rest, LEDGER):
        if record.get("state") == "done":
            present[record["path"]] = record["after"]
    facts = Facts(
        report=json.loads(rest["report.json"]),
        run=json.loads(rest["run.json"]),
        version=lines(rest, CASSETTE)[0]["version"],
        digests={name: hashlib.sha256(content).hexdigest() for name, content in rest.items()},
        written=frozenset(path for path, sha in present.items() if sha),
        base=base,
        executable=frozenset(executable),
    )
    return {**rest, ATTESTATION: attestation(facts, key)}
