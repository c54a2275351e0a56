"""Drawing: an endless, deterministic, reasonably spread sequence of tasks that repeat now and then."""

from __future__ import annotations

from collections import Counter

import pytest

from tools.errors import UsageError
from tools.tasks import ANY, domains, draw, families
from tools.tasks.registry import DOMAINS
from tools.tasks.variants import variants


def test_the_same_domain_seed_and_number_name_the_same_task() -> None:
    assert draw("manufacturing", 3, 41) == draw("manufacturing", 3, 41)
    assert draw("manufacturing", 3, 41).id != draw("manufacturing", 4, 41).id


def test_every_family_comes_once_in_each_lap() -> None:
    drawn = Counter(draw("manufacturing", 1, number).family for number in range(4 * len(families("manufacturing"))))
    assert set(drawn) == set(families("manufacturing"))
    assert max(drawn.values()) <= 12


def test_about_one_task_in_six_has_been_there_before() -> None:
    seen: set[str] = set()
    again = 0
    for number in range(600):
        task = draw("manufacturing", 5, number)
        again += task.id in seen
        seen.add(task.id)
    assert 60 <= again <= 200


def test_the_mixed_domain_draws_from_every_other_one() -> None:
    assert {draw(ANY, 1, number).domain for number in range(200)} == set(DOMAINS)
    assert ANY in domains()


def test_what_cannot_be_drawn_is_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="no domain 'cooking'; choose one of manufacturing"):
        draw("cooking", 0, 0)
    with pytest.raises(UsageError, match="numbered from 0, and -1"):
        draw("manufacturing", 0, -1)


def test_manufacturing_has_thousands_of_distinct_tasks() -> None:
    entries = [variant.entry for family in DOMAINS["manufacturing"] for variant in variants(family)]
    assert len(entries) == len(set(entries)) >= 2000
