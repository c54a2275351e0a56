"""Retiring what is offered again and again and never taken. Nothing is deleted, and a person's word brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.memory.records import SkillState
from tools.memory.uses import set_state

if TYPE_CHECKING:
    import sqlite3

    from tools.memory.records import Transition


def retire(cursor: sqlite3.Cursor, runs: int) -> list[Transition]:
    """Retire what so many runs were shown since it was last used, or its state last changed, and none has used.

    Time does not count, nor a run that was shown other things: what nobody needed yet is none the worse for it. What
    another skill is made of is in use.
    """
    found = cursor.execute(_UNUSED, (runs,)).fetchall()
    changes = []
    for name, shown, moves in found:
        why = f"{shown} runs were shown it since it was last used, and none used it"
        changes.append(set_state(cursor, name, SkillState.RETIRED, why, f"unused:{name}:{moves}"))
    return [change for change in changes if change is not None]


_UNUSED = """
    SELECT id, (
        SELECT count(DISTINCT run) FROM exposures WHERE exposures.skill = id
        AND at > coalesce((SELECT max(at) FROM uses WHERE uses.skill = id), '')
        AND at > coalesce((SELECT max(at) FROM transitions WHERE transitions.skill = id), '')
    ) AS shown, (SELECT count(*) FROM transitions WHERE transitions.skill = id) AS moves
    FROM skills WHERE state IN ('active', 'candidate') AND shown >= ? AND NOT EXISTS (
        SELECT 1 FROM requirements JOIN skills AS made ON made.id = requirements.skill
        WHERE requirements.required = skills.id AND made.state != 'retired')
    ORDER BY id
"""
