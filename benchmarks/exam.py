"""What the exam of a typical tool costs, step by step, as a ratio to one sandboxed `python -c pass`.

The tool has 20 changed versions, the task 36 inputs. Exams and bare starts are interleaved, so that a busy machine slows
all of them alike; medians are printed.

    python benchmarks/exam.py [ROUNDS]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.sandbox import python_argv
from tools.skills.calling import call
from tools.skills.exam import examine
from tools.skills.program import Program
from tools.skills.running import confined
from tools.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tools.sandbox import Execution
    from tools.skills.exam import Examination

SIGNATURE = "def availability(planned_minutes: float, stops: list[float]) -> float"
CODE = f'''{SIGNATURE}:
    """Share of the planned time in which the machine ran."""
    if planned_minutes <= 0:
        raise ValueError(f"planned_minutes must be positive, not {{planned_minutes}}")
    down = 0.0
    for stop in stops:
        if stop < 0:
            raise ValueError(f"a stop must not be negative, not {{stop}}")
        down += stop
    if down > planned_minutes:
        raise ValueError("the stops are longer than the planned time")
    return 1 - down / planned_minutes
'''
REFERENCE = """
def availability(planned_minutes, stops):
    if planned_minutes <= 0 or any(stop < 0 for stop in stops) or sum(stops) > planned_minutes:
        raise ValueError("no")
    return (planned_minutes - sum(stops)) / planned_minutes
"""
TESTS = """
import pytest
from main import availability

def test_stops(): assert availability(480, [30, 18]) == pytest.approx(0.9)
def test_no_stop(): assert availability(480, []) == 1
def test_always_down(): assert availability(60, [60]) == 0
def test_one(): assert availability(100, [12.5]) == pytest.approx(0.875)

@pytest.mark.parametrize(("planned", "stops"), [(0, []), (-1, []), (10, [-1]), (10, [6, 5])])
def test_refused(planned, stops):
    with pytest.raises(ValueError):
        availability(planned, stops)
"""
STOPS: tuple[list[float], ...] = ([], [10.0], [30.0, 30.0], [1.5, 2.5, 20.0], [-1.0], [500.0])
INPUTS = tuple(
    {"planned_minutes": planned, "stops": stops}
    for planned in (-5.0, 0.0, 1.0, 60.0, 480.0, 455.0)
    for stops in STOPS
)
TASK = Task(
    id="availability", domain="", family="", title="", entry="availability", signature=SIGNATURE, statement="",
    reference=REFERENCE, inputs=INPUTS,
)  # fmt: skip
PROGRAM = Program("availability", CODE)


async def main(rounds: int) -> None:
    """Print the table."""
    run = confined()
    starts: list[float] = []

    async def counted(argv: Any, purpose: str, **more: Any) -> Execution:
        starts.append(0.0)
        return await run(argv, purpose, **more)

    bare, calls, exams, whole = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(rounds):
            bare.append((await timed(run(python_argv("-c", "pass"), "pass", workspace=Path(name))))[0])
            calls.append((await timed(call(run, PROGRAM, [INPUTS[20]])))[0])
            starts.clear()
            seconds, exam = await timed(examine(counted, PROGRAM, TESTS, signature=SIGNATURE, task=TASK))
            assert exam.passed, exam.failed
            exams.append(exam)
            whole.append(seconds)
    shown(statistics.median(bare), statistics.median(calls), exams, statistics.median(whole), len(starts))


async def timed(action: Awaitable[Any]) -> tuple[float, Any]:
    """The seconds that something takes, and what it gives."""
    begin = time.perf_counter()
    found = await action
    return time.perf_counter() - begin, found


def shown(bare: float, call_: float, exams: list[Examination], whole: float, starts: int) -> None:
    """Print one line for each step, and the sum."""
    print(f"{'':<34}{'ms':>8}{'ratio':>8}")
    steps = {
        step.name: statistics.median(next(s.seconds for s in exam.steps if s.name == step.name) for exam in exams)
        for step in exams[0].steps
    }
    rows = {
        "sandboxed python -c pass": bare,
        "one call of the tool": call_,
        **{f"exam: {n}": s for n, s in steps.items()},
    }
    rows["exam: starting, reading the tests"] = whole - sum(steps.values())
    rows[f"whole exam ({starts} sandbox starts)"] = whole
    for name, seconds in rows.items():
        print(f"{name:<34}{seconds * 1e3:>8.1f}{seconds / bare:>8.1f}")
    evidence = exams[0].evidence
    print(f"\n{evidence.tests} tests, {evidence.mutants} changed versions, {evidence.oracle_cases} questions")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
