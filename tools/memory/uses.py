"""Uses of skills, and what they come to: evidence, promotion, suspension.

The calls of one run share one verdict, so a run is one trial of each skill that it used, however often it called it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.events import now
from tools.memory import lookup
from tools.memory.evidence import Count, proven, wilson, worse
from tools.memory.outbox import note, skill_owner
from tools.memory.records import SkillState, Transition, Use
from tools.memory.rows import body_of, loaded, plain

if TYPE_CHECKING:
    import sqlite3

    from tools.memory.database import Database


def insert(cursor: sqlite3.Cursor, use: Use) -> None:
    """Add one call, unless its key is known or its skill is gone."""
    row = (use.key, use.skill, use.run, use.outcome, use.verified, now(), body_of(use))
    added = cursor.execute(
        "INSERT INTO uses SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM skills WHERE id = ?2) "
        "ON CONFLICT DO NOTHING",
        row,
    ).rowcount
    if not added:
        return
    won = use.verified is True and use.outcome == "returned"
    cursor.execute("UPDATE skills SET uses = uses + 1, successes = successes + ? WHERE id = ?", (won, use.skill))
    note(cursor, skill_owner(use.skill), "count")
    if use.verified is not None:
        _judge(cursor, use.skill, use.run)


def settle(cursor: sqlite3.Cursor, run: str, verified: bool) -> list[Transition]:
    """Give every call of a run the run's verdict, and judge the skills it used."""
    names = [
        row[0] for row in cursor.execute("SELECT DISTINCT skill FROM uses WHERE run = ? ORDER BY skill", (run,))
    ]
    changed = (_settled(cursor, run, name, verified) for name in names)
    return [transition for transition in changed if transition is not None]


def failures(database: Database, skill_id: str, limit: int) -> list[tuple[str, Use]]:
    """The newest calls of a skill that did not return, each with its time; newest first."""
    sql = "SELECT at, body FROM uses WHERE skill = ? AND outcome != 'returned' ORDER BY rowid DESC LIMIT ?"
    return [(row["at"], Use.model_validate(loaded(row["body"]))) for row in database.read(sql, (skill_id, limit))]


def set_state(cursor: sqlite3.Cursor, skill_id: str, state: SkillState, why: str, key: str) -> Transition | None:
    """Move a skill to a state and write down why; None if the key is known or it is there already.

    Raises:
        SkillUnknown: there is no such skill.
    """
    before = lookup.by_id(cursor, skill_id).state
    done = cursor.execute("SELECT 1 FROM transitions WHERE key = ?", (key,)).fetchone()
    if done or before is state:
        return None
    change = Transition(skill=skill_id, before=before, after=state, why=plain(why), key=key, at=now())
    cursor.execute(
        "INSERT INTO transitions (key, skill, before, after, why, at) "
        "VALUES (:key, :skill, :before, :after, :why, :at)",
        change.model_dump(mode="json"),
    )
    cursor.execute("UPDATE skills SET state = ? WHERE id = ?", (state, skill_id))
    note(cursor, skill_owner(skill_id), "put")
    return change


def _settled(cursor: sqlite3.Cursor, run: str, name: str, verified: bool) -> Transition | None:
    before = _returned(cursor, run, name)
    cursor.execute("UPDATE uses SET verified = ? WHERE run = ? AND skill = ?", (verified, run, name))
    gained = _returned(cursor, run, name) - before
    cursor.execute("UPDATE skills SET successes = successes + ? WHERE id = ?", (gained, name))
    note(cursor, skill_owner(name), "count")
    return _judge(cursor, name, run)


def _returned(cursor: sqlite3.Cursor, run: str, name: str) -> int:
    sql = "SELECT count(*) FROM uses WHERE run = ? AND skill = ? AND outcome = 'returned' AND verified = 1"
    return int(cursor.execute(sql, (run, name)).fetchone()[0])


def _judge(cursor: sqlite3.Cursor, name: str, run: str) -> Transition | None:
    """Make a run a trial of a skill, and draw the consequence."""
    won = _won(cursor, run, name)
    if won is None:
        cursor.execute("DELETE FROM trials WHERE skill = ? AND run = ?", (name, run))
    else:
        cursor.execute(
            "INSERT INTO trials (skill, run, won) VALUES (?, ?, ?) "
            "ON CONFLICT (skill, run) DO UPDATE SET won = excluded.won",
            (name, run, won),
        )
    recount_trials(cursor, name)
    state, family, *counted = cursor.execute(
        "SELECT state, family, won, trials FROM skills WHERE id = ?", (name,)
    ).fetchone()
    own = Count(*counted)
    others = _others(cursor, own, family)
    if state == SkillState.CANDIDATE and proven(own):
        low, _ = wilson(own)
        why = f"{own.won} of {own.trials} runs that used it were verified: their rate is at least {low:.2f}"
        return set_state(cursor, name, SkillState.ACTIVE, why, f"settle:{run}:{name}:active")
    # A success suspends nothing, so that what a person approved again is tried before it is judged again.
    if state in (SkillState.CANDIDATE, SkillState.ACTIVE) and won is False and worse(own, others):
        why = (
            f"{own.won} of {own.trials} runs that used it were verified, of others of its kind "
            f"{others.won} of {others.trials}: it does worse"
        )
        return set_state(cursor, name, SkillState.SUSPENDED, why, f"settle:{run}:{name}:suspended")
    return None


def _won(cursor: sqlite3.Cursor, run: str, name: str) -> bool | None:
    """What a run says of a skill: lost if the run failed or the skill never answered; None if it says nothing.

    A call that raised in a verified run says nothing: raising may have been the right answer.
    """
    failed, returned, stopped = cursor.execute(
        "SELECT coalesce(sum(verified = 0), 0), coalesce(sum(verified = 1 AND outcome = 'returned'), 0), "
        "coalesce(sum(verified = 1 AND outcome = 'stopped'), 0) FROM uses WHERE run = ? AND skill = ?",
        (run, name),
    ).fetchone()
    if failed or (stopped and not returned):
        return False
    return True if returned else None


def recount_trials(cursor: sqlite3.Cursor, name: str) -> None:
    """Set what a skill's row says of its trials to what `trials` holds."""
    cursor.execute(
        "UPDATE skills SET (trials, won) = (SELECT count(*), coalesce(sum(won), 0) FROM trials WHERE skill = ?1) "
        "WHERE id = ?1",
        (name,),
    )


def _others(cursor: sqlite3.Cursor, own: Count, family: str) -> Count:
    """The trials of the other skills of a family; of all others where the family has none."""
    counted = Count(0, 0)
    # The sums are read from an index alone; naming the skill to leave out would read every row.
    if family:
        sql = "SELECT sum(won), sum(trials) FROM skills WHERE family = ?"
        counted = Count(*cursor.execute(sql, (family,)).fetchone())
    if counted.trials in (0, own.trials):
        counted = Count(*cursor.execute("SELECT sum(won), sum(trials) FROM skills").fetchone())
    return Count(counted.won - own.won, counted.trials - own.trials)
