"""For how many families of tasks pynguin's tests pass the exam, with the reference itself as the tool that is examined.

Needs `make pynguin`. One line for each family: seconds of the search, calls, errors among them, share of changes noticed.

    PYTHONPATH=tests:. python benchmarks/pynguin.py [STEP] [FIRST]

tries every STEP-th family (16) from the FIRST on.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import ToolRefused, UsageError
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
    given = [int(word) for word in sys.argv[1:3]]
    asyncio.run(main(*given, *(STEP, 0)[len(given) :]))
