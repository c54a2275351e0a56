"""What is said for a skill: what its exam counted, and the runs that were judged, never calls that nobody judged."""

from __future__ import annotations

import shelved

from tools.memory.records import Use
from tools.skills.standing import evidence_of


def test_calls_are_told_as_calls_and_only_judged_runs_as_evidence() -> None:
    library = shelved.library()
    skill = shelved.admit(shelved.takt())
    exam = "2 tests, which notice 9 of 10 changes to its code"
    assert evidence_of(skill) == f"{exam}; not used yet"

    def used(number: int, run: str, verified: bool | None) -> str:
        use = Use(key=str(number), skill=skill.id, run=run, outcome="returned", verified=verified)
        library.record_use(use)
        return evidence_of(library.skill(skill.id))

    assert used(1, "", None) == f"{exam}; called 1 times, in no run that was judged"
    assert used(2, "a", True) == f"{exam}; 1 of 1 runs that used it were verified"
    assert used(3, "b", False) == f"{exam}; 1 of 2 runs that used it were verified"
    assert used(4, "", None) == f"{exam}; 1 of 2 runs that used it were verified"
