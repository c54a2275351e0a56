"""One more try of a skill: its locked tests, the examples of its task, and the calls that failed in use."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import SandboxUnavailable, StorageFailed, ToolRefused
from tools.memory.rows import whole
from tools.redaction import MASK
from tools.skills import calling, verdicts
from tools.skills.interface import read_interface
from tools.skills.judging import judge
from tools.skills.program import Program, program_of
from tools.skills.properties import broken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.memory.library import Library
    from tools.memory.records import Example, Skill
    from tools.skills.running import Runner

SECONDS = 30.0
MOST_CALLS = 20
"""So many of the newest calls that failed in use are tried again."""

_LATE = ("did not answer within", "do not come to an end")
"""What is said of the clock, which runs on while a busy machine does something else; processor time tells."""

_KNOWN = Program("double", "def double(n: int) -> int:\n    return 2 * n\n")
_KNOWN_TESTS = "from main import double\n\ndef test_double():\n    assert double(2) == 4\n"


@dataclass(frozen=True)
class Trial:
    """What one try came to: what is wrong, if anything, and whether that says something about the skill."""

    wrong: str = ""
    told: bool = True
    calls: str = ""


async def tried_again(library: Library, run: Runner, skill: Skill) -> Trial:
    """Try a skill with its tests, its examples and the calls that failed."""
    try:
        program = await asyncio.to_thread(program_of, whole(skill), library)
    except (ToolRefused, StorageFailed) as error:
        return Trial(str(error))
    calls = await asyncio.to_thread(_failed_calls, library, skill)
    return await _tried(run, program, skill.tests, list(skill.parameters["properties"]), skill.examples, calls)


async def check_machine(run: Runner) -> None:
    """Make sure that a program passes here that is known to be right.

    Raises:
        SandboxUnavailable: it does not.
    """
    if wrong := (await _tried(run, _KNOWN, _KNOWN_TESTS, ["n"])).wrong:
        raise SandboxUnavailable(
            f"nothing was suspended for it, but even a program that is right fails on this machine: {wrong}; mend that "
            "first (`millwright doctor`)"
        )


def _failed_calls(library: Library, skill: Skill) -> list[dict[str, Any]]:
    """The arguments of calls that failed in use, without those of which a part was masked as a secret."""
    kept = (use.arguments for _, use in library.failures(skill.id, MOST_CALLS))
    texts = {json.dumps(arguments) for arguments in kept if arguments is not None}
    return [json.loads(text) for text in sorted(texts) if MASK not in text]


async def _tried(
    run: Runner,
    program: Program,
    tests: str,
    parameters: Sequence[str],
    examples: Sequence[Example] = (),
    calls: Sequence[dict[str, Any]] = (),
) -> Trial:
    asked = [calling.plain(dict(example.arguments)) for example in examples]
    plan: dict[str, Any] = {
        "entry": program.entry,
        "parameters": list(parameters),
        "tests": tests,
        "modules": program.modules,
        "reference": "",
        "stubs": {},
        "mutants": [],
        "imports": [],
        "inputs": [*asked, *(arguments for arguments in calls if arguments not in asked)],
        "generated": [],
        "cpu_seconds": calling.CPU_SECONDS,
        "seconds": SECONDS,
    }
    judged = await judge(run, "trials", plan, "recheck: tests", servers=2)
    if judged.report is None:
        return Trial(f"the tests could not be run: {judged.problem}", told=False)
    report = judged.report
    if "lost" in report:
        return Trial(report["lost"], told=False)
    failed = [finding for finding in verdicts.of_code(report) if finding.blames]
    if failed:
        return Trial(failed[0].detail, told=not _late(failed[0].detail))
    answers = [calling.answer_of(one) for one in report["answers"]]
    oracle = verdicts.of_oracle(report["inputs"], answers, (), examples)
    if oracle.blames:
        return Trial(oracle.detail, told=not any(_late(answer.error) for answer in answers))
    known = dict(zip(map(json.dumps, report["inputs"]), answers, strict=True))
    return Trial(calls=_still_failing(program, calls, known) if calls else "")


def _late(said: str) -> bool:
    return any(words in said for words in _LATE)


def _still_failing(program: Program, calls: Sequence[dict[str, Any]], answers: Mapping[str, calling.Answer]) -> str:
    """Which calls that failed in use still come to what no tool may come to."""
    again = [answers[json.dumps(arguments)] for arguments in calls]
    wrong = broken(read_interface(program.code, program.entry), calls, again, again)
    return f"of {len(calls)} calls that failed in use, {len(wrong)} still do: {wrong[0]}" if wrong else ""
