"""What pynguin is shown of a reference: one function that can be called, and all that it is made of."""

from __future__ import annotations

import ast
import json
import re

import pytest

from tools.skills.pynguin.hiding import SHOWN, alone
from tools.tasks import draw

SOURCE = '''
import math

def half(number):
    return number / 2

def twice(number):
    return number * 2

_core = twice

def used(half):
    return half + 1

def twice(number):
    """The tool, which has the name of what it is made of."""
    return _core(number=half(number)) + used(half=0)
'''


def run(source: str, entry: str, arguments: list[dict[str, object]]) -> list[str]:
    """What one of our own references answers."""
    space: dict[str, object] = {"__name__": "main"}
    exec(compile(source, "main.py", "exec"), space)
    answers = []
    for one in json.loads(json.dumps(arguments)):
        try:
            answers.append(repr(space[entry](**one)))  # type: ignore[operator]
        except ValueError as error:
            answers.append(f"ValueError: {error}")
    return answers


def test_every_function_but_the_last_of_the_name_is_private_and_the_module_computes_what_it_did() -> None:
    hidden = alone(SOURCE, "twice")
    names = [node.name for node in ast.parse(hidden).body if isinstance(node, ast.FunctionDef)]
    assert names == ["_hidden_half", "_hidden_twice", "_hidden_used", SHOWN]
    assert run(hidden, SHOWN, [{"number": 3}]) == ["4.0"]


def test_a_function_that_calls_itself_still_does() -> None:
    source = "def down(number):\n    return 0 if number < 1 else down(number - 1)\n"
    assert run(alone(source, "down"), SHOWN, [{"number": 5}]) == ["0"]


@pytest.mark.parametrize("number", range(40))
def test_a_reference_answers_the_same_when_its_parts_are_hidden(number: int) -> None:
    task = draw("any", 7, number)
    inputs = list(task.inputs)
    hidden = alone(task.reference, task.entry)
    assert run(hidden, SHOWN, inputs) == run(task.reference, task.entry, inputs)
    assert re.findall(r"^def ([a-z]\w*)", hidden, re.MULTILINE) == [SHOWN]
