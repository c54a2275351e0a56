"""The order of what was found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from shelf import offered

from tools.memory.ranking import MENTIONED, NAMED, SWING, Hit, likeness, ordered, usefulness
from tools.memory.records import Skill, SkillState

cosines = st.floats(-1, 1)
scores = st.floats(0, 100)


def skill(
    name: str = "takt_time", uses: int = 0, successes: int = 0, state: SkillState = SkillState.ACTIVE
) -> Skill:
    facts = {"version": 1, "state": state, "sha256": "", "created": "", "uses": uses, "successes": successes}
    return Skill(**offered(name).model_dump(), id=f"{name}-1", **facts)


def hit(found: Skill, score: float) -> Hit:
    return Hit(found, score, score, 0.0, identifier=False)


@given(cosines, scores, scores)
def test_more_words_in_common_never_lower_the_likeness_and_add_at_most_a_fifth(
    cosine: float, few: float, more: float
) -> None:
    few, more = sorted((few, more))
    assert cosine <= likeness(cosine, few) <= likeness(cosine, more) < cosine + 0.2


def test_a_name_outweighs_every_likeness_and_a_mention_most() -> None:
    assert likeness(0.0, 0.0, NAMED) >= likeness(0.8, 1e9) > likeness(0.3, 0.0, MENTIONED) > likeness(0.6, 1.0)


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([SkillState.ACTIVE, SkillState.CANDIDATE]))
def test_usefulness_is_a_share_that_grows_with_every_success(
    successes: int, failures: int, state: SkillState
) -> None:
    uses = successes + failures
    now = usefulness(skill(uses=uses, successes=successes, state=state))
    assert 0 <= now <= 1
    assert usefulness(skill(uses=uses + 1, successes=successes + 1, state=state)) > now
    assert usefulness(skill(uses=uses + 1, successes=successes, state=state)) < now or now == 0


def test_one_lucky_call_does_not_overtake_a_long_record() -> None:
    assert usefulness(skill(uses=40, successes=36)) > usefulness(skill(uses=1, successes=1))
    assert usefulness(skill()) > usefulness(skill(state=SkillState.CANDIDATE))


def test_between_about_equal_ones_the_more_useful_wins() -> None:
    good, bad = skill("good", 20, 20), skill("bad", 20, 0)
    assert ordered([hit(bad, 0.52), hit(good, 0.5)])[0].skill == good


@given(st.floats(0, 1), st.floats(SWING * 1.01, 1), st.integers(0, 99), st.integers(0, 99))
def test_a_clear_difference_in_likeness_always_wins(score: float, gap: float, first: int, second: int) -> None:
    near = hit(skill("near", 99, first), score + gap)
    far = hit(skill("far", 99, second), score)
    assert ordered([far, near]) == [near, far]
