"""The skills: admitted once, found by name, id, tag and signature, and trusted as far as their uses go.

Everything that changes something takes a key. The same key again changes nothing and gives the same answer, so a
process that was killed does it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.errors import SkillUnknown, StorageFailed
from tools.events import now
from tools.memory import efforts, forgetting, lookup, unused, uses, workflows
from tools.memory.outbox import note, skill_owner
from tools.memory.records import NewSkill, Skill, SkillState, TaskRecord, Transition, Workflow
from tools.memory.rows import body_of, cleaned, index_words, insert_skill, insert_vector, loaded, plain, whole

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from tools.memory.database import Database
    from tools.memory.records import Use

ACTIVE = (SkillState.ACTIVE,)


class Library:
    """What the memory database knows; safe to share between threads, as the database is."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`, which its owner closes."""
        self.database = database

    def admit(self, new: NewSkill, *, key: str, vector: tuple[str, bytes] | None = None) -> Skill:
        """Add the next version of a name: active if an oracle proved it, else a candidate.

        Code that the memory has already, with the same requirements, is no new version: the skill that has it is
        returned, whose `run` is then another's. `vector` is the fingerprint of an embedding model and float32 bytes.

        Raises:
            SkillUnknown: it requires a skill that is not there.
        """
        new = cleaned(new)
        with self.database.transaction() as cursor:
            known = cursor.execute("SELECT skill FROM admissions WHERE key = ?", (key,)).fetchone()
            name = known[0] if known else lookup.twin(cursor, new.ast_hash, new.requires)
            if name is None:
                name = _insert(cursor, new, vector)
            if known is None:
                cursor.execute("INSERT INTO admissions VALUES (?, ?, ?)", (key, name, now()))
            return lookup.by_id(cursor, name)

    def skill(self, name_or_id: str) -> Skill:
        """The skill of that id, or the newest active version of that name, else the newest candidate, or an alias's.

        Raises:
            SkillUnknown: nothing answers to it; the message has near names.
            StorageFailed: its row was changed by something else than this library.
        """
        with self.database.reading() as connection:
            return whole(lookup.resolve(connection, name_or_id))

    def skills(
        self,
        *,
        states: Collection[SkillState] = ACTIVE,
        tags: Collection[str] = (),
        every_version: bool = False,
        any_tag: bool = False,
    ) -> list[Skill]:
        """The skills in these states by name; of each name the newest, or every version.

        Of several tags a skill has all (AND), or with `any_tag` one or more (OR); without tags all skills are meant.
        """
        with self.database.reading() as connection:
            return lookup.listed(connection, states, tags, every_version=every_version, any_tag=any_tag)

    def altered(self) -> list[str]:
        """The ids of the skills whose rows something else than this library changed; they are not given out."""
        found = []
        for (skill_id,) in self.database.read("SELECT id FROM skills ORDER BY id"):
            try:
                self.skill(skill_id)
            except SkillUnknown:
                continue  # forgotten meanwhile
            except StorageFailed:
                found.append(skill_id)
        return found

    def find_by_tags(
        self, tags: Collection[str], states: Collection[SkillState] = ACTIVE, *, any_tag: bool = False
    ) -> list[Skill]:
        """The newest version of each name that has all of these tags (AND), or with `any_tag` one or more (OR).

        Capitals and spaces around a tag do not matter. No tags find nothing.
        """
        return self.skills(states=states, tags=tags, any_tag=any_tag) if tags else []

    def duplicate_of(self, ast_hash: str) -> Skill | None:
        """The skill whose code has this hash; None for none, or if it is retired."""
        with self.database.reading() as connection:
            return lookup.same_code(connection, ast_hash)

    def with_signature(self, parameters: dict[str, Any], returns: dict[str, Any]) -> list[Skill]:
        """The active and candidate skills that take and return the same, whatever their descriptions say."""
        with self.database.reading() as connection:
            return lookup.same_signature(connection, parameters, returns)

    def change_state(self, skill_id: str, state: SkillState, why: str, *, key: str) -> None:
        """Set the state of one version.

        Raises:
            SkillUnknown: no version has that id.
        """
        with self.database.transaction() as cursor:
            uses.set_state(cursor, skill_id, state, why, key)

    def history(self, skill_id: str) -> list[Transition]:
        """The changes of a version's state, oldest first."""
        sql = "SELECT skill, before, after, why, key, at FROM transitions WHERE skill = ? ORDER BY rowid"
        return [Transition.model_validate(dict(row)) for row in self.database.read(sql, (skill_id,))]

    def alias(self, name: str, skill_id: str, why: str, *, key: str) -> None:
        """Let a version answer to another name too, unless a skill has that name; the newest alias of a name counts.

        Raises:
            SkillUnknown: no version has that id.
        """
        with self.database.transaction() as cursor:
            lookup.by_id(cursor, skill_id)
            row = (key, plain(name), skill_id, plain(why), now())
            if cursor.execute("INSERT INTO aliases VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount:
                note(cursor, skill_owner(skill_id), "count")

    def aliases(self) -> dict[str, str]:
        """The skill ids by the aliases that they answer to."""
        return {row["name"]: row["skill"] for row in self.database.read("SELECT * FROM aliases ORDER BY rowid")}

    def expose(self, skill_ids: Sequence[str], run: str, scope: str, *, key: str) -> None:
        """Record that these skills were shown to an agent; `scope` says where in the run."""
        with self.database.transaction() as cursor:
            cursor.executemany(
                "INSERT INTO exposures VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(key, name, run, plain(scope), now()) for name in skill_ids],
            )

    def assign(self, run: str, graph: str, request: str, arm: efforts.Arm) -> None:
        """Record whether a run is shown what the memory found, or held out; the first word stays."""
        with self.database.transaction() as cursor:
            efforts.assign(cursor, run, graph, request, arm)

    def record_use(self, use: Use) -> None:
        """Record one call of a skill; nothing if the skill was forgotten meanwhile."""
        with self.database.transaction() as cursor:
            uses.insert(cursor, cleaned(use))

    def failures(self, skill_id: str, limit: int = 5) -> list[tuple[str, Use]]:
        """The newest calls of a version that did not return, each with its time; newest first."""
        return uses.failures(self.database, skill_id, limit)

    def retire_unused(self, runs: int) -> list[Transition]:
        """Retire what so many runs were shown since it was last used, and none has used; returns what it retired."""
        with self.database.transaction() as cursor:
            return unused.retire(cursor, runs)

    def settle(self, run: str, verified: bool) -> list[Transition]:
        """Say whether a run was verified: its uses become evidence. Returns the states that changed by it.

        A candidate that has shown enough becomes active, and a skill that does worse than its family is suspended.
        """
        with self.database.transaction() as cursor:
            efforts.judge(cursor, run, verified)
            return uses.settle(cursor, run, verified)

    def record_task(self, record: TaskRecord) -> None:
        """Keep what became of one task; the first record of a key stays."""
        record = cleaned(record)
        row = (record.key, record.run, record.outcome, record.skill, plain(record.at), body_of(record))
        with self.database.transaction() as cursor:
            cursor.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
            efforts.insert(cursor, record)

    def tasks(self, limit: int = 20, outcome: str | None = None) -> list[TaskRecord]:
        """The newest tasks, newest first, or those that came to one outcome."""
        sql = "SELECT body FROM runs ORDER BY at DESC, rowid DESC LIMIT :limit"
        if outcome:
            sql = "SELECT body FROM runs WHERE outcome = :outcome ORDER BY at DESC, rowid DESC LIMIT :limit"
        rows = self.database.read(sql, {"limit": limit, "outcome": outcome})
        return [TaskRecord.model_validate(loaded(row["body"])) for row in rows]

    def record_workflow(self, workflow: Workflow, *, vector: tuple[str, bytes] | None = None) -> None:
        """Keep one interaction; a later record of the same id takes its place."""
        with self.database.transaction() as cursor:
            workflows.put(cursor, workflow, vector)

    def workflows(self, limit: int = 20) -> list[Workflow]:
        """The newest workflows, newest first."""
        return workflows.newest(self.database, limit)

    def forget(self, what: str) -> int:
        """Delete what an owner, a skill's id, all versions of a name, or everything that a run left; count the rows.

        Nothing of it stays in the file or in its log; projections delete it when they catch up.

        Raises:
            UsageError: another skill is made of it.
            StorageFailed: it is deleted, but another process still reads a copy.
        """
        with self.database.transaction() as cursor:
            count = forgetting.forget(cursor, what)
        if count:
            self.database.scrub()
        return count

    def counts(self) -> dict[str, int]:
        """How many there are of everything; skills by their state too."""
        return lookup.counts(self.database)


def _insert(cursor: sqlite3.Cursor, new: NewSkill, vector: tuple[str, bytes] | None) -> str:
    """Add a new version with all that belongs to it; return its id."""
    for other in new.requires:
        if not cursor.execute("SELECT 1 FROM skills WHERE id = ?", (other,)).fetchone():
            raise SkillUnknown(f"{new.name!r} requires {other!r}, which is not in the memory; admit that first")
    (last,) = cursor.execute("SELECT max(version) FROM skills WHERE name = ?", (new.name,)).fetchone()
    version = (last or 0) + 1
    state = SkillState.ACTIVE if new.proved else SkillState.CANDIDATE
    name = insert_skill(cursor, new, version, state, now())
    index_skill(cursor, lookup.by_id(cursor, name))
    if vector is not None:
        insert_vector(cursor, skill_owner(name), *vector)
    return name


def index_skill(cursor: sqlite3.Cursor, skill: Skill) -> None:
    """Make a skill findable by its words and tags, and say that it changed."""
    called = " ".join((skill.name, skill.entry, *skill.parameters.get("properties", {})))
    index_words(cursor, skill_owner(skill.id), called, skill.words, skill.tags)
    note(cursor, skill_owner(skill.id), "put")
