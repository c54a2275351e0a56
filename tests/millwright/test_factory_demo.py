"""The factory's demo: a recorded session through the real machinery, told as a session is told."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from demo.factory_answers import TASKS

from millwright.factory_demo import cassettes, play
from tools.runs.home import data_dir

if TYPE_CHECKING:
    import pytest

    from millwright.factory_summary import Done


async def test_the_demo_comes_to_what_was_recorded_and_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
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
    assert (summary.total, summary.successful, summary.failed, summary.library) == (5, 4, 1, 3)
    assert dict(os.environ) == before
    assert not (data_dir() / "runs").exists()


def test_the_recordings_are_of_the_tasks_that_the_answers_are_for() -> None:
    recorded = [json.loads(path.read_text().splitlines()[0]) for path in cassettes()]
    assert [header["inputs"]["task"]["title"] for header in recorded] == [task.title for task in TASKS]
