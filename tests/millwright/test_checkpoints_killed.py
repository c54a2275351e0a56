"""Real processes that drive threads, and what kill, stop and a rival leave of their work."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from millwright.checkpoints import open_sqlite_sync
from tools.errors import Fenced

DRIVE = Path(__file__).with_name("drive.py")


@contextmanager
def driving(path, thread_id, steps, kind="async"):
    command = [sys.executable, str(DRIVE), str(path), thread_id, str(steps), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(path, thread_id, steps, kind="async"):
    with driving(path, thread_id, steps, kind) as process:
        process.communicate()
        return process.returncode


def executed(path, thread_id):
    return [int(line) for line in Path(f"{path}.{thread_id}.log").read_text().split()]


def head(path, thread_id):
    with open_sqlite_sync(path) as saver:
        found = saver.get_tuple({"configurable": {"thread_id": thread_id}})
        return found.config, found.checkpoint["channel_values"]


def intact(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def kill_at(path, thread_id, steps, kind, moment):
    with driving(path, thread_id, steps, kind) as process:
        for line in process.stdout:
            if int(line) >= moment:
                process.send_signal(signal.SIGKILL)
                break


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_kill_repeats_at_most_the_step_under_way_though_the_caller_asked_for_less(tmp_path, kind):
    path, steps = tmp_path / "checkpoints.sqlite", 400

    kill_at(path, "t", steps, kind, moment=random.Random(kind).randrange(50, 350))
    done_when_killed = len(executed(path, "t"))
    assert finish(path, "t", steps, kind) == 0

    assert done_when_killed < steps
    assert sorted(set(executed(path, "t"))) == list(range(steps))
    assert len(executed(path, "t")) - steps <= 1
    assert intact(path)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["async", "sync"])
def test_forty_kills_repeat_at_most_one_step_each(tmp_path, kind):
    path, steps, kills = tmp_path / "checkpoints.sqlite", 400, 40
    moments = sorted(random.Random(kind).sample(range(5, 395), kills))

    for moment in moments:
        kill_at(path, "t", steps, kind, moment)
    assert finish(path, "t", steps, kind) == 0

    assert sorted(set(executed(path, "t"))) == list(range(steps))
    assert len(executed(path, "t")) - steps <= kills
    assert intact(path)


def test_a_process_that_slept_through_a_takeover_changes_nothing_when_it_wakes(tmp_path):
    path, steps = tmp_path / "checkpoints.sqlite", 60
    with driving(path, "t", steps) as sleeper:
        for _ in range(20):
            sleeper.stdout.readline()
        sleeper.send_signal(signal.SIGSTOP)

        with open_sqlite_sync(path) as rival, pytest.raises(Fenced, match=rf"driven by process {sleeper.pid}"):
            rival.claim("t")
        with open_sqlite_sync(path) as rival:
            rival.take_over("t")
        assert finish(path, "t", steps) == 0
        before, rows = head(path, "t"), len(executed(path, "t"))

        sleeper.send_signal(signal.SIGCONT)
        last_words = sleeper.communicate()[0].splitlines()[-1]

    assert sleeper.returncode == 3
    assert "was taken over" in last_words
    assert head(path, "t") == before
    assert before[1]["step"] == steps
    assert len(executed(path, "t")) <= rows + 1


def test_a_killed_driver_leaves_its_thread_free_even_before_its_parent_has_buried_it(tmp_path):
    path = tmp_path / "checkpoints.sqlite"
    with driving(path, "t", 10_000) as process:
        process.stdout.readline()
        with open_sqlite_sync(path) as rival:
            assert rival.driver("t").pid == process.pid
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with open_sqlite_sync(path) as rival:
            assert rival.driver("t") is None
            assert rival.claim("t")


def test_eight_processes_on_one_new_file_do_not_disturb_each_other(tmp_path):
    path, steps, threads = tmp_path / "checkpoints.sqlite", 20, [f"t{number}" for number in range(8)]

    assert finish(path, ",".join(threads), steps, "both") == 0

    assert [executed(path, thread_id) for thread_id in threads] == [list(range(steps))] * 8
    assert [head(path, thread_id)[1]["step"] for thread_id in threads] == [steps] * 8
    assert intact(path)


@pytest.mark.soak
def test_a_strangers_write_lock_of_six_seconds_is_waited_for(tmp_path):
    path = tmp_path / "checkpoints.sqlite"
    with driving(path, "t", 100) as process, closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        process.stdout.readline()
        stranger.execute("BEGIN IMMEDIATE")
        threading.Event().wait(6)
        stranger.execute("COMMIT")
        process.communicate()
        assert process.returncode == 0
    assert executed(path, "t") == list(range(100))
