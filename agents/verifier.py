"""The verifier: turns measured facts into PASS or FAIL. It asks no model; a verdict is what code measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.contracts import Assignment, Blocker, DeliverableVerdict, Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def judge(
    assignments: Iterable[Assignment],
    facts: Mapping[str, Sequence[Evidence]],
    files: Mapping[str, tuple[str, int]],
    blockers: Sequence[Blocker],
    checks: Sequence[Evidence],
) -> Verdict:
    """Judge every promised path by its facts; `files` holds hash and size of what is on disk.

    The run passes when there is something to deliver, every deliverable and check passes, and no blocker is left open.
    """
    owners = {path: a.id for a in assignments for path in a.paths}
    deliverables = [_deliverable(path, owner, facts, files, blockers) for path, owner in sorted(owners.items())]
    reasons = [f"{d.path}: {e.what}: {e.detail}" for d in deliverables for e in d.evidence if not e.passed]
    reasons += [f"{check.what}: {check.detail}" for check in checks if not check.passed]
    reasons += [
        f"blocker {b.id} ({b.kind}) is not resolved: {b.message}" for b in blockers if b.status != "resolved"
    ]
    if not deliverables:
        reasons.append("nothing was planned, so nothing was delivered")
    return Verdict(passed=not reasons, reasons=reasons, deliverables=deliverables, checks=list(checks))


def _deliverable(
    path: str,
    owner: str,
    facts: Mapping[str, Sequence[Evidence]],
    files: Mapping[str, tuple[str, int]],
    blockers: Sequence[Blocker],
) -> DeliverableVerdict:
    evidence = list(facts.get(path, [Evidence(what="exists", passed=False, detail="it was never checked")]))
    sha, size = files.get(path, (None, 0))
    return DeliverableVerdict(
        path=path,
        assignment=owner,
        passed=all(fact.passed for fact in evidence),
        sha256=sha,
        size=size,
        evidence=evidence,
        blockers=[b.id for b in blockers if b.path == path],
    )
