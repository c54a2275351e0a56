"""What speaks for a skill, in words that a person and a model understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.memory.records import Skill


def evidence_of(skill: Skill) -> str:
    """What was measured when it was examined, and what came of its calls."""
    tests = f"{skill.evidence.tests} tests"
    if skill.evidence.mutants:
        tests += f", which notice {skill.evidence.noticed} of {skill.evidence.mutants} changes to its code"
    if not skill.trials:
        return (
            f"{tests}; not used yet"
            if not skill.uses
            else f"{tests}; called {skill.uses} times, in no run that was judged"
        )
    return f"{tests}; {skill.won} of {skill.trials} runs that used it were verified"
