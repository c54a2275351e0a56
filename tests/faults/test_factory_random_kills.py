"""A session of two workers, killed again and again at any moment: no task is lost, none is told or kept twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from faults.scenes import unlocked
from faults.sessions import Night, nothing_lost_and_nothing_twice, places_agree

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 8.0  # seconds that a session lives, of which the first two or so go by before its first task


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.soak)])
def test_two_workers_killed_at_any_moment_lose_nothing_and_do_nothing_twice(
    nights: Callable[..., Night], kills: int
) -> None:
    night = nights(4 + 5 * kills)
    moments = random.Random(kills)
    for number in range(kills):
        assert night.session(10_000, workers=2, kill_after=moments.uniform(1, LONGEST)).killed
        if number % 10 == 9:
            places_agree(night)
    ended = night.session(max(len(night.left()), 1), workers=2)
    assert ended.code == 0, ended.err
    assert night.left() == set()
    nothing_lost_and_nothing_twice(night)
    places_agree(night)
    assert unlocked(night.home)
    print(len(night.told()), "tasks:", Counter(line["outcome"] for line in night.told()))
