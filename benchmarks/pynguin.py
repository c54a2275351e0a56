"""For how many families of tasks pynguin's tests pass the exam, with the reference itself as the tool that is examined.

Needs `make pynguin`. One line for each family: seconds of the search, calls, errors among them, share of changes noticed.

    PYTHONPATH=tests:. python benchmarks/pynguin.py [STEP] [FIRST]

tries every STEP-th family (16) from the FIRST on.

    PYTHONPATH=tests:. python benchmarks/pynguin.py crafts

tries the tools of `tests/crafts.py` instead: is a right one that was written by another route than its reference taken, and
which wrong ones do the tests notice without the oracle?
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import ToolRefused, UsageError
from tools.memory.records import Example
from tools.skills.calling import asked
from tools.skills.exam import examine
from tools.skills.program import Program
from tools.skills.pynguin.authoring import write_tests
from tools.skills.pynguin.interpreter import find_pynguin
from tools.skills.running import confined
from tools.tasks import draw, families

if TYPE_CHECKING:
    from tools.skills.pynguin.interpreter import Pynguin
    from tools.tasks import Task

STEP = 16


@dataclass(frozen=True)
class Tried:
    """One family: seconds of the search, calls, errors among them, share of changes noticed, and why the tests failed."""

    family: str
    seconds: float
    calls: int = 0
    errors: int = 0
    score: float | None = None
    wrong: str = ""


async def tried(pynguin: Pynguin, task: Task) -> Tried:
    """Have tests written of a task, and examine its reference with them."""
    began = time.perf_counter()
    try:
        written = await write_tests(confined(), pynguin, task)
    except ToolRefused as refusal:
        return Tried(task.family, time.perf_counter() - began, wrong=str(refusal))
    took = time.perf_counter() - began
    right = Program(task.entry, task.reference)
    found = await examine(confined(), right, written.text, signature=task.signature, task=task)
    wrong = f"{found.failed.name}: {found.failed.detail}" if found.failed else ""
    errors = written.text.count("pytest.raises")
    return Tried(task.family, took, written.calls, errors, found.evidence.mutation_score, wrong)


def one_of_each() -> list[Task]:
    """The first task of each family in a stream, by name."""
    found: dict[str, Task] = {}
    wanted, number = len(families("any")), 0
    while len(found) < wanted:
        task = draw("any", 1, number)
        found.setdefault(task.family, task)
        number += 1
    return [found[name] for name in sorted(found)]


async def crafts(pynguin: Pynguin) -> None:
    """Try right and wrong tools with tests that were found on their references."""
    from crafts import CRAFTS

    for name, craft in CRAFTS.items():
        task = await with_examples(craft.task)
        written = await write_tests(confined(), pynguin, task)
        right = Program(task.entry, craft.code)
        found = await examine(confined(), right, written.text, signature=task.signature, task=task)
        came_to = f"fails at {found.failed.name}: {found.failed.detail[:90]!r}" if found.failed else "passes"
        print(f"{name}: {written.calls} calls, the right one {came_to}")
        for what in craft.wrong:
            wrong = Program(task.entry, craft.broken(what))
            # Without the task, so that nothing but the tests speaks of what is right.
            seen = await examine(
                confined(), wrong, written.text, signature=task.signature, most_mutants=1, least_score=0
            )
            print(f"    {what}: {'noticed' if seen.failed and seen.failed.name == 'tests' else 'not noticed'}")


async def with_examples(task: Task) -> Task:
    """The same task with three of its inputs that have an answer as examples."""
    program, inputs = Program(task.entry, task.reference), list(task.inputs)
    (answers,) = await asked(confined(), program, inputs, [range(len(inputs))], "examples")
    good = [pair for pair in zip(inputs, answers, strict=True) if pair[1].kind == "returned"]
    picked = good[len(good) // 4 :: max(1, len(good) // 4)][:3]
    examples = tuple(Example(arguments=arguments, result=answer.value) for arguments, answer in picked)
    return task.model_copy(update={"examples": examples})


async def main(step: int, first: int) -> None:
    """Try families and print what came of them."""
    try:
        pynguin = find_pynguin()
    except UsageError as error:
        print(error)
        return
    rows = []
    for task in one_of_each()[first::step]:
        row = await tried(pynguin, task)
        rows.append(row)
        score = "" if row.score is None else f"{row.score:.2f}"
        print(
            f"{row.family:32} {row.seconds:5.1f} s {row.calls:3} calls {row.errors:3} errors {score:5} {row.wrong[:90]!r}"
        )
    good = [row for row in rows if not row.wrong]
    scores = [row.score for row in good if row.score is not None]
    print(f"{len(good)} of {len(rows)} pass; they notice {statistics.median(scores):.0%} of the changes (median)")


if __name__ == "__main__":
    if sys.argv[1:] == ["crafts"]:
        asyncio.run(crafts(find_pynguin()))
    else:
        given = [int(word) for word in sys.argv[1:3]]
        asyncio.run(main(*given, *(STEP, 0)[len(given) :]))
