"""Finding skills in the database; every question has its index."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from tools.errors import SkillUnknown
from tools.memory.records import SkillState, signature_of
from tools.memory.rows import COLUMNS, skill_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from tools.memory.database import Database
    from tools.memory.records import Skill

    Asked = sqlite3.Connection | sqlite3.Cursor

_NEAR = 3
_MANY = 1_000
_MOST_COMPARED = 2_000


def by_id(asked: Asked, skill_id: str) -> Skill:
    """The version of that id.

    Raises:
        SkillUnknown: there is none.
    """
    row = asked.execute(f"SELECT {COLUMNS} FROM skills WHERE id = ?", (skill_id,)).fetchone()  # noqa: S608
    if row is None:
        raise SkillUnknown(f"no skill {skill_id!r} in the memory{_hint(asked, skill_id)}")
    return skill_of(row)


def resolve(asked: Asked, name: str) -> Skill:
    """What answers to a name, an id or an alias.

    Raises:
        SkillUnknown: nothing does.
    """
    row = asked.execute(
        f"SELECT {COLUMNS} FROM skills WHERE id = :name "  # noqa: S608
        f"OR (name = :name AND state IN ('active', 'candidate')) "
        f"ORDER BY id = :name DESC, state = 'active' DESC, version DESC LIMIT 1",
        {"name": name},
    ).fetchone()
    if row is not None:
        return skill_of(row)
    alias = asked.execute(
        "SELECT skill FROM aliases WHERE name = ? ORDER BY rowid DESC LIMIT 1", (name,)
    ).fetchone()
    return by_id(asked, alias[0] if alias else name)


def listed(
    asked: Asked, states: Collection[SkillState], tags: Collection[str], *, every_version: bool, any_tag: bool
) -> list[Skill]:
    """The skills in one of `states` with all of `tags`, or with any of them, by name and version."""
    wanted = sorted({tag.strip().lower() for tag in tags})
    given = {
        "states": json.dumps(sorted(states)),
        "tags": json.dumps(wanted),
        "rarest": _rarest(asked, wanted) if wanted else "",
        "every": every_version,
    }
    tagged = _WITH_ANY if any_tag else _WITH_ALL
    rows = asked.execute(
        f"SELECT {COLUMNS} FROM skills WHERE state IN (SELECT value FROM json_each(:states)) "  # noqa: S608
        f"{tagged if wanted else ''} AND (:every OR NOT EXISTS (SELECT 1 FROM skills AS newer "
        f"WHERE newer.name = skills.name AND newer.version > skills.version "
        f"AND newer.state IN (SELECT value FROM json_each(:states)))) ORDER BY name, version",
        given,
    )
    return [skill_of(row) for row in rows]


def same_code(asked: Asked, ast_hash: str) -> Skill | None:
    """The most trusted skill that is not retired and whose code has this hash."""
    found = _same_code(asked, ast_hash)
    return found[0] if found else None


def twin(asked: Asked, ast_hash: str, requires: Sequence[str]) -> str | None:
    """The id of a skill that is not retired and has the same code and the same requirements.

    A suspended one counts: written anew, it would lose the evidence that it was suspended for.
    """
    alike = (skill.id for skill in _same_code(asked, ast_hash) if set(skill.requires) == set(requires))
    return next(alike, None)


def same_signature(asked: Asked, parameters: dict[str, Any], returns: dict[str, Any]) -> list[Skill]:
    """The active and candidate skills of the same signature, most trusted first."""
    rows = asked.execute(
        f"SELECT {COLUMNS} FROM skills WHERE signature = ? AND state IN ('active', 'candidate') "  # noqa: S608
        f"ORDER BY state, created",
        (signature_of(parameters, returns),),
    )
    return [skill_of(row) for row in rows]


def counts(database: Database) -> dict[str, int]:
    """How many rows there are of everything, and of skills in each state."""
    with database.reading() as connection:
        connection.execute("BEGIN")
        found = {state.value: 0 for state in SkillState}
        found.update(connection.execute("SELECT state, count(*) FROM skills GROUP BY state").fetchall())
        rows = connection.execute(_COUNTED).fetchone()
    return {"skills": sum(found.values()), **found, **dict(rows)}


_WITH_ANY = """
    AND skills.id IN (SELECT substr(owner, 7) FROM tags
        WHERE tag IN (SELECT value FROM json_each(:tags)) AND owner GLOB 'skill:*')
"""
_WITH_ALL = """
    AND skills.id IN (SELECT substr(owner, 7) FROM tags WHERE tag = :rarest AND owner GLOB 'skill:*'
        AND NOT EXISTS (SELECT 1 FROM json_each(:tags) AS wanted WHERE NOT EXISTS
            (SELECT 1 FROM tags AS other WHERE other.tag = wanted.value AND other.owner = tags.owner)))
"""
_COUNTED = """SELECT
    (SELECT count(DISTINCT name) FROM skills) AS names,
    (SELECT count(*) FROM aliases) AS aliases,
    (SELECT count(*) FROM exposures) AS exposures,
    (SELECT count(*) FROM uses) AS uses,
    (SELECT count(*) FROM runs) AS tasks,
    (SELECT count(*) FROM workflows) AS workflows,
    (SELECT count(*) FROM vectors) AS vectors,
    (SELECT count(*) FROM owners) AS words"""


def _rarest(asked: Asked, tags: list[str]) -> str:
    """The tag to begin with; those that many have are not counted to the end."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM tags WHERE tag = ? LIMIT ?)"
    return min(tags, key=lambda tag: asked.execute(sql, (tag, _MANY)).fetchone()[0])


def _same_code(asked: Asked, ast_hash: str) -> list[Skill]:
    rows = asked.execute(
        f"SELECT {COLUMNS} FROM skills WHERE ast_hash = ? AND ast_hash != '' AND state != 'retired' "  # noqa: S608
        f"ORDER BY CASE state WHEN 'active' THEN 0 WHEN 'candidate' THEN 1 ELSE 2 END, version DESC",
        (ast_hash,),
    )
    return [skill_of(row) for row in rows]


def _hint(asked: Asked, name: str) -> str:
    """Why nothing answers to a name, or what is written like it."""
    out = asked.execute(
        "SELECT id, state FROM skills WHERE name = ? ORDER BY version DESC LIMIT 1", (name,)
    ).fetchone()
    if out:
        return f": {out['id']!r} is {out['state']}; name that id to see it"
    # Only what begins alike is compared: comparing tens of thousands of names takes a second.
    start = name[:2].lower()
    rows = asked.execute(
        "SELECT DISTINCT name FROM skills WHERE name >= ? AND name < ? LIMIT ?",
        (start, f"{start}\x7f", _MOST_COMPARED),
    )
    near = difflib.get_close_matches(name.lower(), [row[0] for row in rows], _NEAR, 0.5)
    return f"; did you mean {', '.join(near)}?" if near else "; `millwright tools list` shows what there is"
