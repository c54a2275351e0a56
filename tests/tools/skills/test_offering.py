"""A skill as a tool: its schema, its arguments whatever they are called, and its answers as an agent is told them."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
import shelved
from langchain_core.messages import ToolCall

from agents.models.offers import offer
from tools.errors import ToolRefused
from tools.skills.calling import Answer, call
from tools.skills.offering import LONGEST_ANSWER, Offered, offered, shown, skill_tool
from tools.skills.running import confined

if TYPE_CHECKING:
    from collections.abc import Mapping

AWKWARD = '''
def awkward(self: int, config: int, run_manager: int, args: int, kwargs: int, callbacks: int, name: int) -> list[int]:
    """The arguments, in order; their names are those that a framework likes to use itself."""
    return [self, config, run_manager, args, kwargs, callbacks, name]
'''


def of(code: str, **more: Any) -> Offered:
    """An offered skill."""
    library = shelved.library()
    return offered(library.admit(shelved.new_skill(code, **more), key=code), library)


def asked(skill: Offered, **arguments: Any) -> str:
    """What the skill's tool answers to a model's call, in the sandbox."""

    def answer(given: Mapping[str, Any]) -> Answer:
        return asyncio.run(call(confined(), skill.program, [given]))[0]

    tool = skill_tool(skill, answer)
    return str(tool.invoke(ToolCall(name=tool.name, args=arguments, id="1", type="tool_call")).content)


def test_a_model_is_offered_the_schema_of_the_interface() -> None:
    function = offer(skill_tool(of(shelved.TAKT), lambda _: Answer("returned")))["function"]
    assert function["name"] == "skill_takt_time"
    assert function["description"].startswith("Takt time in minutes per unit")
    assert function["parameters"]["properties"] == {
        "available_minutes": {"type": "number"}, "demand": {"type": "integer"},
    }  # fmt: skip
    assert function["parameters"]["required"] == ["available_minutes", "demand"]


def test_arguments_reach_the_skill_whatever_they_are_called() -> None:
    names = ("self", "config", "run_manager", "args", "kwargs", "callbacks", "name")
    given = dict(zip(names, range(7), strict=True))
    assert asked(of(AWKWARD), **given) == "[0, 1, 2, 3, 4, 5, 6]"


def test_a_workflow_runs_with_the_skills_it_is_made_of() -> None:
    shelved.admit(shelved.takt())
    skill = of(shelved.LINES, requires=("takt_time-1",))
    assert asked(skill, available_minutes=480, demand=100, work_minutes=9.6) == "2.0"
    assert (
        asked(Offered.model_validate_json(skill.model_dump_json()), available_minutes=1, demand=1, work_minutes=1)
        == "1.0"
    )


def test_what_a_skill_raises_is_told_and_arguments_that_do_not_fit_are_refused() -> None:
    skill = of(shelved.TAKT)
    told = asked(skill, available_minutes=480, demand=0)
    assert told == "skill_takt_time raised ValueError: demand must be positive, got 0"
    with pytest.raises(ToolRefused, match="there is no 'minutes' in the arguments"):
        asked(skill, available_minutes=480, demand=1, minutes=3)


def test_a_long_answer_is_cut_and_says_so() -> None:
    text = shown("skill_x", Answer("returned", list(range(10_000))))
    assert len(text) < LONGEST_ANSWER + 50
    assert text.endswith("(58890 characters in all)")
    assert shown("skill_x", Answer("returned", math.inf)) == "Infinity"


@pytest.mark.parametrize("kind", ["stopped", "not_json"])
def test_no_answer_is_a_refusal_that_says_why(kind: Any) -> None:
    with pytest.raises(ToolRefused, match="skill_x gave no answer: it took too long; do without it"):
        shown("skill_x", Answer(kind, error="it took too long"))


def test_the_longest_name_still_fits_every_provider() -> None:
    name = "a" * 64
    assert len(of(shelved.TAKT.replace("takt_time", name)).tool) == 64
