"""Disks that fill up, go away or lie: every build goes on to the same end, or says in one sentence why it cannot."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from faults.scenes import holds_files, small, strike
from faults.test_overtaken import one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faults.clients import Launcher
    from faults.scenes import Outcome, Scene

QUICK = ("--verification", "quick")
LOGS = ("lineage.jsonl", "register.jsonl", "ledger.jsonl", "cassette.jsonl", "events.jsonl")
LAST_WRITE = {"pattern": r"replace workspace/notes.md"}


@pytest.mark.parametrize("size", [100, 180, 260])
def test_a_full_disk_suspends_the_run_and_with_space_it_goes_on(
    launcher: Launcher,
    whole: Callable[..., Outcome],
    scene: Callable[..., Scene],
    small_disk: Callable[[Path, int], None],
    size: int,
) -> None:
    build = scene(small(), *QUICK)
    small_disk(build.home, size)
    full = build.build()
    assert full.code == 3, full.out
    told = full.err or full.result["why"]
    assert "full" in told
    assert told.count("\n") <= 1
    subprocess.run(["mount", "-o", "remount,size=50m", str(build.home)], check=True)
    ended = build.go_on()
    assert ended.code == 0, ended.out
    holds_files(build, whole(small, *QUICK))


@pytest.mark.parametrize("log", LOGS)
def test_a_torn_last_line_is_cut_off_and_the_run_goes_on(
    whole: Callable[..., Outcome], scene: Callable[..., Scene], log: str
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    with (build.directory / log).open("ab") as file:
        file.write(b'{"kind": "call", "branch": 0, "st')
    ended = build.resume()
    assert ended.code == 0, ended.out
    holds_files(build, whole(small, *QUICK))


def test_without_its_wal_the_database_is_older_and_the_run_goes_on(
    whole: Callable[..., Outcome], scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    for name in ("checkpoints.sqlite-wal", "checkpoints.sqlite-shm"):
        (build.home / name).unlink()
    ended = build.resume()
    assert ended.code == 0, ended.err
    holds_files(build, whole(small, *QUICK))


@pytest.mark.parametrize("harm", ["cut", "overwritten", "no database"])
def test_a_damaged_database_is_named_and_nothing_else_is_touched(scene: Callable[..., Scene], harm: str) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    path = build.home / "checkpoints.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    path.write_bytes(
        {"cut": content[: len(content) // 2], "overwritten": content[:4096] + os.urandom(len(content) - 4096)}.get(
            harm, b"This was a database.\n" * 200
        )
    )
    before = {name: (build.directory / name).read_bytes() for name in LOGS}
    ended = build.resume()
    assert ended.code == 3
    assert one_sentence(ended.err)
    assert "checkpoints.sqlite" in ended.err
    assert {name: (build.directory / name).read_bytes() for name in LOGS} == before


def test_a_lost_database_is_begun_anew_and_no_finished_call_or_write_is_repeated(
    whole: Callable[..., Outcome], scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    for path in build.home.glob("checkpoints.sqlite*"):
        path.unlink()
    ended = build.resume()
    assert ended.code == 0, ended.err
    holds_files(build, whole(small, *QUICK))


def test_a_directory_that_may_not_be_written_suspends_the_run(
    launcher: Launcher,
    whole: Callable[..., Outcome],
    scene: Callable[..., Scene],
    small_disk: Callable[[Path, int], None],
) -> None:
    build = scene(small(), *QUICK)
    small_disk(build.home, 50_000)
    assert build.build(**strike(**LAST_WRITE)).killed
    subprocess.run(["mount", "-o", "remount,ro", str(build.home)], check=True)
    refused = build.resume()
    listed = launcher.run("runs", "list", "--json", **build.where)
    subprocess.run(["mount", "-o", "remount,rw", str(build.home)], check=True)
    assert refused.code == 3
    assert one_sentence(refused.err)
    assert "read-only" in refused.err or "readonly" in refused.err
    assert listed.result[0]["status"] == "interrupted"
    assert build.resume().code == 0
    holds_files(build, whole(small, *QUICK))


def test_a_run_whose_directory_is_gone_is_unknown_and_others_are_not_disturbed(
    launcher: Launcher, scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    run = build.run
    shutil.rmtree(build.directory)
    gone = launcher.run("runs", "resume", run, "--json", **build.where)
    assert gone.code == 2
    assert one_sentence(gone.err)
    assert f"no run starts with '{run}'" in gone.err
    assert launcher.run("runs", "list", "--json", **build.where).result == []
    assert build.build().code == 0


def test_someone_elses_change_is_refused_and_both_ways_out_work(
    launcher: Launcher, whole: Callable[..., Outcome], scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    mine = build.directory / "workspace" / "n2.py"
    mine.write_text("N = 3\n")
    refused = build.resume()
    assert refused.code == 3
    assert one_sentence(refused.err)
    assert "'n2.py'" in refused.err
    assert mine.read_text() == "N = 3\n"
    assert build.resume("--discard-changes").code == 0
    holds_files(build, whole(small, *QUICK))


@pytest.mark.parametrize("jump", ["-86400", "86400"])
def test_a_clock_that_jumps_changes_nothing(
    whole: Callable[..., Outcome], scene: Callable[..., Scene], jump: str
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(**LAST_WRITE)).killed
    build.env["FAULTS_CLOCK"] = jump
    ended = build.resume()
    assert ended.code == 0, ended.out
    holds_files(build, whole(small, *QUICK))
