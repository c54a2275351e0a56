"""Durable graphs: saved before the next step, driven by one process, and otherwise the graphs they were."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from graphs.durable import durable
from millwright.checkpoints import open_sqlite, open_sqlite_sync
from tools.errors import Fenced


class State(TypedDict):
    step: int


def counting(steps=5, seen=None, **options):
    def count(state: State) -> State:
        if seen:
            seen(state["step"])
        return {"step": state["step"] + 1}

    def again(state: State) -> str:
        return "done" if state["step"] >= steps else "more"

    builder = StateGraph(State)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    builder.add_conditional_edges("count", again, {"more": "count", "done": END})
    return durable(builder.compile(**options))


def config(thread_id="t"):
    return {"configurable": {"thread_id": thread_id}}


class Slow(InMemorySaver):
    """A saver that notes which step it is asked to save, and whether earlier ones were done before."""

    def __init__(self):
        super().__init__()
        self.saved = []

    def put(self, config, checkpoint, metadata, new_versions):
        result = super().put(config, checkpoint, metadata, new_versions)
        self.saved.append(checkpoint["channel_values"].get("step"))
        return result

    async def aput(self, config, checkpoint, metadata, new_versions):
        for _ in range(50):
            await asyncio.sleep(0)
        return self.put(config, checkpoint, metadata, new_versions)


@pytest.mark.parametrize("asked", ["async", "exit", "sync", None])
async def test_every_step_is_saved_before_the_next_begins_whatever_is_asked_for(asked):
    saver = Slow()

    def saved_before(step):
        assert step == 0 or saver.saved[-1] == step

    graph = counting(seen=saved_before, checkpointer=saver)
    assert await graph.ainvoke({"step": 0}, config(), durability=asked) == {"step": 5}
    assert graph.invoke({"step": 0}, config("u"), durability=asked) == {"step": 5}
    assert [one async for one in graph.astream({"step": 4}, config("v"), durability=asked, stream_mode="values")]
    assert saver.saved[-1] == 5


@pytest.mark.filterwarnings("default::langgraph.warnings.LangGraphDeprecatedSinceV10")
def test_the_older_name_of_the_setting_is_overruled_too():
    saver = Slow()
    counting(checkpointer=saver).invoke({"step": 0}, config(), checkpoint_during=False)
    assert [step for step in saver.saved if step] == [1, 2, 3, 4, 5]


async def test_without_a_checkpointer_there_is_nothing_to_save_and_no_warning():
    assert await counting().ainvoke({"step": 0}, durability="async") == {"step": 5}
    assert counting().invoke({"step": 0}, durability="sync") == {"step": 5}


def test_a_copy_with_other_settings_is_durable_too():
    graph = counting()
    for copy in (graph.with_config({"tags": ["x"]}), graph.copy({"checkpointer": Slow(), "name": "served"})):
        assert type(copy) is type(graph)
    assert graph.with_config({"tags": ["x"]}).invoke({"step": 0}, durability="async") == {"step": 5}


def test_the_picture_and_the_schemas_are_those_of_the_graph():
    graph = counting(name="count to five")
    plain = graph.builder.compile(name="count to five")
    assert graph.get_graph().draw_mermaid() == plain.get_graph().draw_mermaid()
    assert graph.get_input_jsonschema() == plain.get_input_jsonschema()
    assert graph.get_name() == "count to five"


@pytest.mark.parametrize("checkpointer", [None, False, True])
async def test_a_subgraph_inherits_what_its_parent_does(tmp_path, checkpointer):
    builder = StateGraph(State)
    builder.add_node("child", counting(checkpointer=checkpointer))
    builder.add_edge(START, "child")
    builder.add_edge("child", END)
    graph = durable(builder.compile())
    with open_sqlite_sync(tmp_path / "sync.sqlite") as saver:
        served = graph.copy({"checkpointer": saver})
        assert served.invoke({"step": 0}, config(), durability="async") == {"step": 5}
        assert saver.driver("t") is None
    async with open_sqlite(tmp_path / "async.sqlite") as saver:
        served = graph.copy({"checkpointer": saver})
        assert await served.ainvoke({"step": 0}, config(), durability="async") == {"step": 5}
        assert await saver.adriver("t") is None


async def test_a_driven_thread_is_refused_before_any_node_runs(tmp_path):
    ran = []
    with open_sqlite_sync(tmp_path / "x.sqlite") as elsewhere:
        elsewhere.claim("t")
        async with open_sqlite(tmp_path / "x.sqlite") as saver:
            graph = counting(seen=ran.append, checkpointer=saver)
            with pytest.raises(Fenced, match="'t' is driven by process"):
                await graph.ainvoke({"step": 0}, config())
            with pytest.raises(Fenced):
                await graph.aupdate_state(config(), {"step": 3})
            assert ran == []
            assert not await saver.ahas_state("t")
            elsewhere.release("t")
            assert await graph.ainvoke({"step": 0}, config()) == {"step": 5}
        elsewhere.claim("t")


async def test_a_thread_is_driven_while_it_runs_and_free_when_the_run_ends_fails_or_is_left(tmp_path):
    def fail(step):
        if step == 3:
            raise ArithmeticError

    async with open_sqlite(tmp_path / "x.sqlite") as saver:
        graph = counting(checkpointer=saver)
        drivers = [await saver.adriver("t") async for _ in graph.astream({"step": 0}, config())]
        assert len(drivers) == 5
        assert None not in drivers
        assert await saver.adriver("t") is None

        with pytest.raises(ArithmeticError):
            await counting(seen=fail, checkpointer=saver).ainvoke({"step": 0}, config("u"))
        assert await saver.adriver("u") is None

        left = graph.astream({"step": 0}, config("v"))
        await anext(left)
        assert await saver.adriver("v") is not None
        await left.aclose()
        assert await saver.adriver("v") is None

        running = asyncio.create_task(counting(10_000, checkpointer=saver).ainvoke({"step": 0}, config("w")))
        while await saver.adriver("w") is None:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await saver.adriver("w") is None
        with closing(sqlite3.connect(tmp_path / "x.sqlite", timeout=0, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")


async def test_a_run_that_is_cancelled_at_its_very_start_leaves_its_thread_free(tmp_path):
    async with open_sqlite(tmp_path / "x.sqlite") as saver:
        for turns in range(40):
            running = asyncio.create_task(counting(checkpointer=saver).ainvoke({"step": 0}, config(f"t{turns}")))
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.wait([running])
            assert await saver.adriver(f"t{turns}") is None


async def test_questions_forks_and_parallel_branches_work_as_ever(tmp_path):
    def ask(state: State) -> State:
        return {"step": interrupt("how far?")}

    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_node("work", lambda state: None)
    builder.add_edge(START, "ask")
    builder.add_conditional_edges(
        "ask", lambda state: [Send("work", state) for _ in range(state["step"])], ["work"]
    )
    async with open_sqlite(tmp_path / "x.sqlite") as saver:
        graph = durable(builder.compile(checkpointer=saver))
        asked = await graph.ainvoke({"step": 0}, config())
        assert asked["__interrupt__"][0].value == "how far?"
        assert await graph.ainvoke(Command(resume=7), config()) == {"step": 7}
        history = [one async for one in graph.aget_state_history(config())]
        forked = await graph.aupdate_state(history[-1].config, {"step": 2}, as_node="ask")
        assert await graph.ainvoke(None, forked) == {"step": 2}
        events = [one["event"] async for one in graph.astream_events(None, config(), version="v2")]
        assert "on_chain_end" in events


def test_two_runs_of_one_process_on_one_thread_do_not_free_it_for_others_too_early(tmp_path):
    with open_sqlite_sync(tmp_path / "x.sqlite") as saver:
        graph = counting(checkpointer=saver)
        outer = graph.stream({"step": 0}, config())
        next(outer)
        graph.invoke({"step": 4}, config())
        assert saver.driver("t") is not None
        outer.close()
        assert saver.driver("t") is None
