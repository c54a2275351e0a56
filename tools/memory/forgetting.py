"""Deleting for good: every row, word and vector of something.

What stays is its id in the log of changes, so that projections, and processes that hold it in memory, drop it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.memory.outbox import note, skill_owner, workflow_owner
from tools.memory.rows import unindex
from tools.memory.uses import recount_trials

if TYPE_CHECKING:
    import sqlite3

# Tables that hold a skill's id in a column `skill`; its task holds its code, too.
_OF_A_SKILL = (
    "DELETE FROM admissions WHERE skill = ?",
    "DELETE FROM requirements WHERE skill = ?",
    "DELETE FROM transitions WHERE skill = ?",
    "DELETE FROM aliases WHERE skill = ?",
    "DELETE FROM exposures WHERE skill = ?",
    "DELETE FROM uses WHERE skill = ?",
    "DELETE FROM trials WHERE skill = ?",
    "DELETE FROM runs WHERE skill = ?",
    "DELETE FROM skills WHERE id = ?",
)
_OF_A_RUN = (
    "DELETE FROM exposures WHERE run = ?",
    "DELETE FROM uses WHERE run = ?",
    "DELETE FROM trials WHERE run = ?",
    "DELETE FROM runs WHERE run = ?",
    "DELETE FROM efforts WHERE run = ?",
)


def forget(cursor: sqlite3.Cursor, what: str) -> int:
    """Delete an owner, a skill's id, every version of a name, a workflow, or all that a run left; count the rows.

    Raises:
        UsageError: a skill that stays is made of one that would go.
    """
    kind, _, name = what.rpartition(":")
    bare = name if kind in ("skill", "workflow") else what
    skills = [] if kind == "workflow" else _ids(cursor, "SELECT id FROM skills WHERE ?1 IN (id, name, run)", bare)
    workflows = (
        []
        if kind == "skill"
        else _ids(cursor, "SELECT id FROM workflows WHERE id = ?1 OR id GLOB ?1 || ':*'", bare)
    )
    _refuse_if_needed(cursor, skills)
    count = sum(_forget_skill(cursor, skill) for skill in skills)
    count += sum(_forget_workflow(cursor, workflow) for workflow in workflows)
    if not kind:
        count += _forget_run(cursor, what)
    if count:
        # A deleted word stays in the index's older segments until they are merged.
        cursor.execute("INSERT INTO words (words) VALUES ('optimize')")
    return count


def _ids(cursor: sqlite3.Cursor, sql: str, name: str) -> list[str]:
    return [row[0] for row in cursor.execute(sql, (name,)).fetchall()]


def _refuse_if_needed(cursor: sqlite3.Cursor, skills: list[str]) -> None:
    for skill in skills:
        for row in cursor.execute("SELECT skill FROM requirements WHERE required = ? ORDER BY skill", (skill,)):
            if row[0] not in skills:
                raise UsageError(f"{skill!r} cannot be forgotten: {row[0]!r} is made of it; forget that first")


def _forget_skill(cursor: sqlite3.Cursor, skill: str) -> int:
    count = sum(cursor.execute(sql, (skill,)).rowcount for sql in _OF_A_SKILL)
    return count + _forget_owner(cursor, skill_owner(skill))


def _forget_workflow(cursor: sqlite3.Cursor, workflow: str) -> int:
    count = cursor.execute("DELETE FROM workflows WHERE id = ?", (workflow,)).rowcount
    return count + _forget_owner(cursor, workflow_owner(workflow))


def _forget_owner(cursor: sqlite3.Cursor, owner: str) -> int:
    unindex(cursor, owner)
    note(cursor, owner, "delete")
    return cursor.execute("DELETE FROM vectors WHERE owner = ?", (owner,)).rowcount


def _forget_run(cursor: sqlite3.Cursor, run: str) -> int:
    """Delete what a run left beside its skills; the skills that it used lose what it said of them."""
    used = _ids(cursor, "SELECT DISTINCT skill FROM uses WHERE run = ?", run)
    count = sum(cursor.execute(sql, (run,)).rowcount for sql in _OF_A_RUN)
    for skill in used:
        cursor.execute(
            "UPDATE skills SET (uses, successes) = (SELECT count(*), "
            "coalesce(sum(verified = 1 AND outcome = 'returned'), 0) FROM uses WHERE skill = ?1) WHERE id = ?1",
            (skill,),
        )
        recount_trials(cursor, skill)
        note(cursor, skill_owner(skill), "count")
    return count
