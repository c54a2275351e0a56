"""From a text to skills: likeness of every kind in one list, a floor, then the current version of each name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.errors import StorageFailed, UsageError
from tools.memory.comparing import Comparison
from tools.memory.evidence import Count
from tools.memory.ranking import MENTIONED, NAMED, Hit, ordered, usefulness
from tools.memory.searching import by_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from tools.memory.comparing import Like, Query
    from tools.memory.library import Library
    from tools.memory.records import Skill, SkillState

# The first phase of the ranking keeps this many, and the second orders them.
KEPT = 20
FIRST_WIDTH = 50
WIDER = 4


class Finder:
    """One search: what is looked for, and where."""

    def __init__(self, library: Library, query: Query) -> None:
        """Look for `query` in `library`; without a vector, by its words alone."""
        self._library, self._query = library, query

    def find(self, limit: int, tags: Collection[str], states: Collection[SkillState]) -> list[Hit]:
        """The skills in one of `states` with all of `tags`, most fitting first."""
        wanted = sorted({tag.strip().lower() for tag in tags})
        most, width = max(KEPT, limit), FIRST_WIDTH
        comparison = Comparison(self._library.database, self._query, "skill", self._text)
        named = by_name(self._library.database, self._query.text)
        names = {skill_id: NAMED if whole else MENTIONED for skill_id, whole in named.items()}
        while True:
            like = comparison.nearest(width, names)
            answering = self._answering([one.id for one in like], wanted, states)
            # What is found by any version of a name is answered, once, by the version that the name stands for.
            found: dict[str, Like] = {}
            for one in like:
                if one.id in answering:
                    found.setdefault(answering[one.id], one)
            if len(found) >= most or len(like) < width:
                return ordered(self._hits(list(found.items())[:most]))[:limit]
            width *= WIDER

    def _answering(self, ids: list[str], tags: list[str], states: Collection[SkillState]) -> dict[str, str]:
        """For each id in one of these states: the version that answers to its name, if that has all of the tags."""
        given = {"ids": json.dumps(ids), "states": json.dumps(sorted(states)), "tags": json.dumps(tags)}
        rows = self._library.database.read(_ANSWERING, {**given, "count": len(tags)})
        return {row[0]: row[1] for row in rows}

    def _hits(self, found: list[tuple[str, Like]]) -> list[Hit]:
        rows = self._library.database.read(_TRIALS, {"ids": json.dumps([skill_id for skill_id, _ in found])})
        trials = {row[0]: (Count(row[1], row[2]), Count(row[3], row[4])) for row in rows}
        hits = []
        for skill_id, one in found:
            skill = self._skill(skill_id)
            if skill is not None and skill_id in trials:
                useful = usefulness(*trials[skill_id], skill.state)
                hits.append(Hit(skill, one.score, one.cosine, one.words, one.identifier, useful))
        return hits

    def _text(self, skill_id: str) -> str | None:
        skill = self._skill(skill_id)
        return skill.words if skill else None

    def _skill(self, skill_id: str) -> Skill | None:
        try:
            return self._library.skill(skill_id)
        except (UsageError, StorageFailed):
            return None  # forgotten since it was found, or altered, which the doctor tells


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
