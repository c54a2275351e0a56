"""What pruning keeps, what it drops, and that reading answers as LangGraph's own saver does."""

from __future__ import annotations

import operator
import time
from typing import Annotated

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from graphs.durable import durable
from millwright.checkpoints import open_sqlite, open_sqlite_sync, rows
from tools.errors import UsageError


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def conversation(saver, reducer=None):
    """A graph of three steps with a question in the middle."""
    state = TypedDict("Deltas", {"log": reducer}) if reducer else State
    builder = StateGraph(state)
    builder.add_node("draft", lambda state: {"log": ["draft"]})
    builder.add_node("approve", lambda state: {"log": [interrupt("go on?")]})
    builder.add_node("deliver", lambda state: {"log": ["delivered"]})
    for step in [(START, "draft"), ("draft", "approve"), ("approve", "deliver"), ("deliver", END)]:
        builder.add_edge(*step)
    return durable(builder.compile(checkpointer=saver))


def config(thread_id="t"):
    return {"configurable": {"thread_id": thread_id}}


@pytest.fixture
def saver(tmp_path):
    with open_sqlite_sync(tmp_path / "checkpoints.sqlite") as saver:
        yield saver


def test_a_pruned_thread_that_waits_for_an_answer_still_gets_it(saver):
    graph = conversation(saver)
    graph.invoke({"log": ["goal"]}, config())
    before = len(list(saver.list(config())))
    saver.prune(["t"])
    assert len(list(saver.list(config()))) == 1 < before
    assert graph.get_state(config()).interrupts[0].value == "go on?"
    assert graph.invoke(Command(resume="yes"), config())["log"] == ["goal", "draft", "yes", "delivered"]


def test_the_place_of_an_answered_question_is_kept_to_be_forked_from(saver):
    graph = conversation(saver)
    graph.invoke({"log": ["goal"]}, config())
    asked = graph.get_state(config()).config
    graph.invoke(Command(resume="yes"), config())
    saver.prune(["t"])
    assert len(list(saver.list(config()))) == 2
    edited = graph.update_state(asked, {"log": ["edited"]}, as_node="draft")
    graph.invoke(None, edited)
    told = graph.invoke(Command(resume="no"), config())
    assert told["log"] == ["goal", "draft", "edited", "no", "delivered"]


def test_a_delta_channel_is_whole_after_pruning(saver):
    graph = conversation(
        saver,
        reducer=Annotated[list[str], DeltaChannel(lambda old, new: old + [one for more in new for one in more])],
    )
    for thread_id in ("t", "u"):
        graph.invoke({"log": ["goal"]}, config(thread_id))
    saver.prune(["t"])
    assert graph.get_state(config("t")).values == graph.get_state(config("u")).values == {"log": ["goal", "draft"]}
    assert graph.invoke(Command(resume="yes"), config("t"))["log"] == ["goal", "draft", "yes", "delivered"]


def test_an_unknown_strategy_is_refused(saver):
    with pytest.raises(UsageError, match=r"'keep_best'.*keep_latest"):
        saver.prune(["t"], strategy="keep_best")


def test_the_file_stays_small_when_finished_runs_are_pruned(saver):
    def put(thread_id, number):
        where = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        content = {**empty_checkpoint(), "channel_values": {"x": f"{number:04}" * 2_500}}
        saver.put_writes(saver.put(where, content, {}, {}), [("x", "y" * 1_000)], "task")

    for run in range(20):
        for number in range(20):
            put(f"run {run}", number)
        saver.prune([f"run {run}"])
    assert [len(list(saver.list(config(f"run {run}")))) for run in range(20)] == [1] * 20
    assert saver.bytes_of("run 3") == pytest.approx(11_000, rel=0.1)
    held = sum(saver.bytes_of(f"run {run}") for run in range(20))
    saver.compact()
    assert saver.fence.path.stat().st_size < 3 * held < 20 * 20 * 11_000 / 5

    saver.prune([f"run {run}" for run in range(20)], strategy="delete")
    saver.compact()
    assert saver.bytes_of("run 3") == 0
    assert saver.fence.path.stat().st_size < 100_000


def test_old_threads_are_named_and_deleted_but_not_the_driven_ones(saver, tmp_path):
    graph = conversation(saver)
    for thread_id in ("old", "driven"):
        graph.invoke({"log": ["goal"]}, config(thread_id))
    saver.claim("driven")
    assert saver.older(1) == []
    with open_sqlite_sync(saver.fence.path) as other:
        assert other.older(0) == ["old"]
        other.prune(other.older(0), strategy="delete")
        assert not other.has_state("old")
        assert other.has_state("driven")


def test_the_first_id_of_a_moment_is_the_standards_example():
    # RFC 9562, appendix A.5: 2022-02-22 19:22:22 UTC.
    assert rows._first_id(1_645_557_742) == "1ec9414c-232a-6b00"


@settings(deadline=None, max_examples=20)
@given(st.floats(0.01, 10_000))
def test_ids_sort_by_the_days_that_passed(days):
    now = time.time()
    assert rows._first_id(now - days * 86_400) < str(uuid6(clock_seq=-1)) < rows._first_id(now + days * 86_400)


async def answers(saver):
    """What the saver answers to many questions about one history."""
    graph = conversation(saver)
    for thread_id in ("t", "u"):
        await graph.ainvoke({"log": [thread_id]}, {**config(thread_id), "metadata": {"who": thread_id, "n": 7}})
    await graph.ainvoke(Command(resume="yes"), config("t"))
    whole = [one async for one in saver.alist(None)]
    told = []
    for question in [
        {"config": None},
        {"config": config("t")},
        {"config": config("t"), "limit": 2},
        {"config": config("t"), "limit": 0},
        {"config": None, "filter": {"who": "u"}},
        {"config": None, "filter": {"n": 7, "source": "loop"}},
        {"config": None, "filter": {"step": -1}},
        {"config": None, "filter": {"missing": None}},
        {"config": None, "filter": {"who": "nobody"}},
        {"config": config("t"), "before": whole[3].config},
        {"config": whole[2].config},
        {"config": config("nobody")},
    ]:
        where = question.pop("config")
        told.append(
            [(one.metadata, one.checkpoint["channel_values"]) async for one in saver.alist(where, **question)]
        )
    found = await saver.aget_tuple(config("t"))
    told.append((found.metadata, found.checkpoint["channel_values"], len(found.pending_writes)))
    told.append(await saver.aget_tuple(config("nobody")))
    with pytest.raises(ValueError, match="Invalid filter key"):
        [one async for one in saver.alist(None, filter={"a') OR 1=1 --": 1})]
    return told


async def test_it_answers_as_the_stock_saver_does(tmp_path):
    async with aiosqlite.connect(tmp_path / "stock.sqlite") as connection, open_sqlite(tmp_path / "ours") as ours:
        assert await answers(ours) == await answers(AsyncSqliteSaver(connection))


async def test_a_database_of_the_stock_saver_is_taken_up(tmp_path):
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "x.sqlite")) as stock:
        await conversation(stock).ainvoke({"log": ["goal"]}, config())
    async with open_sqlite(tmp_path / "x.sqlite") as ours:
        assert await ours.ahas_state("t")
        told = await conversation(ours).ainvoke(Command(resume="yes"), config())
        assert told["log"] == ["goal", "draft", "yes", "delivered"]
