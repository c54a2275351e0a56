"""The order of what was found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from shelf import offered

from tools.memory.evidence import Count
from tools.memory.ranking import (
    BESIDE_MEANING,
    BESIDE_WORDS,
    MENTIONED,
    NAMED,
    SWING,
    Hit,
    Weight,
    likeness,
    ordered,
    usefulness,
)
from tools.memory.records import Skill, SkillState

cosines = st.floats(-1, 1)
scores = st.floats(0, 100)


NOBODY = Count(0, 0)


def hit(name: str, score: float, useful: float) -> Hit:
    facts = {"version": 1, "state": SkillState.ACTIVE, "sha256": "", "created": ""}
    found = Skill(**offered(name).model_dump(), id=f"{name}-1", **facts)
    return Hit(found, score, score, 0.0, identifier=False, useful=useful)


@given(cosines, scores, scores, st.sampled_from([BESIDE_MEANING, BESIDE_WORDS]))
def test_more_words_in_common_never_lower_the_likeness_and_add_at_most_their_weight(
    cosine: float, few: float, more: float, weight: Weight
) -> None:
    few, more = sorted((few, more))
    assert (
        cosine <= likeness(cosine, few, 0.0, weight) <= likeness(cosine, more, 0.0, weight) < cosine + weight.most
    )


def test_a_name_outweighs_every_likeness_and_a_mention_most() -> None:
    assert likeness(0.0, 0.0, NAMED) >= likeness(0.8, 1e9) > likeness(0.3, 0.0, MENTIONED) > likeness(0.6, 1.0)


counts = st.builds(lambda won, lost: Count(won, won + lost), st.integers(0, 200), st.integers(0, 200))


@given(counts, counts, st.sampled_from([SkillState.ACTIVE, SkillState.CANDIDATE]))
def test_usefulness_is_a_share_that_grows_with_every_success(own: Count, family: Count, state: SkillState) -> None:
    now = usefulness(own, family, state)
    assert 0 < now < 1
    assert usefulness(Count(own.won + 1, own.trials + 1), family, state) > now
    assert usefulness(Count(own.won, own.trials + 1), family, state) < now
    assert usefulness(own, Count(family.won + 1, family.trials + 1), state) >= now


def test_one_lucky_run_does_not_overtake_a_long_record() -> None:
    assert usefulness(Count(36, 40), NOBODY) > usefulness(Count(1, 1), NOBODY)
    assert usefulness(NOBODY, NOBODY) > usefulness(NOBODY, NOBODY, SkillState.CANDIDATE)


def test_without_runs_of_its_own_a_skill_is_as_useful_as_its_family() -> None:
    assert usefulness(NOBODY, Count(98, 98)) > 0.98
    assert usefulness(NOBODY, Count(0, 98)) < 0.02


def test_between_about_equal_ones_the_more_useful_wins() -> None:
    good, bad = hit("good", 0.5, 0.9), hit("bad", 0.52, 0.1)
    assert ordered([bad, good]) == [good, bad]


@given(st.floats(0, 1), st.floats(SWING * 1.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_clear_difference_in_likeness_always_wins(score: float, gap: float, first: float, second: float) -> None:
    near, far = hit("near", score + gap, first), hit("far", score, second)
    assert ordered([far, near]) == [near, far]
