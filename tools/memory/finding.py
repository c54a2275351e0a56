"""From a text to skills: likeness of every kind in one list, a floor, then the current version of each name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.memory.embeddings.lexical import Lexical
from tools.memory.evidence import Count
from tools.memory.ranking import (
    BESIDE_MEANING,
    BESIDE_WORDS,
    MENTIONED,
    NAMED,
    Hit,
    likeness,
    ordered,
    usefulness,
)
from tools.memory.searching import by_name, by_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.library import Library
    from tools.memory.records import Skill, SkillState
    from tools.memory.spaces import Space

# The first phase of the ranking keeps this many, and the second orders them.
KEPT = 20
_FIRST_WIDTH = 50
_WIDER = 4


@dataclass(frozen=True)
class _Like:
    """How like one version of a skill is."""

    id: str
    score: float
    cosine: float
    words: float
    identifier: bool


class Finder:
    """One search: its text, its vector if there is one, and where to look."""

    def __init__(self, library: Library, text: str, space: Space | None, query: NDArray[np.float32] | None) -> None:
        """Look for `text` in `library`; without a vector, by its words alone."""
        self._library, self._text = library, text
        self._space, self._query = space, query

    def find(self, limit: int, tags: Collection[str], states: Collection[SkillState]) -> list[Hit]:
        """The skills in one of `states` with all of `tags`, most fitting first."""
        wanted = sorted({tag.strip().lower() for tag in tags})
        most, width = max(KEPT, limit), _FIRST_WIDTH
        while True:
            like = self._like(width)
            answering = self._answering([one.id for one in like], wanted, states)
            # What is found by any version of a name is answered, once, by the version that the name stands for.
            found: dict[str, _Like] = {}
            for one in like:
                if one.id in answering:
                    found.setdefault(answering[one.id], one)
            if len(found) >= most or len(like) < width:
                return ordered(self._hits(list(found.items())[:most]))[:limit]
            width *= _WIDER

    def _like(self, width: int) -> list[_Like]:
        """Everything above the floor among the `width` nearest by each way of looking, most like first."""
        database = self._library.database
        words = by_words(database, self._text, width)
        named = by_name(database, self._text)
        owners = {*words, *(f"skill:{skill_id}" for skill_id in named)}
        embedder, cosines = self._cosines(owners, width)
        floor, weight = embedder.floor, BESIDE_WORDS if embedder.degraded else BESIDE_MEANING
        found = []
        for owner in {*owners, *cosines}:
            skill_id = owner.partition(":")[2]
            name = 0.0 if skill_id not in named else NAMED if named[skill_id] else MENTIONED
            cosine, bm25 = cosines.get(owner, 0.0), words.get(owner, 0.0)
            score = likeness(cosine, bm25, name, weight)
            if score >= floor:
                found.append(_Like(skill_id, score, cosine, bm25, name > 0))
        return sorted(found, key=lambda like: (-like.score, like.id))

    def _cosines(self, owners: Iterable[str], width: int) -> tuple[Embedder, dict[str, float]]:
        """What compared the texts, and the cosines of the nearest and of `owners`."""
        if self._space is None or self._query is None:
            return self._lexical(list(owners))
        near = dict(self._space.nearest(self._query, width))
        others = [owner for owner in owners if owner not in near]
        return self._space.embedder, {**near, **self._space.cosines(self._query, others)}

    def _lexical(self, owners: list[str]) -> tuple[Embedder, dict[str, float]]:
        """What was found by words and names, compared by words: all that is left while the embedder is away."""
        embedder = Lexical()
        skills = {owner: skill for owner in owners if (skill := self._skill(owner.partition(":")[2]))}
        rows = embedder.embed([self._text, *(skill.words for skill in skills.values())])
        return embedder, dict(zip(skills, (rows[1:] @ rows[0]).tolist(), strict=True))

    def _answering(self, ids: list[str], tags: list[str], states: Collection[SkillState]) -> dict[str, str]:
        """For each id in one of these states: the version that answers to its name, if that has all of the tags."""
        given = {"ids": json.dumps(ids), "states": json.dumps(sorted(states)), "tags": json.dumps(tags)}
        rows = self._library.database.read(_ANSWERING, {**given, "count": len(tags)})
        return {row[0]: row[1] for row in rows}

    def _hits(self, found: list[tuple[str, _Like]]) -> list[Hit]:
        rows = self._library.database.read(_TRIALS, {"ids": json.dumps([skill_id for skill_id, _ in found])})
        trials = {row[0]: (Count(row[1], row[2]), Count(row[3], row[4])) for row in rows}
        hits = []
        for skill_id, one in found:
            skill = self._skill(skill_id)
            if skill is not None and skill_id in trials:
                useful = usefulness(*trials[skill_id], skill.state)
                hits.append(Hit(skill, one.score, one.cosine, one.words, one.identifier, useful))
        return hits

    def _skill(self, skill_id: str) -> Skill | None:
        try:
            return self._library.skill(skill_id)
        except UsageError:
            return None  # forgotten since it was found


_ANSWERING = """
    WITH found AS (
        SELECT id, (
            SELECT newest.id FROM skills AS newest
            WHERE newest.name = skills.name AND newest.state IN (SELECT value FROM json_each(:states))
            ORDER BY newest.state = 'active' DESC, newest.version DESC LIMIT 1
        ) AS answer
        FROM skills WHERE id IN (SELECT value FROM json_each(:ids))
        AND state IN (SELECT value FROM json_each(:states)))
    SELECT id, answer FROM found WHERE :count = (
        SELECT count(*) FROM tags WHERE owner = 'skill:' || answer AND tag IN (SELECT value FROM json_each(:tags)))
"""
_TRIALS = """
    SELECT id, won, trials, coalesce(others.won_by_all, 0) - won, coalesce(others.trials_of_all, 0) - trials
    FROM skills LEFT JOIN (
        SELECT family AS kind, sum(won) AS won_by_all, sum(trials) AS trials_of_all FROM skills
        WHERE family IN (SELECT family FROM skills WHERE id IN (SELECT value FROM json_each(:ids))) GROUP BY family
    ) AS others ON others.kind = skills.family
    WHERE id IN (SELECT value FROM json_each(:ids))
"""
