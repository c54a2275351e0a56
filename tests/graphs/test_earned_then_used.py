"""The whole way of a tool: the factory makes it, a later build uses it, and the build's verdict counts for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply, call
from toolmakers import TAKT, TAKT_TESTS, Toolmakers, takt_task

from graphs import build, factory
from tools.memory.memory import open_memory
from tools.runs.home import run_dir

Start = Callable[..., OllamaServer]
WORK = "Write plan.py: TAKT, the takt time, the minutes available for each unit of demand, of 480 minutes and 240 units."


def asking(request: Any, turn: int) -> Reply:
    """Ask the tool that is offered, then write what it answered."""
    if turn == 0:
        assert "skill_takt_time" in request.tools
        return Reply(tool_calls=[call("skill_takt_time", available_minutes=480, demand=240)])
    answer = next(m["content"] for m in request.messages if m["role"] == "tool")
    return writing({"plan.py": f"TAKT = {answer}\n"})[turn - 1]


async def test_a_tool_that_the_factory_made_is_used_by_a_build_and_earns_by_its_verdict(ollama: Start) -> None:
    makers = ollama(Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]}))
    made = await factory.graph.ainvoke(
        {"task": takt_task().model_dump(mode="json")},
        {"configurable": {"thread_id": "made"}},
        context=factory.FactoryContext(base_url=makers.url),
    )
    assert made["outcome"] == "admitted"
    crew = ollama(Crew([assignment("A1", "plan.py", task=WORK)], {"A1": asking}))
    built = await build.graph.ainvoke(
        {"goal": "Plan a production line."},
        {"configurable": {"thread_id": "used"}},
        context=build.BuildContext(base_url=crew.url),
    )
    assert built["verdict"] == "PASS", built["reasons"]
    assert (run_dir("used") / "workspace" / "plan.py").read_text() == "TAKT = 2.0\n"
    skill = open_memory().library.skill("takt_time")
    assert (skill.run, skill.uses, skill.successes) == ("made", 1, 1)
