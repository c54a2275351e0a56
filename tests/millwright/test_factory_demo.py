"""The factory's demo: a recorded session through the real machinery, told as a session is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from demo.factory_answers import TASKS

from millwright.driving import resume
from millwright.factory_demo import KEPT, cassettes, play
from millwright.shelf import opened
from tools.runs.home import data_dir, run_ids

if TYPE_CHECKING:
    import pytest

    from millwright.factory_summary import Done


async def test_the_demo_comes_to_what_was_recorded_and_keeps_its_tools_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = data_dir() / KEPT / "nodes" / "of_the_last_time-1"
    old.mkdir(parents=True)
    done: list[Done] = []
    before = dict(os.environ)
    summary = await play(done.append, lambda _: None)
    assert [(d.outcome, d.decision, d.skill) for d in done] == [
        ("admitted", "write", "takt_time-1"),
        ("admitted", "write", "scrap_rate_percent-1"),
        ("reused", "reuse", "takt_time-1"),
        ("admitted", "adapt", "takt_time_seconds-1"),
        ("failed", "write", ""),
    ]
    assert "the right answer is" in done[-1].reasons[0]
    assert [d.proof.rpartition(", ")[2] for d in done[3:]] == ["uses takt_time-1", ""]
    assert (summary.total, summary.successful, summary.failed, summary.library) == (5, 4, 1, 3)
    assert dict(os.environ) == before
    assert {path.name for path in data_dir().iterdir()} == {".gitignore", KEPT, f"{KEPT}.lock"}
    assert summary.home == str(data_dir() / KEPT)
    assert not old.exists()
    monkeypatch.setenv("MILLWRIGHT_HOME", summary.home)
    assert [Path((await resume(run)).workspace).is_dir() for run in run_ids()] == [True] * 5
    shelf = opened("test")
    assert [skill.id for skill in shelf.active()] == ["scrap_rate_percent-1", "takt_time-1", "takt_time_seconds-1"]
    answer = await shelf.use(shelf.skill("takt_time_seconds"), {"available_minutes": 480, "demand": 240})
    assert answer.value == 120


def test_the_recordings_are_of_the_tasks_that_the_answers_are_for() -> None:
    recorded = [json.loads(path.read_text().splitlines()[0]) for path in cassettes()]
    assert [header["inputs"]["task"]["title"] for header in recorded] == [task.title for task in TASKS]
