"""Trying the tools of a library again, each with the tests that it was admitted with.

What no longer holds is suspended and said so; what a recheck suspended comes back when it holds again. A fault of this
machine is nobody's regression: before anything is suspended, a program that is known to be right must pass.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import SandboxUnavailable, ToolRefused
from tools.memory.records import SkillState
from tools.skills import calling, verdicts
from tools.skills.judging import judge
from tools.skills.program import Program, program_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.memory.library import Library
    from tools.memory.memory import Memory
    from tools.memory.records import Example, Skill
    from tools.skills.running import Runner

KEY = "recheck"
ALIVE = (SkillState.ACTIVE, SkillState.CANDIDATE, SkillState.SUSPENDED)
SECONDS = 30.0
_KNOWN = Program("double", "def double(n: int) -> int:\n    return 2 * n\n")
_KNOWN_TESTS = "from main import double\n\ndef test_double():\n    assert double(2) == 4\n"


@dataclass(frozen=True)
class Rechecked:
    """What became of one skill: whether it holds, why not, and its state before and after."""

    skill: str
    passed: bool
    detail: str
    before: SkillState
    after: SkillState


async def recheck(memory: Memory, run: Runner, names: Sequence[str] = ()) -> list[Rechecked]:
    """Try the skills of these names or ids again, or every one that is not retired.

    Raises:
        SkillUnknown: no skill has one of the names.
        SandboxUnavailable: nothing here confines a process, or even a program that is right fails here.
    """
    chosen = await asyncio.to_thread(_chosen, memory.library, names)
    found = []
    sound = False
    for skill in chosen:
        wrong = await _wrong(memory.library, run, skill)
        if wrong and not sound:
            await _control(run)
            sound = True
        found.append(await asyncio.to_thread(_settled, memory.library, skill, wrong))
    await asyncio.to_thread(memory.catch_up)
    return found


def _chosen(library: Library, names: Sequence[str]) -> list[Skill]:
    if names:
        return [skill for skill in map(library.skill, names) if skill.state in ALIVE]
    return library.skills(states=ALIVE, every_version=True)


async def _wrong(library: Library, run: Runner, skill: Skill) -> str:
    """What no longer holds of a skill; empty when all does."""
    try:
        program = await asyncio.to_thread(program_of, skill, library)
    except ToolRefused as error:
        return str(error)
    return await _tried(run, program, skill.tests, list(skill.parameters["properties"]), skill.examples)


async def _tried(
    run: Runner, program: Program, tests: str, parameters: Sequence[str], examples: Sequence[Example] = ()
) -> str:
    plan: dict[str, Any] = {
        "entry": program.entry,
        "parameters": list(parameters),
        "tests": tests,
        "properties": "",
        "modules": program.modules,
        "reference": "",
        "stubs": {},
        "mutants": [],
        "imports": [],
        "inputs": [calling.plain(dict(example.arguments)) for example in examples],
        "cpu_seconds": calling.CPU_SECONDS,
        "seconds": SECONDS,
    }
    judged = await judge(run, "trials", plan, "recheck: tests", servers=2)
    if judged.report is None:
        return f"the tests could not be run: {judged.problem}"
    report = judged.report
    failed = [finding for finding in verdicts.of_code(report) if finding.blames]
    if not failed:
        answers = [calling.answer_of(one) for one in report["answers"]]
        failed = [one for one in [verdicts.of_oracle(report["inputs"], answers, (), examples)] if one.blames]
    return failed[0].detail if failed else ""


async def _control(run: Runner) -> None:
    """Make sure that a right program passes here.

    Raises:
        SandboxUnavailable: it does not.
    """
    if wrong := await _tried(run, _KNOWN, _KNOWN_TESTS, ["n"]):
        raise SandboxUnavailable(
            f"nothing was suspended, for even a program that is right fails on this machine: {wrong}; mend that first "
            "(`millwright doctor`)"
        )


def _settled(library: Library, skill: Skill, wrong: str) -> Rechecked:
    """Change a skill's state to what was found."""
    history = library.history(skill.id)
    last = history[-1] if history else None
    after = skill.state
    if wrong and skill.state is not SkillState.SUSPENDED:
        after = SkillState.SUSPENDED
    elif not wrong and skill.state is SkillState.SUSPENDED and last is not None and last.key.startswith(f"{KEY}:"):
        after = last.before
    if after is not skill.state:
        why = f"a recheck found: {wrong}" if wrong else "a recheck found that it holds again"
        library.change_state(skill.id, after, why, key=f"{KEY}:{skill.id}:{len(history)}")
    return Rechecked(skill.id, not wrong, wrong or "its tests pass", skill.state, after)
