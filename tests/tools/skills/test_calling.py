"""Programs are called in the sandbox, with JSON, and nothing that they do reaches the next call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from crafts import RUNS, TAKT

from tools.errors import ToolRefused
from tools.sandbox import Sandbox
from tools.skills.calling import Answer, asked, call
from tools.skills.judge import serving
from tools.skills.program import Program, folder_of

if TYPE_CHECKING:
    from pathlib import Path

    from tools.skills.running import Runner

HOSTILE = Program(
    "f",
    '''
import os, sys, resource


def f(how: str, values: list[float] = [1.0]) -> object:
    """Do what it is told."""
    if how == "exit": os._exit(0)
    if how == "sys.exit": sys.exit(3)
    if how == "kill the server": os.kill(os.getppid(), 9)
    if how == "spin":
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        while True: pass
    if how == "fork": os.fork()
    if how == "print": print("x" * 10**6, file=sys.__stderr__)
    if how == "set": return {1}
    if how == "keys": return {1: 2}
    if how == "itself":
        found = []
        found.append(found)
        return found
    if how == "much": return "x" * 10**6
    if how == "tuple": return (1, (2.5, [None]))
    if how == "nan": return [float("nan"), float("inf")]
    if how == "own error":
        class Wrong(ValueError): pass
        raise Wrong("no such thing")
    if how == "silent error":
        class Wrong(Exception):
            def __str__(self): raise RuntimeError
        raise Wrong
    if how == "change": values.append(2.0)
    if how == "descend": return f(how)
    if how == "files": return sorted(os.listdir("/workspace"))
    return sum(values)
''',
)


async def one(run: Runner, how: str, **more: Any) -> Answer:
    (answer,) = await call(run, HOSTILE, [{"how": how, **more}])
    return answer


async def test_many_calls_are_answered_in_one_start(run: Runner) -> None:
    starts = []

    async def counted(argv: Any, purpose: str, **options: Any) -> Any:
        starts.append(purpose)
        return await run(argv, purpose, **options)

    calls = [{"available_minutes": 480, "demand": n} for n in range(100)]
    answers = await call(counted, Program("takt_time", TAKT.code), calls)
    assert [answer.kind for answer in answers] == ["raised"] + ["returned"] * 99
    assert answers[0].exception == "ValueError"
    assert answers[2].value == 240
    assert starts == ["call"]


async def test_whatever_a_call_does_the_next_one_is_answered(run: Runner) -> None:
    if Sandbox.choose().level != "A":
        pytest.skip("it ends processes: only where the sandbox has its own")
    hows = [
        "exit", "sys.exit", "kill the server", "spin", "fork", "print", "set", "keys", "itself", "much", "tuple", "nan",
        "own error", "silent error", "change", "descend", "",
    ]  # fmt: skip
    answers = dict(zip(hows, await call(run, HOSTILE, [{"how": how} for how in hows]), strict=True))
    kinds = {how: answer.kind for how, answer in answers.items()}
    assert [how for how, kind in kinds.items() if kind == "stopped"] == ["exit", "spin"]
    assert [how for how, kind in kinds.items() if kind == "not_json"] == ["set", "keys", "itself", "much"]
    assert answers["sys.exit"].error == "SystemExit: 3"
    assert answers["own error"].error == "ValueError: no such thing"
    assert answers["silent error"].exception == "Exception"
    assert answers["descend"].exception == "RecursionError"
    assert answers["fork"].exception == "BlockingIOError"
    assert answers["tuple"].value == [1, [2.5, [None]]]
    assert math.isnan(answers["nan"].value[0])
    assert answers["nan"].value[1] == math.inf
    assert answers[""].value == 3.0, "a default that was changed stays changed in one process: the exam asks twice"


async def test_a_call_cannot_change_the_arguments_of_the_next(run: Runner) -> None:
    shared = [1.0, 1.0]
    first, second = await call(run, HOSTILE, [{"how": "change", "values": shared}, {"how": "", "values": shared}])
    assert (first.value, first.changed) == (4.0, True)
    assert (second.value, second.changed) == (2.0, False)
    assert shared == [1.0, 1.0]


async def test_the_orders_are_asked_of_programs_of_their_own(run: Runner) -> None:
    calls = [{"how": "change"}, {"how": ""}]
    forwards, backwards = await asked(run, HOSTILE, calls, [[0, 1], [1, 0]], "orders")
    assert [answer.value for answer in forwards] == [3.0, 3.0]
    assert [answer.value for answer in backwards] == [3.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"available_minutes": 480}, "takt_time was not called: 'demand' is missing in the arguments"),
        (
            {"available_minutes": 480, "demand": "2"},
            "takt_time was not called: 'demand' is '2', and must be a whole",
        ),
        ({"available_minutes": 480, "demand": 2, "x": 1}, "takt_time was not called: there is no 'x'"),
    ],
)
async def test_arguments_that_do_not_fit_start_nothing(run: Runner, arguments: dict[str, Any], why: str) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("the sandbox was started")

    with pytest.raises(ToolRefused, match=why):
        await call(never, Program("takt_time", TAKT.code), [arguments])


async def test_a_program_made_of_others_imports_them_and_nothing_else(run: Runner) -> None:
    code = "from skills.takt_time import takt_time\n\n"
    code += 'def f(a: float) -> float:\n    """Half."""\n    return takt_time(a, 2)\n'
    (answer,) = await call(run, Program("f", code, {"takt_time": TAKT.code}), [{"a": 5}])
    assert answer.value == 2.5
    (answer,) = await call(run, Program("f", code), [{"a": 5}])
    assert answer.kind == "stopped"
    assert "No module named 'skills.takt_time'" in answer.error


async def test_no_call_starts_nothing(run: Runner) -> None:
    assert await call(run, Program("run_lengths", RUNS.code), []) == []


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -1.5, "é\n", [], {}, (), (1, [2, (3,)]), {"a": (1,)}, {"__tuple__": [1]},
        {"__pairs__": {"__tuple__": (1,)}}, [{"x": {"__pairs__": 1}}],
    ],
)  # fmt: skip
def test_a_value_travels_unchanged(value: Any) -> None:
    arrived = serving.unpacked(serving.packed(value))
    assert arrived == value
    assert type(arrived) is type(value)


def test_the_files_of_a_program_are_there_for_a_run_and_gone_afterwards() -> None:
    with folder_of(Program("f", "code", {"a": "one"}).files) as folder:
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
        assert names == ["main.py", "skills/__init__.py", "skills/a.py"]
        assert (folder / "skills/a.py").read_text() == "one"
        kept: Path = folder
    assert not kept.exists()
