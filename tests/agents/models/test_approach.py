"""How an attempt is made: where experience begins, what a retry changes, what a profile keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.loops import rounds
from agents.models.approach import Approach, Experience, first_approach, next_approach
from agents.models.profiles import LAST, Profiles
from agents.models.protocols import Rung
from tools.errors import StorageFailed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("known", "rung"),
    [
        (Experience(), "native"),
        (Experience(can_call=False), "fenced"),
        (Experience(can_call=False, won={"fenced": 3}), "edits"),
        (Experience(probes={"native_call": False, "fenced_file": True}), "fenced"),
        (Experience(probes={"native_call": False, "fenced_file": True, "search_replace": True}), "edits"),
        (Experience(won={"native": 0, "fenced": 1}, lost={"native": 3}), "fenced"),
        (Experience(won={"native": 3}, lost={"native": 1}), "native"),
        (Experience(lost={"native": 2}), "native"),
    ],
)
def test_work_begins_where_experience_says(known: Experience, rung: str) -> None:
    assert first_approach(known).rung == rung


@pytest.mark.parametrize(
    ("failure", "changed"),
    [
        ("agent_failed", ("protocol", "size", "temperature")),
        ("stuck", ("temperature", "protocol", "size")),
        ("context_lost", ("size", "protocol", "temperature")),
    ],
)
def test_each_retry_changes_one_thing_and_none_twice(failure: str, changed: tuple[str, ...]) -> None:
    tried = [Approach()]
    for _ in changed:
        tried.append(next_approach(tried[-1], failure))
        before, after = (a.model_dump(exclude={"changed"}) for a in tried[-2:])
        assert sum(before[name] != after[name] for name in before) == 1
    assert tried[-1].changed == changed


def test_a_model_that_cannot_call_is_never_asked_to() -> None:
    approach = Approach(rung=Rung.FENCED, can_call=False)
    seen = set()
    for _ in range(4):
        approach = next_approach(approach, "agent_failed")
        assert approach.rung is Rung.FENCED
        seen.add(approach.model_dump_json(exclude={"changed"}))
    assert len(seen) >= 3


def test_an_attempt_is_counted_once(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "p.sqlite")
    assert profiles.experience("m") == Experience()
    for _ in range(2):
        profiles.remember("m", [("native", "run/A1#0", False), ("fenced", "run/A1#1", True)])
    profiles.remember("other", [("native", "run/A1#0", True)])
    found = profiles.experience("m")
    assert (found.won, found.lost) == ({"fenced": 1, "native": 0}, {"fenced": 0, "native": 1})


def test_only_the_last_attempts_of_each_rung_are_kept(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "p.sqlite")
    profiles.remember("m", [("fenced", "old", True)])
    profiles.remember("other", [("native", "old", True)])
    for start in range(0, 2 * LAST, 100):
        profiles.remember("m", [("native", f"run/A{n}", n >= LAST) for n in range(start, start + 100)])
    profiles.remember("m", [("native", f"run/A{2 * LAST - 1}", False)])  # a step that was done again counts once
    found = profiles.experience("m")
    assert (found.won, found.lost) == ({"fenced": 1, "native": LAST - 1}, {"fenced": 0, "native": 1})
    assert profiles.experience("other").won == {"native": 1}


def test_a_profile_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.write_bytes(b"this is no database, and it is long enough to be taken for one" * 20)
    with pytest.raises(StorageFailed, match="delete the file"):
        Profiles(path).experience("m")


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ("", 1),
        ("a", 1),
        ("aaa", 3),
        ("xaaaa", 4),
        ("ababab", 3),
        ("abcabcabc", 3),
        ("abab", 2),
        ("aab", 1),
        ("abcdabcdabcd", 1),
    ],
)
def test_circles_are_counted(steps: str, count: int) -> None:
    assert rounds(steps) == count
