"""The factory graph with scripted makers: which way each task goes, and what is left in the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from servers.ollama import OllamaServer
from toolmakers import TAKT, TAKT_TESTS, Toolmakers, takt_task

from graphs.factory import FactoryContext, graph
from tools.events import read_events
from tools.memory.memory import open_memory
from tools.memory.records import SkillState
from tools.runs.home import run_dir

Start = Callable[..., OllamaServer]
MAKERS = Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]})


async def make(server: OllamaServer, task: Any = None, thread: str = "t", **settings: Any) -> dict[str, Any]:
    """Run one task as a thread and return the output."""
    context = FactoryContext(base_url=server.url, **settings)
    inputs = (
        {}
        if task is None
        else {"task": task.model_dump(mode="json")}
        if not isinstance(task, str)
        else {"prompt": task}
    )
    return await graph.ainvoke(inputs, {"configurable": {"thread_id": thread}}, context=context)


def steps(thread: str = "t") -> list[str]:
    """The nodes that advanced a run, in order."""
    return [event["node"] for event in read_events(run_dir(thread) / "events.jsonl") if event["event"] == "STEP"]


async def test_a_task_becomes_a_tool(ollama: Start) -> None:
    output = await make(ollama(MAKERS), takt_task())
    assert (output["verdict"], output["outcome"], output["decision"]) == ("PASS", "admitted", "write"), output
    skill = open_memory().library.skill("takt_time")
    assert (skill.id, skill.state, skill.code, skill.tests) == ("takt_time-1", SkillState.ACTIVE, TAKT, TAKT_TESTS)
    assert steps() == ["draw", "recall", "decide", "examine", "admit", "settle"]
