"""A scripted model that plays the makers of tools: it answers by role and by the function that is asked for."""

from __future__ import annotations

import copy
import functools
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servers.ollama import ChatRequest, Reply, call

from tools.memory.records import Example
from tools.tasks import Task, draw

Script = Sequence[str] | Callable[[str], str]
MOST_DRAWN = 10_000
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


@pytest.mark.parametrize(("minutes", "demand", "takt"), [(480.0, 240, 2.0), (450.0, 300, 1.5), (0.0, 7, 0.0), (7.0, 1, 7)])
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
    failure. `choices` maps a function to what the librarian answers, or is given its request.
    """

    def __init__(
        self,
        code: Mapping[str, Script],
        tests: Mapping[str, Script],
        *,
        choices: Mapping[str, dict[str, Any]] | Callable[[ChatRequest], dict[str, Any]] = {},  # noqa: B006 - only read
        inventions: Sequence[str] = (),
    ) -> None:
        self.code = code
        self.tests = tests
        self.choices = choices
        self.inventions = inventions

    def __call__(self, request: ChatRequest) -> Reply:
        system, turn = request.system, sum(m["role"] == "assistant" for m in request.messages)
        if "You are the librarian" in system:
            name = _TASK.findall(request.messages[1]["content"])[-1]
            return Reply(json.dumps(self.choices(request) if callable(self.choices) else self.choices[name]))
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


def solver(tasks: Sequence[Task]) -> Toolmakers:
    """Makers who solve these tasks, with the references that no real model is shown; a tool of the same form is reused."""
    code = {task.entry: [task.reference] for task in tasks}
    tests = {task.entry: [tests_of(task)] for task in tasks}
    return Toolmakers(code, tests, choices=_by_signature)


def tests_of(task: Task) -> str:
    """Tests that a drawn task's reference passes: what it answers to each hidden input."""
    names: dict[str, Any] = {}
    exec(task.reference, names)
    cases = []
    for arguments in task.inputs:
        try:
            cases.append((arguments, names[task.entry](**copy.deepcopy(arguments))))
        except ValueError:
            cases.append((arguments, None))
    right = [case for case in cases if case[1] is not None]
    wrong = [case[0] for case in cases if case[1] is None]
    return _TESTS.format(entry=task.entry, right=right, wrong=wrong)


_TESTS = """\
import pytest

from main import {entry}

RIGHT = {right!r}
WRONG = {wrong!r}


@pytest.mark.parametrize("case", RIGHT)
def test_computes(case):
    assert {entry}(**case[0]) == case[1]


@pytest.mark.parametrize("arguments", WRONG)
def test_refuses(arguments):
    with pytest.raises(ValueError):
        {entry}(**arguments)
"""


def _by_signature(request: ChatRequest) -> dict[str, Any]:
    """Reuse a tool with the very signature of the task; write where there is none."""
    tools, _, task = request.messages[1]["content"].partition("\n\nThe task: ")
    (signature,) = re.findall(r"^def .*", task, re.MULTILINE)[:1]
    for tool in tools.split("\n\n"):
        lines = tool.splitlines()
        if signature in lines:
            return {"decision": "reuse", "tool": lines[0].split(" ")[0], "why": "it has the same signature"}
    return {"decision": "write", "tool": "", "why": "none of them does it"}


def stream(request: ChatRequest) -> Reply:
    """The answers of a server that solves the stream `any`, seed 0, however long it is."""
    return _stream()(request)


@functools.cache
def _stream() -> Toolmakers:
    return Toolmakers(_Drawn(lambda task: task.reference), _Drawn(tests_of), choices=_by_signature)


class _Drawn(dict[str, str]):
    """A text for each function of the stream, which is drawn as far as it is asked for."""

    def __init__(self, text: Callable[[Task], str]) -> None:
        self._text = text
        self._numbers = iter(range(MOST_DRAWN))
        self._lock = threading.Lock()

    def __missing__(self, entry: str) -> str:
        with self._lock:
            while entry not in self:
                task = draw("any", 0, next(self._numbers))
                self.setdefault(task.entry, self._text(task))
        return self[entry]
