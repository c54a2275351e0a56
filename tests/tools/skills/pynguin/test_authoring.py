"""Tests by the real pynguin, of references with arguments and answers of every kind, tried by the exam itself."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import pytest
from pynguins import installed

from tools.errors import ToolRefused
from tools.memory.records import Example
from tools.sandbox import Limits
from tools.skills.exam import examine
from tools.skills.program import Program
from tools.skills.pynguin import searching
from tools.skills.pynguin.authoring import write_tests
from tools.skills.pynguin.hiding import SHOWN
from tools.skills.pynguin.searching import search
from tools.skills.running import confined
from tools.tasks import Task

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = '''
def main_share(part: float, whole: float) -> float:
    """The share of a whole, in percent."""
    if whole <= 0:
        raise ValueError("the whole must be positive")
    return part / whole * 100
'''
RECORDS = '''
def totals(records: list[dict[str, float | str]]) -> dict[str, float]:
    """The sum of the amounts of each group."""
    found: dict[str, float] = {}
    for record in records:
        if record["amount"] < 0:
            raise ValueError("an amount is negative")
        found[record["group"]] = found.get(record["group"], 0.0) + record["amount"]
    return found
'''
RUNS = '''
def runs(values: list[int]) -> list[tuple[int, int]]:
    """Each value with how often it stands there in a row."""
    found: list[tuple[int, int]] = []
    for value in values:
        if found and found[-1][0] == value:
            found[-1] = (value, found[-1][1] + 1)
        else:
            found.append((value, 1))
    return found
'''
WORDS = '''
def initials(words: list[str]) -> list[str]:
    """The first letters of the words that have one, in capitals."""
    return [word[0].upper() for word in words if word]
'''


def task(reference: str, *examples: tuple[dict[str, object], object]) -> Task:
    """A task with this reference; the tests are judged on the reference itself."""
    signature, entry = re.search(r"^(def (\w+)\(.*):$", reference, re.MULTILINE).groups()  # type: ignore[union-attr]
    told = tuple(Example(arguments=arguments, result=result) for arguments, result in examples)
    inputs = tuple(dict(arguments) for arguments, _ in examples)
    words = {"id": entry, "domain": "d", "family": entry, "title": entry, "statement": "…", "signature": signature}
    return Task(**words, entry=entry, reference=reference, examples=told, inputs=inputs)


TASKS = {
    "numbers, and an error": task(
        NUMBERS, ({"part": 3.0, "whole": 4.0}, 75.0), ({"part": 1.0, "whole": 8.0}, 12.5)
    ),
    "records, and an object": task(
        RECORDS,
        ({"records": [{"group": "a", "amount": 2.5}, {"group": "a", "amount": 1.0}]}, {"a": 3.5}),
        ({"records": [{"group": "b", "amount": 2.0}, {"group": "c", "amount": 4.0}]}, {"b": 2.0, "c": 4.0}),
    ),
    "numbers, and pairs": task(RUNS, ({"values": [1, 1, 2]}, [[1, 2], [2, 1]]), ({"values": [3]}, [[3, 1]])),
    "words, and a list": task(WORDS, ({"words": ["ab", "", "c"]}, ["A", "C"]), ({"words": ["xy"]}, ["X"])),
}


@pytest.mark.parametrize("kind", TASKS)
async def test_its_tests_pass_the_exam_that_a_models_tests_have_to_pass(kind: str) -> None:
    pynguin, wanted = installed(), TASKS[kind]
    written = await write_tests(confined(), pynguin, wanted)
    assert written.author == pynguin.name
    assert written.text.count("def test_") == written.calls > 1
    right = Program(wanted.entry, wanted.reference)
    found = await examine(confined(), right, written.text, signature=wanted.signature, task=wanted, least_score=0.3)
    assert found.passed, (found.failed, written.text)
    assert found.evidence.tests == written.calls


async def test_a_function_that_refuses_everything_leaves_nothing_to_test() -> None:
    never = task('def never(number: int) -> int:\n    """Never answers."""\n    raise ValueError("no")\n')
    with pytest.raises(ToolRefused, match="found no arguments of never that have an answer"):
        await write_tests(confined(), installed(), never)


async def test_a_module_that_does_not_come_to_an_end_is_stopped() -> None:
    endless = task(
        'def f(number: int) -> int:\n    """Not reached."""\n    return number\n\nwhile True:\n    pass\n'
    )
    within = Limits(seconds=4)
    with pytest.raises(ToolRefused, match="wrote no tests of f: it was stopped: time"):
        await write_tests(confined(limits=within), installed(), endless)


async def test_a_search_that_takes_too_long_ends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_DRIVER", searching._DRIVER.replace(f"Timer({searching.LONGEST},", "Timer(1,"))
    endless = 'def f(number: int) -> int:\n    """Not reached."""\n    return number\n\nwhile True:\n    pass\n'
    with pytest.raises(ToolRefused, match="it took more than 60 s"):
        await search(confined(), installed(), endless, "f", [], seed=0)


@pytest.mark.parametrize(("path", "seen"), [("", False), ("/usr", True)])
async def test_what_is_searched_is_executed_where_it_sees_no_file_of_ours(
    tmp_path: Path, path: str, *, seen: bool
) -> None:
    reference = (
        f"import os\nif os.path.exists({path or str(tmp_path)!r}):\n    raise RuntimeError('it is there')\n"
        'def half(number: float) -> float:\n    """Half of it."""\n    return number / 2\n'
    )
    sought = search(confined(), installed(), reference, "half", [{"number": 1.0}], seed=0, seconds=1)
    if seen:
        with pytest.raises(ToolRefused, match="it is there"):
            await sought
    else:
        assert f"{SHOWN}(" in await sought


async def test_the_search_is_given_up_when_whoever_waits_for_it_is_cancelled() -> None:
    endless = task(
        'def f(number: int) -> int:\n    """Not reached."""\n    return number\n\nwhile True:\n    pass\n'
    )
    waiting = asyncio.create_task(write_tests(confined(), installed(), endless))
    began = time.monotonic()
    await asyncio.sleep(0.5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began < Limits().seconds
