"""The skills that fit a piece of work: looked for once, offered as tools, and judged by how the run ended.

What is offered, code and all, is kept with the run's choices. So a resumed run offers the same, and a replay needs no
library: it runs the skills that the recorded run was offered, and teaches this machine nothing. The library helps and is
not needed: one that cannot be read or written is told on the event log and stops no run.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graphs.session import CASSETTE
from tools.errors import SandboxUnavailable, StorageFailed, ToolRefused
from tools.events import Kind
from tools.memory.efforts import held_out, request_of
from tools.runs.home import data_dir
from tools.sandbox import Limits
from tools.skills.calling import call
from tools.skills.offering import Offered, skill_tool
from tools.skills.running import confined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.tools import BaseTool

    from graphs.session import Session
    from tools.memory.memory import Memory
    from tools.skills.calling import Answer
    from tools.storage import Record

MOST = 5
"""So many skills are offered at once, at most; more of them are more to read than they help."""

LIMITS = Limits(seconds=20, cpu_seconds=20, memory_bytes=1_000_000_000, processes=16, disk_bytes=50_000_000)
"""What one call of a skill may use."""


async def fitting(session: Session[Any], scope: str, about: str) -> tuple[Offered, ...]:
    """The active skills that fit the work `scope`, which is `about` something; the best first, often none."""
    kept = await session.remember(f"skills/{scope}", partial(_found, session, scope, about))
    skills = tuple(Offered.model_validate(one) for one in kept["skills"]) if kept else ()
    withheld = kept.get("withheld", []) if kept else []
    if skills or withheld:
        named = {skill.id: skill.evidence for skill in skills}
        await session.run.events.aemit(Kind.SKILLS_OFFERED, scope=scope, skills=named, withheld=withheld)
    return skills


@dataclass(frozen=True)
class Bench:
    """Runs the offered skills for one agent and records their uses; `key` names the tool call that is carried out."""

    session: Session[Any]
    scope: str
    key: Callable[[], str]

    def tools(self, skills: Sequence[Offered]) -> list[BaseTool]:
        """A tool for each skill."""
        return [skill_tool(skill, partial(self._answer, skill)) for skill in skills]

    def _answer(self, skill: Offered, arguments: Mapping[str, Any]) -> Answer:
        run = confined(self.session.context.sandbox, LIMITS)
        try:
            # An agent's tools are carried out in a thread of their own, where no loop runs.
            (answer,) = asyncio.run(call(run, skill.program, [arguments], f"skill {skill.id}"))
        except SandboxUnavailable as error:
            raise ToolRefused(f"{skill.tool} cannot be run here: {error}", reason="no_sandbox") from error
        self._record(skill, answer)
        return answer

    def _record(self, skill: Offered, answer: Answer) -> None:
        from tools.memory.records import Use

        run = self.session.run.id
        use = Use(
            key=f"{run}/{self.key()}",
            skill=skill.id,
            run=run,
            scope=self.scope,
            outcome=answer.kind if answer.kind in ("returned", "raised") else "stopped",
            seconds=answer.seconds,
            detail=answer.error,
        )
        _tell(self.session, lambda memory: memory.library.record_use(use))


def settle(session: Session[Any], *, verified: bool) -> None:
    """Say of the skills that this run used whether what came of it was verified. Blocks."""

    def judge(memory: Memory) -> None:
        if memory.library.settle(session.run.id, verified):
            memory.nodes.catch_up(memory.library)
            memory.index.catch_up(memory.library)

    _tell(session, judge)


def _found(session: Session[Any], scope: str, about: str) -> Record | None:
    """What is to be kept of a search; None where there is no library, so that nothing is written for it."""
    from tools.memory.memory import have_skills, open_memory
    from tools.memory.records import SkillState
    from tools.skills.offering import offered

    if session.journal.asked(session.place, scope, 0):
        return None  # it began when there were no skills, and goes on as it began
    try:
        if not have_skills():
            return None
        memory = open_memory()
        hits = memory.search(about, limit=MOST, states=(SkillState.ACTIVE,))
        if hits and session.context.hold_out and _held_out(session, memory):
            return {"skills": [], "withheld": [hit.skill.id for hit in hits]}
        skills = [offered(hit.skill, memory.library) for hit in hits]
        key = f"{session.run.id}/{session.place}/{scope}"
        memory.library.expose([skill.id for skill in skills], session.run.id, scope, key=key)
    except StorageFailed as error:
        session.run.events.error(Kind.MEMORY_FAILURE, error, scope=scope)
        return None
    return {"skills": [skill.model_dump(mode="json") for skill in skills]}


def _held_out(session: Session[Any], memory: Memory) -> bool:
    """Whether this run does without what fits it: the whole run, for its verdict is one."""
    run, share = session.run, session.context.hold_out
    request = request_of(run.manifest["goal"])
    out = held_out(request, share)
    memory.library.assign(run.id, session.context.graph, request, "without" if out else "with")
    return out


def _tell(session: Session[Any], what: Callable[[Memory], object]) -> None:
    """Tell the library something, unless this is a replay."""
    from tools.memory.memory import open_memory

    if session.context.model.startswith(CASSETTE) or not (data_dir() / "memory").is_dir():
        return
    try:
        what(open_memory())
    except StorageFailed as error:
        session.run.events.error(Kind.MEMORY_FAILURE, error)
