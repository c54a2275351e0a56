"""A session of two workers, killed again and again at any moment: no task is lost, none is told or kept twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from faults.scenes import unlocked
from faults.sessions import Night, nothing_lost_and_nothing_twice, places_agree

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.soak)])
def test_two_workers_killed_at_any_moment_lose_nothing_and_do_nothing_twice(
    nights: Callable[..., Night], kills: int
) -> None:
    night = nights(4 + 5 * kills)
    began, moments = time.monotonic(), random.Random(kills)
    assert night.session(2, workers=2).code == 0
    seconds = time.monotonic() - began  # from the start of a process to the end of two tasks, on this machine
    for number in range(kills):
        assert night.session(10_000, workers=2, kill_after=moments.uniform(0, 1.5 * seconds)).killed
        if number % 10 == 9:
            places_agree(night)
    ended = night.session(max(len(night.left()), 1), workers=2)
    assert ended.code == 0, ended.err
    assert night.left() == set()
    nothing_lost_and_nothing_twice(night)
    places_agree(night)
    assert unlocked(night.home)
    print(len(night.told()), "tasks:", Counter(line["outcome"] for line in night.told()))
