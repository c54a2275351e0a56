"""What must hold between references, whatever the numbers are."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.tasks.manufacturing import capability, effectiveness, flow, ordering, quality, reliability, yields
from tools.tasks.registry import DOMAINS

MANUFACTURING = {family.name: family for family in DOMAINS["manufacturing"]}
minutes = st.floats(1, 10_000)
shares = st.floats(0.01, 1)


@given(st.floats(100, 1000), st.floats(0, 99), st.floats(0.1, 5), st.integers(1, 1000), st.integers(0, 1000))
def test_oee_is_at_most_each_of_its_factors_where_the_others_are_at_most_one(
    planned: float, downtime: float, cycle: float, total: int, defects: int
) -> None:
    defects = min(defects, total)
    a = effectiveness.availability(planned, downtime)
    p = effectiveness.performance(planned - downtime, cycle, total, False)
    q = effectiveness.quality(total, defects)
    found = effectiveness.oee(planned, downtime, cycle, total, defects)
    assert found <= p * (1 + 1e-12)
    if p <= 1:
        assert found <= min(a, q) * (1 + 1e-12)


@given(st.floats(1, 100), st.floats(0, 1), st.floats(0.1, 5), st.integers(1, 1000))
def test_teep_is_at_most_oee(calendar: float, share: float, cycle: float, total: int) -> None:
    planned = max(1e-3, calendar * 60 * share)
    found = effectiveness.teep(calendar, planned, 0, cycle, total, 0)
    assert found <= effectiveness.oee(planned, 0, cycle, total, 0) * (1 + 1e-12)


@given(minutes, st.integers(1, 10_000))
def test_takt_time_and_demand_undo_each_other(available: float, demand: int) -> None:
    takt_seconds = flow.takt_time(available, demand) * 60
    assert math.isclose(flow.demand_at_takt(available, takt_seconds), demand)


@given(st.integers(0, 10_000), st.floats(0.1, 1000))
def test_littles_law_closes(wip: int, throughput: float) -> None:
    assert math.isclose(flow.work_in_process(throughput, flow.lead_time(wip, throughput)), wip)


@given(st.floats(-100, 100), st.floats(0.1, 50), st.floats(-150, 150), st.floats(0.01, 20))
def test_cpk_and_cpm_are_at_most_cp(lower: float, width: float, mean: float, sigma: float) -> None:
    cp = capability.cp(lower, lower + width, sigma)
    assert capability.cpk(lower, lower + width, mean, sigma) <= cp + 1e-9
    assert capability.cpm(lower, lower + width, mean, sigma, lower + width / 2) <= cp + 1e-9


@given(st.lists(shares, min_size=1, max_size=8))
def test_a_chain_is_as_good_as_its_worst_step_at_most(steps: list[float]) -> None:
    rolled = yields.rolled_throughput_yield(steps)
    assert rolled <= min(steps) * (1 + 1e-12)
    assert min(steps) * (1 - 1e-9) <= yields.normalised_yield(steps) <= max(steps) * (1 + 1e-9)
    assert reliability.series(steps, False) <= max(steps) <= reliability.series(steps, True) + 1e-12


@given(st.floats(0.1, 1000), st.floats(0, 0.99))
def test_the_mtbf_that_an_availability_needs_gives_that_availability(mttr: float, wanted: float) -> None:
    mtbf = reliability.mtbf_needed(mttr, wanted)
    if mtbf > 0:
        assert math.isclose(reliability.inherent_availability(mtbf, mttr), wanted, rel_tol=1e-9, abs_tol=1e-12)


@given(st.floats(1, 1e5), st.floats(0.1, 1e3), st.floats(0.1, 1e3), st.floats(0.5, 2))
def test_no_quantity_costs_less_than_the_economic_one(
    demand: float, order: float, hold: float, away: float
) -> None:
    best = ordering.economic_order_quantity(demand, order, hold)
    least = ordering.stock_cost(demand, best, order, hold)
    assert least <= ordering.stock_cost(demand, best * away, order, hold) * (1 + 1e-12)


@given(st.floats(1, 999_000), st.floats(1, 999_000))
def test_fewer_defects_mean_a_higher_sigma_level(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert quality.sigma_level(low, 1.5) >= quality.sigma_level(high, 1.5)


@pytest.mark.parametrize(
    "name", [name for name, f in MANUFACTURING.items() if f.additive and f.gives.kind == "ratio"]
)
def test_a_ratio_does_not_depend_on_the_unit_of_what_is_divided(name: str) -> None:
    """Additive families are ratios of sums: three times everything gives the same."""
    family = MANUFACTURING[name]
    random = Random(name)
    for _ in range(20):
        drawn = family.sample(random)
        tripled = {key: value * 3 for key, value in drawn.items()}
        for option in family.options:
            assert math.isclose(
                family.core(**drawn, **option.bind), family.core(**tripled, **option.bind), abs_tol=1e-12
            )
