"""Who may write to a thread: savers in one process, and what the database says about drivers elsewhere."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from millwright.checkpoints import open_sqlite, open_sqlite_sync
from millwright.checkpoints.driver import Driver, this_process
from tools.errors import Fenced


def at(thread_id="t"):
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


def write(saver, thread_id="t"):
    return saver.put(at(thread_id), empty_checkpoint(), {"source": "loop", "step": 1}, {})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoints.sqlite"


def test_the_first_to_write_drives_and_others_may_only_read(path):
    with open_sqlite_sync(path) as ours, open_sqlite_sync(path) as other:
        saved = write(ours)
        for change in (
            lambda: write(other),
            lambda: other.put_writes(saved, [("step", 1)], "task"),
            lambda: other.claim("t"),
            lambda: other.delete_thread("t"),
            lambda: other.prune(["t"]),
            lambda: other.copy_thread("elsewhere", "t"),
        ):
            with pytest.raises(
                Fenced, match=rf"'t' is driven by process {os.getpid()}, which is alive as far .* take"
            ):
                change()
        assert other.get_tuple(at()).config == saved
        assert other.driver("t").pid == os.getpid()
        write(other, "another thread")


def test_deleting_a_run_asks_for_every_thread_it_touched(path):
    with open_sqlite_sync(path) as ours, open_sqlite_sync(path) as other:
        ours.put(at(), empty_checkpoint(), {"run_id": "r"}, {})
        with pytest.raises(Fenced):
            other.delete_for_runs(["r"])
        assert ours.has_state("t")


def test_a_released_thread_is_free_and_may_come_back(path):
    with open_sqlite_sync(path) as ours, open_sqlite_sync(path) as other:
        write(ours)
        ours.release("t")
        assert other.driver("t") is None
        write(other)
        with pytest.raises(Fenced, match="driven by"):
            write(ours)
        other.release("t")
        write(ours)


def test_releasing_what_another_drives_does_nothing(path):
    with open_sqlite_sync(path) as ours, open_sqlite_sync(path) as other:
        write(ours)
        other.release("t")
        with pytest.raises(Fenced):
            write(other)


def test_who_was_taken_over_is_refused_for_ever_even_when_the_thread_is_free_again(path):
    with open_sqlite_sync(path) as asleep, open_sqlite_sync(path) as rival:
        write(asleep)
        rival.take_over("t")
        last = write(rival)
        rival.release("t")
        for _ in range(2):
            with pytest.raises(Fenced, match=r"was taken over by process .* resume it from a new one"):
                write(asleep)
        with pytest.raises(Fenced, match="was taken over"):
            asleep.delete_thread("t")
        assert rival.get_tuple(at()).config == last
        asleep.take_over("t")
        write(asleep)


def test_a_thread_deleted_behind_a_sleepers_back_stays_deleted(path):
    with open_sqlite_sync(path) as asleep, open_sqlite_sync(path) as rival:
        write(asleep)
        rival.take_over("t")
        rival.delete_thread("t")
        with pytest.raises(Fenced, match="was taken over"):
            write(asleep)
        assert not rival.has_state("t")


def test_closing_releases_everything(path):
    with open_sqlite_sync(path) as ours:
        write(ours, "a")
        write(ours, "b")
    with open_sqlite_sync(path) as other:
        assert other.claim("a")
        write(other, "b")


def test_only_the_first_claim_is_new(path):
    with open_sqlite_sync(path) as ours:
        assert ours.claim("t")
        assert not ours.claim("t")
        ours.release("t")
        assert ours.claim("t")


def test_a_claim_that_the_database_refused_is_no_claim(path):
    with open_sqlite_sync(path) as ours, open_sqlite_sync(path) as other:
        with pytest.raises(TypeError, match="not msgpack serializable"):
            ours.put(at(), {**empty_checkpoint(), "channel_values": {"x": object()}}, {}, {})
        assert other.driver("t") is None
        write(other)


async def test_both_kinds_of_saver_share_one_fence(path):
    with open_sqlite_sync(path) as ours:
        write(ours)
        async with open_sqlite(path) as other:
            with pytest.raises(Fenced):
                await other.aput(at(), empty_checkpoint(), {}, {})
            assert await other.adriver("t") == ours.driver("t")
            await other.atake_over("t")
            await other.aput(at(), empty_checkpoint(), {}, {})
            with pytest.raises(Fenced):
                write(ours)
            await other.arelease("t")


async def test_a_cancelled_write_leaves_no_lock_behind(path):
    async with open_sqlite(path) as saver:
        for turns in range(6):
            writing = asyncio.create_task(saver.aput(at(), empty_checkpoint(), {}, {}))
            for _ in range(turns):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait([writing])
            await saver.ahas_state("t")
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as stranger:
                stranger.execute("BEGIN IMMEDIATE")


@pytest.fixture
def elsewhere(path):
    """Say in the database that `driver` drives the thread."""
    with open_sqlite_sync(path):
        pass

    def say(driver):
        with closing(sqlite3.connect(path)) as database, database:
            row = ("t", driver.token, driver.machine, driver.pid, driver.started, driver.released)
            database.execute("INSERT INTO drivers VALUES (?, ?, ?, ?, ?, ?)", row)

    return say


def dead_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


US = this_process("theirs")


@pytest.mark.parametrize(
    ("driver", "free"),
    [
        pytest.param(US, False, id="lives"),
        pytest.param(Driver("theirs", US.machine, US.pid, "1"), True, id="its number went to a later process"),
        pytest.param(Driver("theirs", "another-boot pid:[1]", US.pid, US.started), True, id="before the last boot"),
        pytest.param(
            Driver("theirs", US.machine.split()[0] + " pid:[1]", 1, "1"), False, id="in another container"
        ),
        pytest.param(Driver("theirs", US.machine, US.pid, US.started, 1), True, id="lives and has released it"),
    ],
)
@pytest.mark.skipif(not US.machine, reason="this platform has no /proc to tell processes apart")
def test_a_thread_is_free_when_its_driver_surely_is_gone(path, elsewhere, driver, free):
    elsewhere(driver)
    with open_sqlite_sync(path) as saver:
        assert (saver.driver("t") is None) is free
        if free:
            write(saver)
        else:
            with pytest.raises(Fenced, match=f"process {driver.pid}"):
                write(saver)
            saver.take_over("t")
            write(saver)


def test_a_thread_of_a_process_that_ended_is_free(path, elsewhere):
    elsewhere(Driver("theirs", US.machine, dead_process(), "1"))
    with open_sqlite_sync(path) as saver:
        write(saver)
