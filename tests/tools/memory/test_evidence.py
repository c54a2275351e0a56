"""The arithmetic of evidence against published and closed values, and what it does to skills over a long time."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.memory.evidence import (
    Count,
    beta_cdf,
    newcombe,
    probability_worse,
    proven,
    trials_needed,
    wilson,
    worse,
)

counts = st.integers(0, 400).flatmap(lambda n: st.builds(Count, st.integers(0, n), st.just(n)))
some = counts.filter(lambda count: count.trials > 0)


@pytest.mark.parametrize(("bound", "needed"), [(0.5, 4), (0.6, 6), (0.7, 9), (0.8, 16), (0.9, 35)])
def test_so_many_successes_in_a_row_reach_a_lower_bound(bound: float, needed: int) -> None:
    assert wilson(Count(needed, needed))[0] >= bound
    assert wilson(Count(needed - 1, needed - 1))[0] < bound


def _promoted(rate: float, bound: float, uses: int = 60) -> float:
    """The probability, exactly, that the lower bound is reached after one of so many uses."""
    at, reached = {0: 1.0}, 0.0
    for trials in range(1, uses + 1):
        after: dict[int, float] = {}
        for won, chance in at.items():
            after[won + 1] = after.get(won + 1, 0.0) + chance * rate
            after[won] = after.get(won, 0.0) + chance * (1 - rate)
        there = {won for won in after if wilson(Count(won, trials))[0] >= bound}
        reached += sum(after.pop(won) for won in there)
        at = after
    return reached


@pytest.mark.parametrize(
    ("bound", "chances"),
    # Simulated before this was written, for rates of .5, .7, .8, .9, .95 and .99.
    [(0.7, (0, 0.12, 0.59, 0.99, 1, 1)), (0.8, (0, 0.01, 0.08, 0.63, 0.96, 1)), (0.9, (0, 0, 0, 0.04, 0.29, 0.91))],
)
def test_a_lower_bound_promotes_as_often_as_was_simulated(bound: float, chances: tuple[float, ...]) -> None:
    rates = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
    assert [_promoted(rate, bound) for rate in rates] == pytest.approx(chances, abs=0.02)


def test_the_bound_that_proves_a_candidate_holds_back_what_fails_often() -> None:
    assert [round(_promoted(rate, 0.5), 2) for rate in (0.3, 0.5, 0.9, 0.99)] == [0.01, 0.16, 1, 1]


@pytest.mark.parametrize(("low", "high", "needed"), [(0.6, 0.7, 356), (0.6, 0.8, 82), (0.6, 0.9, 32)])
def test_so_many_uses_a_side_show_a_lift(low: float, high: float, needed: int) -> None:
    assert trials_needed(low, high) == needed


@pytest.mark.parametrize(
    ("won", "trials", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(won: int, trials: int, low: float, high: float) -> None:
    assert wilson(Count(won, trials)) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    # Newcombe, "Interval estimation for the difference ...", Statistics in Medicine 17 (1998), table II, method 10.
    [
        (Count(56, 70), Count(48, 80), 0.0524, 0.3339),
        (Count(9, 10), Count(3, 10), 0.1705, 0.8090),
        (Count(5, 56), Count(0, 29), -0.0381, 0.1926),
        (Count(0, 10), Count(0, 10), -0.2775, 0.2775),
    ],
)
def test_newcombes_interval_is_the_published_one(first: Count, second: Count, low: float, high: float) -> None:
    assert newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


@given(counts)
def test_an_interval_holds_the_rate_and_stays_between_0_and_1(count: Count) -> None:
    low, high = wilson(count)
    assert 0 <= low <= (count.won / count.trials if count.trials else 0.5) <= high <= 1


@given(counts)
def test_losses_mirror_successes(count: Count) -> None:
    low, high = wilson(count)
    assert wilson(Count(count.lost, count.trials)) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(some, some)
def test_a_difference_holds_the_difference_and_turns_its_sign(first: Count, second: Count) -> None:
    low, high = newcombe(first, second)
    assert -1 <= low <= first.won / first.trials - second.won / second.trials <= high <= 1
    assert newcombe(second, first) == pytest.approx((-high, -low), abs=1e-12)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_the_incomplete_beta_function_of_whole_numbers_is_a_binomial_sum(a: int, b: int, x: float) -> None:
    n = a + b - 1
    exact = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.floats(0.001, 0.999))
def test_the_arcsine_distribution_is_exact(x: float) -> None:
    assert beta_cdf(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)), abs=1e-12)


def test_the_ends_of_the_incomplete_beta_function_are_0_and_1() -> None:
    assert (beta_cdf(0, 2, 3), beta_cdf(1, 2, 3), beta_cdf(-1, 2, 3), beta_cdf(2, 2, 3)) == (0, 1, 0, 1)


@pytest.mark.parametrize(("skill", "family"), [(Count(1, 6), Count(40, 50)), (Count(7, 9), Count(0, 2))])
def test_the_probability_of_doing_worse_is_what_sampling_says(skill: Count, family: Count) -> None:
    rng = random.Random(7)
    a, b = 1 + family.won, 1 + family.lost
    rate, margin, strength, draws = a / (a + b), 0.1, 8.0, 40_000
    below = sum(
        rng.betavariate(strength * rate + skill.won, strength * (1 - rate) + skill.lost)
        < rng.betavariate(a, b) - margin
        for _ in range(draws)
    )
    assert probability_worse(skill, family) == pytest.approx(below / draws, abs=0.01)


@given(counts, counts, st.integers(1, 20))
def test_a_failure_more_never_makes_a_skill_look_better(skill: Count, family: Count, more: int) -> None:
    before = probability_worse(skill, family)
    after = probability_worse(Count(skill.won, skill.trials + more), family)
    assert 0 <= before <= after + 1e-6 <= 1 + 2e-6


@given(counts)
def test_no_failure_and_one_failure_alone_suspend_nothing(family: Count) -> None:
    assert not worse(Count(5, 5), family)
    assert not worse(Count(0, 0), family)
    assert not worse(Count(0, 1), Count(0, 0))


def test_a_skill_without_a_family_is_suspended_when_it_fails_more_often_than_not() -> None:
    nobody = Count(0, 0)
    assert not worse(Count(0, 3), nobody)
    assert worse(Count(0, 4), nobody)


@pytest.mark.parametrize(
    ("family", "rate", "least", "most"),
    [(0.6, 0.6, 0, 0.1), (0.9, 0.9, 0, 0.03), (0.99, 0.99, 0, 0.03), (0.9, 0.5, 0.97, 1), (0.9, 0.7, 0.65, 1)],
)
def test_in_sixty_uses_the_bad_are_suspended_and_the_usual_are_not(
    family: float, rate: float, least: float, most: float
) -> None:
    rng, others, skills = random.Random(3), Count(round(family * 100), 100), 200
    suspended = lru_cache(maxsize=None)(lambda won, trials: worse(Count(won, trials), others))

    def ends_suspended() -> bool:
        won = 0
        for trials in range(1, 61):
            won += rng.random() < rate
            if suspended(won, trials):
                return True
        return False

    assert least <= sum(ends_suspended() for _ in range(skills)) / skills <= most


@pytest.mark.parametrize(("rate", "most"), [(0.5, 0.2), (0.3, 0.03)])
def test_a_skill_that_fails_often_is_seldom_taken_for_proven(rate: float, most: float) -> None:
    rng, skills = random.Random(5), 400

    def promoted() -> bool:
        won = 0
        for trials in range(1, 61):
            won += rng.random() < rate
            if proven(Count(won, trials)):
                return True
        return False

    assert sum(promoted() for _ in range(skills)) / skills <= most
