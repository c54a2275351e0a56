"""Tests of a task by pynguin: it finds the arguments on the task's reference, which also says what is right.

Such tests are independent of the tool, for neither pynguin nor the reference has seen its code. Of a tool's own code they
would say only that it does what it does, so a task without a reference has no tests of this kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import ToolRefused
from tools.skills import schemas
from tools.skills.calling import asked
from tools.skills.interface import signature_of
from tools.skills.program import Program
from tools.skills.pynguin.hiding import SHOWN
from tools.skills.pynguin.reading import calls_in
from tools.skills.pynguin.searching import search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.skills.calling import Answer
    from tools.skills.pynguin.interpreter import Pynguin
    from tools.skills.running import Runner
    from tools.tasks import Task

MOST_TESTS = 40


@dataclass(frozen=True)
class Written:
    """The text of the tests, who wrote them, and how many calls they make."""

    text: str
    author: str
    calls: int


async def write_tests(run: Runner, pynguin: Pynguin, task: Task, *, seed: int = 0) -> Written:
    """Write pytest tests of a task that has a reference; they import the tool as `from main import ENTRY`.

    Raises:
        ToolRefused: pynguin found nothing that can be tested, with the reason.
        SandboxUnavailable: nothing here confines a process.
    """
    examples = [example.arguments for example in task.examples]
    wanted = signature_of(task.signature)
    found = await search(run, pynguin, task.reference, task.entry, examples, seed=seed)
    calls = [one for one in calls_in(found, SHOWN, wanted.names) if _fits(one, wanted.parameters)]
    program = Program(task.entry, task.reference)
    (answers,) = await asked(run, program, calls, [range(len(calls))], "pynguin: the right answers")
    pairs = zip(calls, answers, strict=True)
    kept = [(one, right) for one, right in pairs if _is_told(right, wanted.returns)][:MOST_TESTS]
    if not any(right.kind == "returned" for _, right in kept):
        raise ToolRefused(
            f"{pynguin.name} found no arguments of {task.entry} that have an answer", reason="pynguin"
        )
    return Written(_text(task, pynguin.name, kept), pynguin.name, len(kept))


def _fits(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether arguments are as the task declares them, and finite."""
    return not schemas.problem(dict(arguments), parameters) and _is_finite(arguments)


def _is_told(answer: Answer, returns: Mapping[str, Any]) -> bool:
    """Whether an answer is one that a task speaks of: a value as it is declared, or ValueError."""
    if answer.kind == "raised":
        return answer.exception == "ValueError"
    return answer.kind == "returned" and not schemas.problem(answer.value, returns) and _is_finite(answer.value)


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _text(task: Task, author: str, calls: Sequence[tuple[Mapping[str, Any], Answer]]) -> str:
    head = f'"""Tests by {author}, found on a program that is independent of the one under test."""\n'
    tests = [_test(task, number, *call) for number, call in enumerate(calls, 1)]
    uses = "import json\n\n" if any("json." in test for test in tests) else ""
    return "\n\n".join([f"{head}\n{uses}import pytest\n\nfrom main import {task.entry}\n", *tests])


def _test(task: Task, number: int, arguments: Mapping[str, Any], answer: Answer) -> str:
    call = f"{task.entry}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
    if answer.kind == "raised":
        return f"def test_{number}():\n    with pytest.raises(ValueError):\n        {call}\n"
    if "tuple" in task.signature.rpartition("->")[2]:
        call = (
            f"json.loads(json.dumps({call}))"  # the reference was asked as a tool is, whose tuples arrive as lists
        )
    return f"def test_{number}():\n    assert {call} == {_expected(answer.value)}\n"


def _expected(value: Any) -> str:
    """A value as a test expects it: another order of computing changes the last digits of a float, and no other."""
    if isinstance(value, float):
        return f"pytest.approx({value!r})"
    if isinstance(value, list):
        return f"[{', '.join(map(_expected, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r}: {_expected(one)}' for name, one in value.items())}}}"
    return repr(value)
