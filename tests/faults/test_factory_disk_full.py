"""A disk that fills up in a session of the factory ends it with one sentence; with space the next one goes on."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from faults.sessions import nothing_lost_and_nothing_twice, places_agree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faults.clients import Ended
    from faults.sessions import Night

TASKS = 2
SOME = (120, 660)  # KiB: in the first task, and while others are told
SIZES = range(60, 840, 60)


def why(ended: Ended) -> str:
    """The sentence that the session ended with."""
    return str(ended.result["stopped"]) if ended.out else ended.err.strip()


@pytest.mark.parametrize(
    "size", [*SOME, *(pytest.param(size, marks=pytest.mark.soak) for size in SIZES if size not in SOME)]
)
def test_a_full_disk_ends_the_session_with_one_sentence_and_with_space_the_next_goes_on(
    nights: Callable[..., Night], small_disk: Callable[[Path, int], None], size: int
) -> None:
    night = nights()
    small_disk(night.home, size)
    full = night.session(TASKS)
    assert full.code == 3, (full.code, full.out, full.err)
    assert "full" in why(full), (full.out, full.err)
    assert "\n" not in why(full)
    acknowledged = [line["run"] for line in night.told()]
    assert len(acknowledged) < TASKS
    subprocess.run(["mount", "-o", "remount,size=100m", str(night.home)], check=True)
    ended = night.session(TASKS - len(acknowledged))
    assert ended.code == 0, ended.err
    told = [line["run"] for line in night.told()]
    assert told[: len(acknowledged)] == acknowledged
    assert len(told) == TASKS
    assert night.left() == set()
    nothing_lost_and_nothing_twice(night)
    places_agree(night)


def test_a_task_whose_line_the_logs_disk_does_not_take_is_told_by_the_next_session(
    nights: Callable[..., Night], small_disk: Callable[[Path, int], None], tmp_path: Path
) -> None:
    night, disk = nights(), tmp_path / "logs"
    small_disk(disk, 8)
    night.log = disk / "night.jsonl"
    night.log.write_text(json.dumps({"kind": "note", "text": "x" * 8000}) + "\n")
    full = night.session(1)
    assert full.code == 3
    assert f"cannot write '{night.log}': the disk is full" in why(full)
    assert night.told() == []
    subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
    ended = night.session(1)
    assert ended.code == 0, ended.err
    assert ended.result["total"] == 1
    nothing_lost_and_nothing_twice(night)
