"""The skills of one data directory, as they are called from outside: by a person, or by another program over MCP."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import SkillUnknown, UsageError
from tools.memory.database import Database
from tools.memory.library import Library
from tools.memory.records import SkillState, Use
from tools.runs.home import data_dir
from tools.sandbox import Limits
from tools.skills.calling import call, fitted
from tools.skills.program import program_of
from tools.skills.running import confined

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tools.memory.records import Skill, Transition
    from tools.sandbox.sandbox import Policy
    from tools.skills.calling import Answer
    from tools.skills.recheck import Rechecked

LONGEST_KEPT = 4_000
"""Characters of the arguments of a call that failed, as JSON; longer ones are not kept."""

LIMITS = Limits(seconds=60, cpu_seconds=60, memory_bytes=1_000_000_000, processes=16, disk_bytes=50_000_000)
"""What one call from outside may use."""


@dataclass(frozen=True)
class Shelf:
    """Finds skills and runs them in the sandbox; every use is recorded under `scope`, which says who calls."""

    library: Library
    scope: str
    policy: Policy = "require"

    def skill(self, name: str) -> Skill:
        """The skill of that name, id or alias.

        Raises:
            SkillUnknown: nothing answers to it; with near names.
        """
        return self.library.skill(name)

    def found(self, states: Collection[str] = (), tags: Collection[str] = ()) -> list[Skill]:
        """The newest version of every skill in these states (all but retired by default) with all of these tags.

        Raises:
            UsageError: there is no such state.
        """
        unknown = sorted(set(states) - set(SkillState))
        if unknown:
            raise UsageError(f"there is no state {unknown[0]!r}; the states are {', '.join(SkillState)}")
        wanted = [SkillState(state) for state in states] or [s for s in SkillState if s is not SkillState.RETIRED]
        return self.library.skills(states=wanted, tags=tags)

    def named(self, name: str, tags: Collection[str] = ()) -> Skill | None:
        """The active skill of that name that has all of these tags; None when there is none."""
        try:
            skill = self.library.skill(name)
        except SkillUnknown:
            return None
        return skill if skill.state is SkillState.ACTIVE and set(tags) <= set(skill.tags) else None

    def newest_change(self) -> int:
        """The number of the last change to the library; one look at one row."""
        (row,) = self.library.database.read("SELECT coalesce(max(seq), 0) AS seq FROM changes")
        return int(row["seq"])

    def ids(self) -> list[str]:
        """The ids of everything active; cheaper than the skills themselves."""
        rows = self.library.database.read("SELECT id FROM skills WHERE state = 'active' ORDER BY name, version")
        return [row["id"] for row in rows]

    def active(self, tags: Collection[str] = ()) -> list[Skill]:
        """The newest active version of every skill that has all of these tags, by name."""
        return self.library.skills(states=(SkillState.ACTIVE,), tags=tags)

    async def use(self, skill: Skill, arguments: Mapping[str, Any]) -> Answer:
        """Run a skill once, and record it; nobody judges what came of it, so it is a use and no evidence.

        Of a call that failed the arguments are kept, without secrets: a recheck tries it again.

        Raises:
            ToolRefused: the arguments are not what its interface takes.
            SandboxUnavailable: nothing here confines a process.
        """
        program = await asyncio.to_thread(program_of, skill, self.library)
        run = confined(self.policy, LIMITS)
        (answer,) = await call(run, program, [arguments], purpose=f"skill {skill.id}")
        answer = fitted(answer, skill.returns)
        use = Use(
            key=uuid.uuid4().hex,
            skill=skill.id,
            run="",
            scope=self.scope,
            outcome="stopped" if answer.kind == "not_json" else answer.kind,
            arguments=None if answer.kind == "returned" else _short(arguments),
            seconds=answer.seconds,
            detail=answer.error,
        )
        await asyncio.to_thread(self.library.record_use, use)
        return answer


def opened(scope: str, policy: Policy = "require") -> Shelf:
    """The skills of this data directory.

    Raises:
        StorageFailed: the memory cannot be read.
    """
    return Shelf(Library(Database(data_dir() / "memory" / "memory.sqlite")), scope, policy)


def approved(name: str, why: str) -> Skill:
    """Make a version active on a person's word, whatever it was.

    Raises:
        UsageError: it is active already.
    """
    return _moved(name, SkillState.ACTIVE, (SkillState.CANDIDATE, SkillState.SUSPENDED, SkillState.RETIRED), why)


def retired_unused(runs: int) -> list[Transition]:
    """Take out of use what so many runs were shown and none has used."""
    from tools.memory.memory import open_memory

    memory = open_memory()
    changes = memory.library.retire_unused(runs)
    memory.nodes.catch_up(memory.library)
    memory.index.catch_up(memory.library)
    return changes


def retired(name: str, why: str) -> Skill:
    """Take a version out of use, until somebody approves it.

    Raises:
        UsageError: it is retired already.
    """
    return _moved(name, SkillState.RETIRED, (SkillState.ACTIVE, SkillState.CANDIDATE, SkillState.SUSPENDED), why)


async def checked_again(names: Sequence[str], policy: Policy) -> list[Rechecked]:
    """Try skills again with the tests that they were admitted with, or all of them that are not retired.

    Raises:
        SkillUnknown: no skill has one of the names.
        SandboxUnavailable: nothing here confines a process.
    """
    from tools.memory.memory import open_memory
    from tools.skills.recheck import recheck

    return await recheck(await asyncio.to_thread(open_memory), confined(policy), names)


def _short(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    return dict(arguments) if len(json.dumps(arguments)) <= LONGEST_KEPT else None


def _moved(name: str, state: SkillState, before: Collection[SkillState], why: str) -> Skill:
    from tools.memory.memory import open_memory

    memory = open_memory()
    skill = memory.library.skill(name)
    if skill.state not in before:
        raise UsageError(f"{skill.id} is {skill.state} already; name another version by its id, NAME-NUMBER")
    memory.library.change_state(skill.id, state, why, key=f"person/{uuid.uuid4().hex}")
    memory.nodes.catch_up(memory.library)
    memory.index.catch_up(memory.library)
    return memory.library.skill(skill.id)
