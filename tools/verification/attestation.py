"""What a run states about what it made, in the words that supply-chain tools share.

The statement is an in-toto Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) with
a SLSA Provenance v1 predicate (https://slsa.dev/spec/v1.0/provenance). It says nothing that does not follow from the
members of the run's zip, so that whoever holds the zip can compute it again; a signature over it anchors them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import ProofBroken
from tools.storage import Record, canonical
from tools.verification.dsse import Envelope, opened, read_private_key, sealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ATTESTATION = "attestation.json"
REPORT = "report.json"
BASE = "base"
WORKSPACE = "workspace/"
SIGNING_KEY = "MILLWRIGHT_SIGNING_KEY"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://millwright.invalid/build/v1"
BUILDER = "https://millwright.invalid/builder/v1"

Digests = Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """What a statement is made of: the report, the run, the version of Millwright, and SHA-256 of every member.

    `written` are the workspace paths that the ledger saw written; `base` is the commit and tree that the run began
    with, if it was built into a repository; `executable` are workspace paths that their owner may execute.
    """

    report: Record
    run: Record
    version: str
    digests: Digests
    written: frozenset[str]
    base: Record | None = None
    executable: frozenset[str] = frozenset()


def statement(facts: Facts) -> Record:
    """The statement of a run; every file in it is called by its name in the zip.

    Its subjects are the files that the crew wrote (the report, if there are none); files that it only found are
    dependencies, and the records of how it came about (ledger, events, model calls, patches) are byproducts.
    """
    subjects = sorted({WORKSPACE + path for path in facts.written} & facts.digests.keys()) or [REPORT]
    others = sorted(facts.digests.keys() - set(subjects))
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_resource(facts, name) for name in subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"goal": facts.report["goal"], "settings": facts.run.get("settings", {})},
                "resolvedDependencies": [
                    *_base(facts.base),
                    *(_resource(facts, name) for name in others if name.startswith(WORKSPACE)),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"millwright": facts.version}},
                "metadata": {
                    "invocationId": facts.report["run"],
                    "startedOn": facts.run["created"],
                    "finishedOn": facts.report["finished"],
                },
                "byproducts": [_resource(facts, name) for name in others if not name.startswith(WORKSPACE)],
            },
            "millwright_ledgerHead": facts.report["ledger_head"],
            "millwright_verification": _verification(facts.report),
        },
    }


def attestation(facts: Facts, key: Ed25519PrivateKey | None = None) -> bytes:
    """The statement of a run in its envelope, signed when there is a key; the zip's member `attestation.json`."""
    return sealed(PAYLOAD_TYPE, canonical(statement(facts)), key)


def signing_key() -> Ed25519PrivateKey | None:
    """The key in the file that `MILLWRIGHT_SIGNING_KEY` names; None when it names none.

    Raises:
        UsageError: the file holds no such key.
    """
    path = os.environ.get(SIGNING_KEY)
    return read_private_key(Path(path)) if path else None


def read_attestation(content: bytes) -> tuple[Envelope, Record]:
    """The envelope and the statement of an `attestation.json`, believed in nothing but its form.

    Raises:
        ProofBroken: it is none.
    """
    envelope = opened(content, PAYLOAD_TYPE)
    try:
        stated: Any = json.loads(envelope.payload)
    except (ValueError, RecursionError) as error:
        raise ProofBroken(f"the statement is not JSON ({error}); export the run again") from error
    if not isinstance(stated, dict) or canonical(stated) != envelope.payload:
        raise ProofBroken("the statement is not spelled as Millwright writes it; export the run again")
    return envelope, stated


def stated_executables(stated: Record) -> frozenset[str]:
    """The workspace paths that a statement calls executable: a zip keeps no modes."""
    marked = [n for n, r in _resources(stated).items() if r.get("annotations", {}).get("executable") is True]
    return frozenset(name.removeprefix(WORKSPACE) for name in marked)


def first_changed(stated: Record, digests: Digests) -> str | None:
    """The first member that is not the one that a statement speaks of; None when all are."""
    told = _resources(stated)
    told.pop(BASE, None)
    for name in sorted(told.keys() | digests.keys()):
        if name not in digests:
            return f"{name} is in the statement and missing from the run"
        if name not in told:
            return f"{name} is in the run and missing from the statement"
        if told[name]["digest"] != {"sha256": digests[name]}:
            return f"{name} is not the one that the statement speaks of"
    return None


def first_difference(stated: Record, found: Record) -> str | None:
    """Which part of a statement is not what the run's records give; None when all of it is."""
    told, here = stated["predicate"], found["predicate"]
    parts = [*(("predicate", name) for name in here), *(("statement", name) for name in found)]
    for whole, name in parts:
        pair = (told.get(name), here[name]) if whole == "predicate" else (stated.get(name), found[name])
        if pair[0] != pair[1]:
            return f"{name!r} of the statement is not what the run's records give"
    return None if stated == found else "the statement says more than the run's records give"


def _resources(stated: Record) -> dict[str, Record]:
    try:
        predicate = stated["predicate"]
        dependencies = predicate["buildDefinition"]["resolvedDependencies"]
        named = [*stated["subject"], *dependencies, *predicate["runDetails"]["byproducts"]]
        return {str(resource["name"]): resource for resource in named}
    except (KeyError, TypeError) as error:
        raise ProofBroken(
            f"the statement is not one of a run ({error} is missing); export the run again"
        ) from error


def _resource(facts: Facts, name: str) -> Record:
    """A ResourceDescriptor (https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md)."""
    found: Record = {"name": name, "digest": {"sha256": facts.digests[name]}}
    if name.startswith(WORKSPACE) and name.removeprefix(WORKSPACE) in facts.executable:
        found["annotations"] = {"executable": True}
    return found


def _base(base: Record | None) -> list[Record]:
    if base is None:
        return []
    return [{"name": BASE, "digest": {"gitCommit": base["commit"], "gitTree": base["tree"]}}]


def _verification(report: Record) -> Record:
    return {
        "verdict": report["verdict"],
        "level": report["verification"],
        "sandbox": report["sandbox"],
        "passed": [d["path"] for d in report["deliverables"] if d["passed"]],
        "failed": [d["path"] for d in report["deliverables"] if not d["passed"]],
    }
