"""The order of what was found: likeness first, and between things that are about as like, what has proved useful.

Likeness is a sum of scores and not of ranks: a rank says nothing about how far the first is before the second, and
fusing ranks lost a quarter of the paraphrases that vectors alone find (`benchmarks/recall.py` measures both).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.memory.records import SkillState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.memory.records import Skill

WORDS_WEIGHT = 0.2
# BM25 has no upper end; b/(b+5) has, and a half at 5, which a match of one rare word reaches.
WORDS_HALF = 5.0
NAMED, MENTIONED = 1.0, 0.4
# Two likenesses that differ by more than this are not turned round by any usefulness.
SWING = 0.1
_PRIOR_USES = 4.0
_PRIOR_RATE = {SkillState.ACTIVE: 0.5, SkillState.CANDIDATE: 0.4}


@dataclass(frozen=True)
class Hit:
    """A skill that was found; `cosine` is 0 where there was no vector, `words` is BM25, 0 where no word is the same."""

    skill: Skill
    score: float
    cosine: float
    words: float
    identifier: bool


def likeness(cosine: float, words: float, identifier: float = 0.0) -> float:
    """Cosine, BM25 (0 or more) and what a name adds, in one number."""
    return cosine + WORDS_WEIGHT * words / (words + WORDS_HALF) + identifier


def usefulness(skill: Skill) -> float:
    """The mean of the Beta posterior of its success rate, from 0 to 1; what was never used gets its prior.

    The prior counts like four uses, so that one lucky call does not overtake a tool with a long record.
    """
    prior = _PRIOR_RATE.get(skill.state, 0.0)
    return (skill.successes + _PRIOR_USES * prior) / (skill.uses + _PRIOR_USES)


def ordered(hits: Iterable[Hit]) -> list[Hit]:
    """The hits by likeness, where usefulness may make up for at most `SWING`."""
    return sorted(hits, key=lambda hit: (-(hit.score + SWING * usefulness(hit.skill)), hit.skill.id))
