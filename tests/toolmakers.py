"""A scripted model that plays the makers of tools: it answers by role and by the function that is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servers.ollama import ChatRequest, Reply, call

from tools.memory.records import Example
from tools.tasks import Task

Script = Sequence[str] | Callable[[str], str]
_ASKED = re.compile(
    r"which (?:defines this|another author).*?\n\n    def (\w+)\(|from this same.*?\n\n    def (\w+)\(", re.DOTALL
)
_TASK = re.compile(r"\n\ndef (\w+)\(")
_FAILED = re.compile(
    r"The attempt before this one failed\. This is the whole error:\n(.*)\n\nYour assignment", re.DOTALL
)

TAKT = '''\
def takt_time(available_minutes: float, demand: int) -> float:
    """Minutes available for each unit of demand.

    Raises ValueError when the demand is not positive or the time is negative.
    """
    if demand <= 0:
        raise ValueError("demand must be positive")
    if available_minutes < 0:
        raise ValueError("available_minutes must not be negative")
    return available_minutes / demand
'''
TAKT_WRONG = TAKT.replace("available_minutes / demand", "available_minutes * demand")
TAKT_TESTS = """\
import pytest

from main import takt_time


@pytest.mark.parametrize(("minutes", "demand", "takt"), [(480.0, 240, 2.0), (450.0, 300, 1.5), (0.0, 7, 0.0), (7.0, 1, 7.0)])
def test_divides_the_time_by_the_demand(minutes, demand, takt):
    assert takt_time(minutes, demand) == pytest.approx(takt)


@pytest.mark.parametrize(("minutes", "demand"), [(480.0, 0), (480.0, -1), (-1.0, 10), (-0.5, 1)])
def test_refuses_what_makes_no_sense(minutes, demand):
    with pytest.raises(ValueError):
        takt_time(minutes, demand)
"""
TAKT_STATEMENT = (
    "Return the takt time in minutes for each unit: available_minutes (a number of minutes, at least 0) divided by demand "
    "(a whole number of units, at least 1). Raise ValueError when demand is below 1 or available_minutes is negative."
)


def takt_task(**changes: Any) -> Task:
    """A task with an oracle; `oracle=False` leaves that out."""
    inputs = [
        {"available_minutes": m, "demand": d} for m in (0.0, 1.0, 450.0, 480.5, -3.0) for d in (1, 7, 240, 0, -2)
    ]
    fields: dict[str, Any] = {
        "id": "manufacturing.takt_time",
        "domain": "manufacturing",
        "family": "takt time",
        "title": "Takt time",
        "entry": "takt_time",
        "signature": "def takt_time(available_minutes: float, demand: int) -> float",
        "statement": TAKT_STATEMENT,
        "tags": ("manufacturing", "time"),
        "source": "ISO 22400-2",
        "examples": (Example(arguments={"available_minutes": 480.0, "demand": 240}, result=2.0),),
        "reference": TAKT,
        "inputs": tuple(inputs),
    }
    if not changes.pop("oracle", True):
        fields |= {"reference": "", "inputs": ()}
    return Task.model_validate({**fields, **changes})


def renamed(name: str, text: str, old: str = "takt_time") -> str:
    """A text in which the function has another name."""
    return text.replace(old, name)


class Toolmakers:
    """Answers for every role; `code` and `tests` map a function to its text, or to that of each attempt.

    Of a sequence the first text is the first attempt and the last one answers every failure; a callable is given the
    failure. `choices` maps a function to what the librarian answers.
    """

    def __init__(
        self,
        code: Mapping[str, Script],
        tests: Mapping[str, Script],
        *,
        choices: Mapping[str, dict[str, Any]] | None = None,
        inventions: Sequence[str] = (),
    ) -> None:
        self.code = code
        self.tests = tests
        self.choices = choices or {}
        self.inventions = inventions

    def __call__(self, request: ChatRequest) -> Reply:
        system, turn = request.system, sum(m["role"] == "assistant" for m in request.messages)
        if "You are the librarian" in system:
            return Reply(json.dumps(self.choices[_TASK.findall(request.messages[1]["content"])[-1]]))
        if "You invent one small" in system:
            return Reply(self.inventions[min(turn, len(self.inventions) - 1)])
        path, scripts = ("test.py", self.tests) if "You are a tester" in system else ("main.py", self.code)
        if turn:
            return Reply(tool_calls=[call("finish", summary="Written.", files=[path])])
        text = self._text(scripts[asked(request)], request)
        return Reply(tool_calls=[call("write_file", path=path, content=text)])

    def _text(self, script: Script, request: ChatRequest) -> str:
        failure = _FAILED.search(request.messages[1]["content"])
        if callable(script):
            return script(failure[1] if failure else "")
        return script[-1 if failure else 0] if not isinstance(script, str) else script


def asked(request: ChatRequest) -> str:
    """The function that an author's conversation is about."""
    (found,) = _ASKED.findall(request.messages[1]["content"])[-1:]
    return found[0] or found[1]


def authors(requests: Sequence[ChatRequest], role: str) -> list[ChatRequest]:
    """The requests of one role: developer, tester, librarian."""
    return [
        request
        for request in requests
        if f"You are a {role}" in request.system or f"You are the {role}" in request.system
    ]
