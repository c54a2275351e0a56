"""One async node behind two doors."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from graphs.doors import two_doors

WHO = contextvars.ContextVar("WHO", default="nobody")


async def greet(state: dict[str, Any]) -> dict[str, Any]:
    """Say who is there, and in which thread."""
    await asyncio.sleep(0)
    if state.get("wrong"):
        raise ValueError("wrong")
    return {"who": WHO.get(), "thread": threading.current_thread()}


def test_a_synchronous_caller_gets_the_answer_in_its_own_thread() -> None:
    assert two_doors(greet).invoke({}) == {"who": "nobody", "thread": threading.current_thread()}


async def test_a_synchronous_caller_inside_a_loop_gets_it_from_another_thread_with_its_context() -> None:
    token = WHO.set("caller")
    found = two_doors(greet).invoke({})
    WHO.reset(token)
    assert (found["who"], found["thread"] is threading.current_thread()) == ("caller", False)


async def test_an_asynchronous_caller_goes_straight_in() -> None:
    assert (await two_doors(greet).ainvoke({}))["thread"] is threading.current_thread()


async def test_an_error_comes_out_of_every_door() -> None:
    door = two_doors(greet)
    with pytest.raises(ValueError, match="wrong"):
        await door.ainvoke({"wrong": True})
    with pytest.raises(ValueError, match="wrong"):
        door.invoke({"wrong": True})
    with pytest.raises(ValueError, match="wrong"):
        await asyncio.to_thread(door.invoke, {"wrong": True})
    assert door.name == "greet"
