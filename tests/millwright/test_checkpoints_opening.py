"""Where the database is, who may read it, and that opening it never blocks the event loop."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from graphs.durable import durable
from millwright.checkpoints import open_sqlite, open_sqlite_sync
from millwright.settings import data_dir

AT = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("MILLWRIGHT_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_by_default_it_is_in_the_data_directory_which_only_its_owner_sees(here):
    async with open_sqlite() as saver:
        await saver.aput(AT, empty_checkpoint(), {}, {})
        files = sorted(path.name for path in (here / ".millwright").iterdir())
        assert files == [".gitignore", "checkpoints.sqlite", "checkpoints.sqlite-shm", "checkpoints.sqlite-wal"]
        assert {mode(path) for path in (here / ".millwright").glob("checkpoints*")} == {0o600}
    assert mode(here / ".millwright") == 0o700


async def test_the_settings_of_the_database(here):
    async with open_sqlite() as saver:
        with saver.fence.unfenced() as database:
            for pragma, value in {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000}.items():
                assert database.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_a_database_that_others_could_read_is_closed_to_them(here):
    with open_sqlite_sync():
        pass
    path = here / ".millwright" / "checkpoints.sqlite"
    path.chmod(0o644)
    with open_sqlite_sync():
        assert mode(path) == 0o600


def test_millwright_home_is_asked_for_at_call_time(here, monkeypatch):
    monkeypatch.setenv("MILLWRIGHT_HOME", str(here / "deep" / "home"))
    with open_sqlite_sync():
        assert (here / "deep" / "home" / "checkpoints.sqlite").exists()


def test_git_does_not_see_the_data_directory(here):
    subprocess.run(["git", "init", "-q"], check=True)
    data_dir()
    data_dir()
    assert subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout == b""


def test_a_directory_with_files_of_its_user_is_left_as_it_is(here, monkeypatch):
    (here / "notes.txt").write_text("mine")
    here.chmod(0o755)
    monkeypatch.setenv("MILLWRIGHT_HOME", str(here))
    assert data_dir() == here
    assert mode(here) == 0o755
    assert not (here / ".gitignore").exists()


def test_the_name_for_the_server_is_a_function_that_needs_no_argument():
    module, _, name = "millwright.checkpoints.open_sqlite".rpartition(".")
    function = getattr(importlib.import_module(module), name)
    assert all(parameter.default is None for parameter in inspect.signature(function).parameters.values())


async def test_nothing_blocks_the_event_loop(here):
    class State(TypedDict):
        step: int

    async def count(state: State) -> State:
        return {"step": state["step"] + 1}

    builder = StateGraph(State)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    builder.add_edge("count", END)
    config = {"configurable": {"thread_id": "t"}}
    with blockbuster_ctx():
        async with open_sqlite() as saver:
            graph = durable(builder.compile(checkpointer=saver))
            assert await graph.ainvoke({"step": 0}, config) == {"step": 1}
            assert (await graph.aget_state(config)).values == {"step": 1}
            await graph.aupdate_state(config, {"step": 5})
            await saver.acopy_thread("t", "u")
            await saver.aprune(["t"])
            await saver.acompact()
            assert await saver.abytes_of("t") > 0
            assert await saver.aolder(0) == ["t", "u"]
            assert await saver.adriver("t") is None


async def test_the_synchronous_methods_serve_other_threads(here):
    async with open_sqlite() as saver:

        def work():
            saved = saver.put(AT, empty_checkpoint(), {"step": 1}, {})
            saver.put_writes(saved, [("x", 1)], "task")
            saver.copy_thread("t", "u")
            saver.prune(["u"])
            return saver.get_tuple(AT), list(saver.list(None))

        found, everything = await asyncio.to_thread(work)
        assert found.pending_writes == [("task", "x", 1)]
        assert len(everything) == 2


async def test_writing_while_listing_does_not_hang(here):
    async with open_sqlite() as saver:
        for _ in range(3):
            await saver.aput(AT, empty_checkpoint(), {}, {})
        async with asyncio.timeout(30):
            async for found in saver.alist(AT):
                await saver.aput_writes(found.config, [("seen", True)], "task")


def test_opening_does_not_need_the_parts_that_no_saver_needs():
    unwanted = "{'langgraph_api', 'chromadb', 'langchain_ollama'}"
    script = f"import sys, millwright.checkpoints; sys.exit(bool(sys.modules.keys() & {unwanted}))"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2]).returncode == 0
