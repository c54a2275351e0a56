"""Tests that do not always end the same way, found by running them again in another order with another hash seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.verification.testing import TestRun


def flaky(runs: Sequence[TestRun]) -> Mapping[str, str]:
    """The tests that ended differently in some of these runs of the same files, each with what it came to in which."""
    outcomes = [{test.name: (test.outcome, test.message) for test in run.tests} for run in runs]
    names = sorted({name for found in outcomes for name in found})
    found = {name: [ended.get(name, ("not run", "")) for ended in outcomes] for name in names}
    return {name: _told(ends, runs) for name, ends in found.items() if len({outcome for outcome, _ in ends}) > 1}


def _told(ends: Sequence[tuple[str, str]], runs: Sequence[TestRun]) -> str:
    """Each outcome once, with the first run that had it and why."""
    told: dict[str, str] = {}
    for number, ((outcome, message), run) in enumerate(zip(ends, runs, strict=True), 1):
        why = message or (run.problem if outcome == "not run" else "")
        told.setdefault(outcome, f"{outcome} in run {number}" + (f" ({why})" if why else ""))
    return ", ".join(told.values())
