"""The order of what was found: likeness first, and between things that are about as like, what has proved useful.

Likeness is a sum of scores and not of ranks: a rank says nothing about how far the first is before the second. With a
sentence model (all-MiniLM-L6-v2), fused ranks put .50 of the paraphrases first, fused scores .61, vectors alone .68,
which miss names. Hashed words have figures of their own (`benchmarks/recall.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tools.memory.records import SkillState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.memory.evidence import Count
    from tools.memory.records import Skill


class Weight(NamedTuple):
    """What words in common weigh beside the cosine: BM25 has no upper end, `most * b / (b + half)` has."""

    most: float
    half: float


# A sentence model knows more than the words: one rare word in common, a BM25 of about 5, is worth half of a little.
BESIDE_MEANING = Weight(0.2, 5.0)
# Hashed words do not know which words are rare, BM25 does, so it says as much, up to many words in common.
BESIDE_WORDS = Weight(1.0, 50.0)
NAMED, MENTIONED = 1.0, 0.4
# Two likenesses that differ by more than this are not turned round by any usefulness.
SWING = 0.1
# The family's rate counts like four runs, so that one lucky run does not overtake a tool with a long record.
_STRENGTH = 4.0
# What no oracle has proved is expected to do a little worse than its family.
_UNPROVED = 0.8


@dataclass(frozen=True)
class Hit:
    """A skill that was found.

    `cosine` is 0 where there was no vector, `words` is BM25, 0 where no word is the same; `useful` is from 0 to 1.
    """

    skill: Skill
    score: float
    cosine: float
    words: float
    identifier: bool
    useful: float = 0.5


def likeness(cosine: float, words: float, identifier: float = 0.0, weight: Weight = BESIDE_MEANING) -> float:
    """Cosine, BM25 (0 or more) and what a name adds, in one number."""
    return cosine + weight.most * words / (words + weight.half) + identifier


def usefulness(own: Count, family: Count, state: SkillState = SkillState.ACTIVE) -> float:
    """The expected share of runs that a skill helps: the mean of a Beta posterior, shrunk to its family's rate.

    `own` counts the verified runs that used it, `family` those of the others of its kind. The rule for such a mean:
    A. Gelman and others, "Bayesian Data Analysis", third edition, section 2.4.
    """
    expected = (family.won + 1) / (family.trials + 2)
    if state is not SkillState.ACTIVE:
        expected *= _UNPROVED
    return (own.won + _STRENGTH * expected) / (own.trials + _STRENGTH)


def ordered(hits: Iterable[Hit]) -> list[Hit]:
    """The hits by likeness, where usefulness may make up for at most `SWING`."""
    return sorted(hits, key=lambda hit: (-(hit.score + SWING * hit.useful), hit.skill.id))
