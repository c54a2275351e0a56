"""Pairs of skills that say nearly the same, for a person to look at; likeness alone merges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.memory.outbox import skill_owner
from tools.memory.records import SkillState
from tools.memory.vectors import vectors_of

if TYPE_CHECKING:
    from tools.memory.memory import Memory
    from tools.memory.records import Skill

LEAST = 0.9
"""The cosine from which two skills are worth a look.

It cannot tell them apart: descriptions of different things come as near (`benchmarks/recall.py`).
"""

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Pair:
    """Two skills, the cosine of their vectors, and whether they take and return the same."""

    first: Skill
    second: Skill
    cosine: float

    @property
    def same_signature(self) -> bool:
        """Whether one can be called in the place of the other."""
        return self.first.signature == self.second.signature

    def to_dict(self) -> dict[str, Any]:
        """The pair as JSON holds it."""
        ids = {"first": self.first.id, "second": self.second.id}
        return {**ids, "cosine": round(self.cosine, 4), "same_signature": self.same_signature}


def similar(memory: Memory, least: float = LEAST) -> list[Pair]:
    """The pairs of active and candidate skills, by the newest version of each name, whose cosine is at least `least`.

    Most alike first. The work grows with the square of their number: 10,000 take some seconds.
    """
    import numpy as np

    skills = memory.library.skills(states=(SkillState.ACTIVE, SkillState.CANDIDATE))
    owners = {skill_owner(skill.id): skill for skill in skills}
    stored = vectors_of(memory.library.database, memory.space().embedder.fingerprint, list(owners))
    compared = [skill for owner, skill in owners.items() if owner in stored]
    if not compared:
        return []
    rows = np.stack([np.frombuffer(stored[skill_owner(skill.id)], dtype="<f4") for skill in compared])
    pairs = []
    for start in range(0, len(rows), _AT_ONCE):
        cosines = rows[start : start + _AT_ONCE] @ rows.T
        for place, other in np.argwhere(cosines >= least):
            if start + place < other:
                pairs.append(Pair(compared[start + place], compared[other], float(cosines[place, other])))
    return sorted(pairs, key=lambda pair: (-pair.cosine, pair.first.id, pair.second.id))
