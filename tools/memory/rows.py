"""Records as rows, and back: what is stored is free of secrets and can be encoded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from tools.errors import StorageFailed
from tools.memory.records import NewSkill, Skill, TaskRecord, Use, Workflow, sha256_of, skill_id
from tools.redaction import redacted

if TYPE_CHECKING:
    import sqlite3

    from tools.memory.database import Row
    from tools.memory.records import SkillState

Kept = TypeVar("Kept", NewSkill, Use, TaskRecord, Workflow)

_COUNTED = ("id", "version", "state", "sha256", "created", "uses", "successes", "trials", "won")
COLUMNS = f"{', '.join(_COUNTED)}, body"
"""What `skill_of` reads of a row of `skills`."""


def cleaned(record: Kept) -> Kept:
    """The record without the secrets of the environment and what is shaped like a key."""
    return type(record).model_validate(redacted(record.model_dump(mode="json")))


def plain(text: str) -> str:
    """Text that SQLite takes: without secrets, and without halves of surrogate pairs."""
    masked: str = redacted(text)
    return masked.encode(errors="replace").decode()


def body_of(record: NewSkill | Use | TaskRecord | Workflow) -> str:
    """The record as one line of JSON; parameters keep their order."""
    return json.dumps(record.model_dump(mode="json"), separators=(",", ":"))


def loaded(body: str) -> dict[str, Any]:
    """The members of a record that `body_of` wrote."""
    members: dict[str, Any] = json.loads(body)
    return members


def skill_of(row: Row) -> Skill:
    """The skill in a row of `COLUMNS`.

    Raises:
        StorageFailed: the row does not hold a skill.
    """
    columns = {name: row[name] for name in _COUNTED}
    try:
        return Skill.model_validate({**loaded(row["body"]), **columns})
    except (ValueError, TypeError) as error:
        raise _altered(row["id"]) from error


def whole(skill: Skill) -> Skill:
    """The skill, if its code, tests and interface are the ones that were admitted.

    Raises:
        StorageFailed: they are not.
    """
    if sha256_of(skill, skill.version) != skill.sha256:
        raise _altered(skill.id)
    return skill


def _altered(skill_id: str) -> StorageFailed:
    return StorageFailed(
        f"the row of skill {skill_id!r} in the memory is not what was written; "
        f"put the database back from a copy, or delete the skill: `millwright memory forget {skill_id}`"
    )


def insert_skill(cursor: sqlite3.Cursor, new: NewSkill, version: int, state: SkillState, at: str) -> str:
    """Add one version, what it requires, its tags and its words; return its id."""
    name = skill_id(new.name, version)
    columns = {
        "id": name,
        "name": new.name,
        "version": version,
        "state": state,
        "family": plain(new.family),
        "ast_hash": new.ast_hash,
        "signature": new.signature,
        "sha256": sha256_of(new, version),
        "run": new.run,
        "created": at,
        "body": body_of(new),
    }
    cursor.execute(
        "INSERT INTO skills (id, name, version, state, family, ast_hash, signature, sha256, run, created, body) "
        "VALUES (:id, :name, :version, :state, :family, :ast_hash, :signature, :sha256, :run, :created, :body)",
        columns,
    )
    cursor.executemany("INSERT INTO requirements VALUES (?, ?)", [(name, other) for other in set(new.requires)])
    return name


def index_words(cursor: sqlite3.Cursor, owner: str, name: str, text: str, tags: tuple[str, ...]) -> None:
    """Make an owner findable by its words and its tags, in the place of what it was found by before."""
    unindex(cursor, owner)
    cursor.execute("INSERT INTO owners (owner) VALUES (?)", (owner,))
    cursor.execute(
        "INSERT INTO words (rowid, owner, name, text) VALUES (?, ?, ?, ?)",
        (cursor.lastrowid, owner, plain(name), plain(text)),
    )
    cursor.executemany("INSERT INTO tags (tag, owner) VALUES (?, ?)", [(plain(tag), owner) for tag in tags])


def unindex(cursor: sqlite3.Cursor, owner: str) -> None:
    """Take an owner's words and tags out."""
    cursor.execute("DELETE FROM words WHERE rowid = (SELECT id FROM owners WHERE owner = ?)", (owner,))
    cursor.execute("DELETE FROM owners WHERE owner = ?", (owner,))
    cursor.execute("DELETE FROM tags WHERE owner = ?", (owner,))


def insert_vector(cursor: sqlite3.Cursor, owner: str, fingerprint: str, vector: bytes) -> None:
    """Keep an owner's vector, float32 in the machine's order, in the space of one embedding model."""
    cursor.execute(
        "INSERT INTO vectors (owner, fingerprint, vector) VALUES (?, ?, ?) "
        "ON CONFLICT (owner, fingerprint) DO UPDATE SET vector = excluded.vector",
        (owner, fingerprint, vector),
    )
