"""Databases and disks that fail: one sentence each, and nothing is lost."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from millwright.checkpoints import open_sqlite, open_sqlite_sync
from tools.errors import StorageFailed

AT = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


@pytest.fixture
def path(tmp_path):
    """A database with fifty checkpoints, all of it in the main file."""
    path = tmp_path / "checkpoints.sqlite"
    with open_sqlite_sync(path) as saver:
        for number in range(50):
            saver.put(
                AT, {**empty_checkpoint(), "channel_values": {"x": f"{number}" * 2_000}}, {"step": number}, {}
            )
    assert not path.with_name("checkpoints.sqlite-wal").exists()
    return path


def text(path):
    path.write_text("this is a shopping list\n" * 500)


def half(path):
    os.truncate(path, path.stat().st_size // 2)


def noise(path):
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def stranger(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE checkpoints (gates TEXT)")
        database.execute("CREATE TABLE writes (author TEXT)")


def torn_row(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE checkpoints SET checkpoint = substr(checkpoint, 1, 40)")


def torn_metadata(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE checkpoints SET metadata = substr(metadata, 1, 5)")


def read_all(path):
    with open_sqlite_sync(path) as saver:
        return [saver.get_tuple(AT), *saver.list(None)]


async def aread_all(path):
    async with open_sqlite(path) as saver:
        return [await saver.aget_tuple(AT), *[found async for found in saver.alist(None)]]


DAMAGES = [text, half, noise, stranger, torn_row, torn_metadata]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_named_with_its_cause_and_left_as_it_is(path, damage):
    damage(path)
    before = path.read_bytes()

    with pytest.raises(StorageFailed) as told:
        read_all(path)

    assert str(path) in str(told.value)
    assert "aside" in str(told.value)
    assert str(told.value).count("\n") == 0
    if damage is not stranger:
        assert path.read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_asynchronous_saver_tells_the_same(path, damage):
    damage(path)
    with pytest.raises(StorageFailed, match="aside"):
        await aread_all(path)


def test_a_directory_in_the_place_of_the_file(tmp_path):
    with pytest.raises(StorageFailed, match=str(tmp_path)), open_sqlite_sync(tmp_path):
        pass


def test_a_file_in_the_place_of_the_directory(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageFailed, match="MILLWRIGHT_HOME"), open_sqlite_sync(tmp_path / "taken" / "x.sqlite"):
        pass


def test_a_lock_that_is_never_given_back_is_named(path):
    with open_sqlite_sync(path) as saver, closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        assert saver.conn.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
        with saver.fence.unfenced() as database:
            assert database.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
            database.execute("PRAGMA busy_timeout = 50")
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match=r"locked.*end that process"):
            saver.put(AT, empty_checkpoint(), {}, {})
        stranger.execute("COMMIT")
        saver.put(AT, empty_checkpoint(), {}, {})


def on_a_small_disk(tmp_path, script):
    """Run Python in a mount namespace of its own with 700 KB of disk at `tmp_path`."""
    mount = f"mount -t tmpfs -o size=700k none {shlex.quote(str(tmp_path))}"
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "sh", "-c", mount]).returncode:
        pytest.skip("mounting needs rights that this user has not")
    command = f"{mount} && exec {shlex.quote(sys.executable)} -c {shlex.quote(script)} {shlex.quote(str(tmp_path))}"
    return subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True)


PREAMBLE = """
import subprocess, sys
from pathlib import Path
from langgraph.checkpoint.base import empty_checkpoint
from millwright.checkpoints import open_sqlite_sync
from tools.errors import StorageFailed
here = Path(sys.argv[1])
AT = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
def put(saver):
    return saver.put(AT, {**empty_checkpoint(), "channel_values": {"x": "x" * 20_000}}, {}, {})
"""


def test_a_full_disk_is_told_loses_nothing_and_is_survived_once_there_is_space(tmp_path):
    script = """
(here / "ballast").write_bytes(bytes(200_000))
saved = []
with open_sqlite_sync(here / "checkpoints.sqlite") as saver:
    try:
        while True:
            saved.append(put(saver)["configurable"]["checkpoint_id"])
    except StorageFailed as error:
        print(error)
    (here / "ballast").unlink()
    saved.append(put(saver)["configurable"]["checkpoint_id"])
    found = [x.config["configurable"]["checkpoint_id"] for x in saver.list(AT)]
    assert found == saved[::-1] and len(saved) > 5, (found, saved)
    assert saver.conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
"""
    done = on_a_small_disk(tmp_path, PREAMBLE + script)
    assert done.returncode == 0, done.stderr
    assert "full" in done.stdout
    assert "free some space" in done.stdout


def test_a_disk_that_became_read_only_is_told_while_open_and_when_opened(tmp_path):
    script = """
def told(action):
    try:
        action()
    except StorageFailed as error:
        print(error)
def reopen(name):
    with open_sqlite_sync(here / name) as saver:
        put(saver)
with open_sqlite_sync(here / "checkpoints.sqlite") as saver:
    put(saver)
    saver.compact()
subprocess.run(["mount", "-o", "remount,ro", str(here)], check=True)
told(lambda: reopen("checkpoints.sqlite"))
told(lambda: reopen("new.sqlite"))
told(lambda: reopen("deeper/new.sqlite"))
"""
    done = on_a_small_disk(tmp_path, PREAMBLE + script)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert all(str(tmp_path) in line and "MILLWRIGHT_HOME" in line for line in done.stdout.splitlines())
