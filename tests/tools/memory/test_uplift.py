"""Whether the memory helps: who is held out, and what may be said of the difference."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from shelf import library_in, task

from tools.memory.efforts import held_out, request_of
from tools.memory.evidence import Count
from tools.memory.uplift import Side, Uplift, families, reuse_of, uplift_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.memory.library import Library


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    """An empty library in this test's data directory."""
    library = library_in(home)
    yield library
    library.database.close()


def tried(library: Library, arm: str, won: int, tasks: int, seconds: float = 1.0, **more: object) -> None:
    """Record so many tasks of one arm, each with a request of its own."""
    for number in range(tasks):
        key = f"{arm}/{more}/{number}"
        outcome = "admitted" if number < won else "failed"
        library.record_task(
            task(
                key, arm=arm, request=request_of(key), outcome=outcome, seconds={"write": seconds}, calls=4, **more
            )
        )


def test_a_request_is_the_same_whatever_its_case_and_white_space() -> None:
    assert request_of("Takt  time\n") == request_of("takt TIME")
    assert request_of("takt time") != request_of("cycle time")


@pytest.mark.parametrize("share", [0.0, 0.125, 0.5, 1.0])
def test_the_held_out_are_the_share_that_is_wanted_and_always_the_same_ones(share: float) -> None:
    requests = [request_of(f"request {number}") for number in range(4_000)]
    out = [held_out(request, share) for request in requests]
    assert sum(out) / len(out) == pytest.approx(share, abs=0.02)
    assert out == [held_out(request, share) for request in requests]
    # Who is held out at a small share is so at a larger one, too.
    assert all(held_out(request, 0.5) for request in requests if held_out(request, 0.125))


def test_few_tasks_are_not_enough_to_tell(library: Library) -> None:
    tried(library, "with", 9, 10)
    tried(library, "without", 2, 4)
    found = uplift_of(library.database, "factory")
    low, high = found.difference
    assert low < 0 < high
    assert found.verdict == "not enough data"
    assert found.needed > 300


@pytest.mark.parametrize(("won", "lost", "verdict"), [(90, 60, "the memory helps"), (60, 90, "the memory harms")])
def test_a_difference_that_the_interval_carries_is_said(
    library: Library, won: int, lost: int, verdict: str
) -> None:
    tried(library, "with", won, 100, seconds=2.0)
    tried(library, "without", lost, 100, seconds=8.0)
    found = uplift_of(library.database, "factory")
    assert found.verdict == verdict
    told = found.to_dict()
    assert (told["with"]["solved"], told["with"]["median_seconds"], told["without"]["median_seconds"]) == (
        won,
        2.0,
        8.0,
    )


def test_before_anything_was_held_out_nothing_is_claimed(library: Library) -> None:
    tried(library, "with", 400, 400)
    found = uplift_of(library.database, "factory")
    assert (found.difference, found.verdict, found.without.seconds) == ((-1.0, 1.0), "not enough data", None)


def test_the_same_request_again_is_no_new_evidence(library: Library) -> None:
    for number in range(50):
        library.record_task(task(f"k{number}", arm="with", request=request_of("one"), outcome="admitted"))
    assert uplift_of(library.database, "factory").given.count.trials == 1


def test_a_task_that_the_memory_could_not_help_is_on_no_side(library: Library) -> None:
    tried(library, "", 5, 10)
    found = uplift_of(library.database, "factory")
    assert (found.given.count.trials, found.without.count.trials) == (0, 0)


def test_a_comparison_is_made_for_each_family_that_was_held_out(library: Library) -> None:
    tried(library, "with", 5, 5, family="takt")
    tried(library, "without", 1, 2, family="takt")
    tried(library, "with", 3, 3, family="scrap")
    found = families(library.database)
    assert list(found) == ["takt"]
    assert (found["takt"].given.count.trials, found["takt"].without.count.won) == (5, 1)


def test_a_build_counts_when_its_verdict_is_known_and_as_it_was_judged_last(library: Library) -> None:
    for _ in range(2):
        library.assign("run", "build", request_of("a line"), "without")
    assert uplift_of(library.database, "build").without.count.trials == 0
    library.settle("run", verified=False)
    library.settle("run", verified=True)
    assert uplift_of(library.database, "build").without.count.won == 1
    assert uplift_of(library.database, "factory").without.count.trials == 0
    assert library.forget("run") == 1


def test_reuse_is_told_with_the_seconds_of_reused_and_of_new_tools(library: Library) -> None:
    for number, (outcome, seconds) in enumerate(
        [("admitted", 9.0), ("duplicate", 7.0), ("reused", 1.0), ("reused", 0.6), ("failed", 50.0)]
    ):
        library.record_task(
            task(str(number), outcome=outcome, seconds={"prove": seconds / 2, "write": seconds / 2})
        )
    found = reuse_of(library.database)
    assert (found.tasks, found.reused, found.reused_seconds, found.made_seconds) == (5, 2, 0.8, 8.0)


def test_what_the_intervals_say_of_no_difference_is_seldom_wrong() -> None:
    """Both sides have the same rate: in at most one comparison of twenty something else may be said."""
    rng, wrong, comparisons = random.Random(11), 0, 400
    for _ in range(comparisons):
        given, without = (Count(sum(rng.random() < 0.8 for _ in range(n)), n) for n in (140, 20))
        wrong += Uplift(Side(given, None, None), Side(without, None, None)).verdict != "not enough data"
    assert wrong / comparisons < 0.07
