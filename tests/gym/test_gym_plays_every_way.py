"""Every way to misbehave, alone and in pairs, through the real build: the right files or an honest failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gym import own_model

from millwright.gym.outcome import Outcome, score
from millwright.gym.playing import play_all
from millwright.gym.scenario import Scenario, pairs, sampled, singles
from millwright.gym.ways import REGISTRY

if TYPE_CHECKING:
    from millwright.gym.playing import Factory

BATCHES = 12
WRAPPERS = {"whole": own_model.whole, "streamed": own_model.streamed}


def one_of_each() -> list[Scenario]:
    """Every misbehaviour once: early, for ever or late, in turn."""
    played = {way: [s for s in singles() if s.ways == (way,)] for way in REGISTRY}
    return [variants[number % len(variants)] for number, variants in enumerate(played.values())]


def told(outcomes: list[Outcome]) -> list[str]:
    """A line for each outcome, for the message of a test that fails."""
    return [f"{o.scenario.name}: {o.ending}, wrong {o.wrong}, {o.calls} calls: {o.why}" for o in outcomes]


async def check(scenarios: list[Scenario], factory: Factory | None = None) -> None:
    """Play, and hold the build to the gym's target: nothing ends badly, and what is within reach is right."""
    outcomes = await play_all(scenarios, factory, at_once=6)
    assert told([o for o in outcomes if o.strikes == 0]) == []
    assert told([o for o in outcomes if not o.good]) == []
    assert told([o for o in outcomes if o.scenario.allows_right and o.ending != "right"]) == []


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_each_misbehaviour_alone(batch: int) -> None:
    await check(one_of_each()[batch::BATCHES])


@pytest.mark.parametrize("seed", range(3))
async def test_misbehaviours_in_pairs(seed: int) -> None:
    await check(pairs(12, seed))


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_a_chat_model_of_the_users_own_over_the_other_protocol(wrapper: str) -> None:
    await check(one_of_each()[3::12], WRAPPERS[wrapper])


@pytest.mark.soak
async def test_every_single_scenario_and_two_hundred_pairs() -> None:
    outcomes = await play_all(singles() + pairs(200, 1), at_once=6)
    assert told([o for o in outcomes if not o.good]) == []
    assert score(outcomes).right_share >= 0.95


@pytest.mark.soak
@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_half_of_all_over_the_other_protocol(wrapper: str) -> None:
    outcomes = await play_all(sampled(singles(), 0.5, 1) + pairs(50, 2), WRAPPERS[wrapper], at_once=6)
    assert told([o for o in outcomes if not o.good]) == []
    assert score(outcomes).right_share >= 0.95
