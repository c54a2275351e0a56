"""A task that is done again after a crash finds the register as it found it the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.runs.lineage import Lineage, Position
from tools.runs.register import Register

if TYPE_CHECKING:
    from pathlib import Path

PLACE = Position(0, 1)


def opened(folder: Path) -> Register:
    return Register(folder / "register.jsonl", Lineage(folder / "lineage.jsonl"))


def test_what_a_killed_task_wrote_is_not_seen_when_it_is_done_again(tmp_path: Path) -> None:
    register = opened(tmp_path)
    register.write(Position(0, 0), "plan", [("blocker", "B1", "open")])
    register.write(PLACE, "remediate", [("assignment", "R100", "mend"), ("blocker", "B1", "closed")])
    register.close()

    again = opened(tmp_path)
    again.redo(PLACE, "remediate")
    assert again.read() == {"blocker": {"B1": "open"}}
    again.write(PLACE, "remediate", [("assignment", "R101", "mend")])
    assert again.read() == {"blocker": {"B1": "open"}, "assignment": {"R101": "mend"}}
    again.close()

    assert opened(tmp_path).read() == {"blocker": {"B1": "open"}, "assignment": {"R101": "mend"}}


def test_only_the_line_of_that_task_at_that_point_is_taken_back(tmp_path: Path) -> None:
    register = opened(tmp_path)
    register.write(PLACE, "develop/A1#0", [("outcome", "A1#0", "finished")])
    register.write(Position(0, 2), "check", [("fact", "x", 1)])
    register.redo(PLACE, "check")
    assert register.read() == {"outcome": {"A1#0": "finished"}, "fact": {"x": 1}}


def test_a_line_that_was_written_again_counts_from_where_it_stands(tmp_path: Path) -> None:
    register = opened(tmp_path)
    register.write(PLACE, "a", [("fact", "x", "first a")])
    register.write(PLACE, "b", [("fact", "x", "b")])
    register.write(PLACE, "a", [("fact", "x", "second a")])
    assert register.read() == {"fact": {"x": "second a"}}
    assert opened(tmp_path).read() == {"fact": {"x": "second a"}}
