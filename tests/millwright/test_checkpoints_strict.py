"""A checkpoint that someone else wrote is data: no callable that it names is called."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing

import ormsgpack
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde import jsonplus
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from millwright.checkpoints import open_sqlite, open_sqlite_sync
from tools.errors import StorageFailed

AT = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


def call(code, *named):
    """Msgpack that asks the reader to import and call what it names."""
    return ormsgpack.Ext(code, ormsgpack.packb(named))


def crafted(marker):
    command = f"touch {marker}"
    return [
        call(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, "os", "system", command),
        call(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, "posix", "system", command),
        call(jsonplus.EXT_CONSTRUCTOR_POS_ARGS, "os", "system", [command]),
        call(jsonplus.EXT_CONSTRUCTOR_KW_ARGS, "os", "system", {"command": command}),
        call(jsonplus.EXT_METHOD_SINGLE_ARG, "pathlib", "Path", str(marker), "touch"),
        call(jsonplus.EXT_METHOD_SINGLE_ARG, "subprocess", "Popen", ["touch", str(marker)], "__call__"),
        call(jsonplus.EXT_PYDANTIC_V1, "os", "system", {"command": command}),
        call(jsonplus.EXT_PYDANTIC_V2, "os", "system", {"command": command}, "model_validate_json"),
        call(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, "os.path", "basename", "/called/by/the/reader"),
    ]


def packed(value):
    return ormsgpack.packb(
        {**empty_checkpoint(), "channel_values": {"x": value}}, option=ormsgpack.OPT_NON_STR_KEYS
    )


def test_the_crafted_bytes_are_live_with_langgraphs_own_default(tmp_path):
    for value in crafted(tmp_path / "called")[:2]:
        jsonplus.JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", packed(value)))
    assert (tmp_path / "called").exists()


@pytest.mark.parametrize("number", range(len(crafted(""))))
async def test_no_named_callable_is_called(tmp_path, number):
    path, marker = tmp_path / "checkpoints.sqlite", tmp_path / "called"
    value = crafted(marker)[number]
    with open_sqlite_sync(path) as saver:
        saved = saver.put(AT, empty_checkpoint(), {}, {})
        saver.put_writes(saved, [("x", 1)], "task")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE checkpoints SET checkpoint = ?", (packed(value),))
        database.execute("UPDATE writes SET value = ?", (ormsgpack.packb(value),))

    with open_sqlite_sync(path) as saver:
        found = [saver.get_tuple(AT), *saver.list(AT)]
    async with open_sqlite(path) as saver:
        found += [await saver.aget_tuple(AT), *[one async for one in saver.alist(AT)]]

    assert not marker.exists()
    assert len(found) == 4
    for one in found:
        assert one.checkpoint["channel_values"]["x"] != "reader"
        assert one.pending_writes[0][2] != "reader"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("json", b'{"lc": 2, "type": "constructor", "id": ["os", "system"], "args": ["touch called"]}'),
        (
            "json",
            b'{"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "touch called"}}',
        ),
        ("pickle", pickle.dumps(print)),
    ],
)
def test_older_encodings_open_no_way_in(tmp_path, monkeypatch, kind, content):
    monkeypatch.chdir(tmp_path)
    with open_sqlite_sync(tmp_path / "checkpoints.sqlite") as saver:
        try:
            loaded = saver.serde.loads_typed((kind, content))
        except StorageFailed as refusal:
            loaded = refusal
    assert not callable(loaded)
    assert not (tmp_path / "called").exists()


def test_plain_state_and_messages_come_back_as_they_were(tmp_path):
    class State(TypedDict):
        deliverables: dict[str, list[str]]
        round: int

    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"round": state["round"] + 1})
    builder.add_edge(START, "plan")
    builder.add_edge("plan", END)
    given = {"deliverables": {"a.py": ["parses"]}, "round": 0}
    with open_sqlite_sync(tmp_path / "checkpoints.sqlite") as saver:
        graph = builder.compile(checkpointer=saver)
        graph.invoke(given, {"configurable": {"thread_id": "t"}})
        assert graph.get_state({"configurable": {"thread_id": "t"}}).values == {**given, "round": 1}
