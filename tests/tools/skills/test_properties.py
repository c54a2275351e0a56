"""Arguments are generated where a signature says enough, and with them is found what is wrong with any formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tools.skills import schemas
from tools.skills.calling import asked
from tools.skills.interface import signature_of
from tools.skills.program import Program
from tools.skills.properties import EXAMPLES, broken, generated

if TYPE_CHECKING:
    from tools.skills.running import Runner


@pytest.mark.parametrize(
    "signature",
    ["def f() -> int", "def f(a: dict[str, float]) -> int", "def f(a: int, b: list[dict[str, float]]) -> int",
     "def f(a: Any) -> int", "def f(a: list) -> int", "def f(a: int | dict[str, int]) -> int"],
)  # fmt: skip
def test_a_signature_that_says_too_little_gets_none(signature: str) -> None:
    assert generated(signature_of(signature)) == []


RICH = "def f(d: str, e: list[float], g: tuple[int, str], h: Literal['x', 'y'] | None, k: bool) -> int"


def test_the_arguments_fit_the_signature_differ_and_are_the_same_every_time() -> None:
    interface = signature_of(RICH)
    made = generated(interface)
    assert len(made) == EXAMPLES
    assert [schemas.problem(one, interface.parameters) for one in made] == [""] * EXAMPLES
    assert len({repr(one) for one in made}) == EXAMPLES
    assert made == generated(signature_of(RICH))


def test_every_edge_of_every_parameter_is_among_them() -> None:
    made = generated(signature_of("def f(a: list[float], b: int, c: str, h: Literal['x', 'y'] | None) -> int"))
    assert [] in [one["a"] for one in made]
    assert {0, 1, -1} <= {one["b"] for one in made}
    assert "" in [one["c"] for one in made]
    assert {"x", "y", None} == {one["h"] for one in made}


def test_a_signature_with_few_values_gets_each_once() -> None:
    assert generated(signature_of("def f(a: bool, b: Literal['x']) -> int")) == [
        {"a": False, "b": "x"},
        {"a": True, "b": "x"},
    ]


GOOD = (
    ("def f(a: int, b: float, c: bool) -> str | None", "return str(a + b) if c else None"),
    (
        "def f(d: str, e: list[float], g: tuple[int, str], h: Literal['x'] | None) -> dict[str, list[tuple[float, str]]]",
        "return {d: [(v, d) for v in e]}",
    ),
    ("def f(a: int) -> int", "raise ValueError('never')"),
    ("def f(a: str) -> float", "return float(a.encode('ascii'))"),
    ("def f(a: float) -> float", "return 2.0 ** (a * a)"),
)
WRONG = (
    ("def f(a: float, b: int) -> float", "return a / b", "raises ZeroDivisionError"),
    ("def f(a: list[float]) -> float", "return a[0]", "raises IndexError"),
    ("def f(a: int) -> int", "return a / 2", "which is not a whole number"),
    ("def f(a: int) -> float", "return None if a > 5 else 1.0", "returns None, which is not a number"),
    ("def f(a: float) -> float", "return a ** 0.5", "a complex is not JSON"),
    ("def f(a: int) -> int", "SEEN.append(a); return len(SEEN) % 2", "and then returned"),
    ("def f(a: str) -> int", "return int(a[0])", "raises IndexError"),
    ("def f(a: int) -> int", "return f(a + 1) if a > 900 else a", "raises RecursionError"),
)


async def found(run: Runner, signature: str, body: str) -> list[str]:
    interface = signature_of(signature)
    made = generated(interface)
    program = Program("f", f"from typing import *\nSEEN = []\n{signature}:\n    {body}\n")
    calls: list[dict[str, Any]] = [one for one in made for _ in range(2)]
    (answers,) = await asked(run, program, calls, [range(len(calls))], "properties")
    return broken(interface, made, answers[::2], answers[1::2])


@pytest.mark.parametrize(("signature", "body"), GOOD)
async def test_a_right_answer_of_any_kind_holds_and_so_does_refusing(
    run: Runner, signature: str, body: str
) -> None:
    assert await found(run, signature, body) == []


@pytest.mark.parametrize(("signature", "body", "why"), WRONG)
async def test_what_no_tool_may_do_is_found_and_told_by_the_shortest_case(
    run: Runner, signature: str, body: str, why: str
) -> None:
    wrong = await found(run, signature, body)
    assert wrong
    assert why in wrong[0]
    assert wrong == sorted(wrong, key=len)
