"""The node that admits: a program that passed its exam becomes a tool, unless the library has the same one already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents.toolmaker import MAIN, TEST, TESTS
from graphs.factory.composing import composed
from graphs.factory.dossier import Dossier
from graphs.factory.library import key_of, library_of
from graphs.running import Confined
from graphs.session import CASSETTE
from tools.errors import SkillUnknown, ToolRefused
from tools.events import Kind
from tools.memory.records import NewSkill, ToolType
from tools.skills.duplicates import ast_hash, same_outputs
from tools.skills.interface import read_interface
from tools.skills.program import program_of

if TYPE_CHECKING:
    from graphs.factory.schemas import FactoryContext, FactoryState
    from graphs.session import Session
    from tools.memory.memory import Memory
    from tools.memory.records import Skill
    from tools.skills.program import Program

MOST_COMPARED = 5
"""Tools that take and return the same, with which a new one is compared; each costs a start of the sandbox."""


async def admit(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Put the tool into the library, in one transaction; the same one again is no second tool."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    new = await asyncio.to_thread(_new, session, dossier, state)
    memory = await asyncio.to_thread(library_of, session)
    if memory is None:
        return {"outcome": "admitted", "skill": ""}
    try:
        same = await _same(session, dossier, memory, new)
        if same is None:
            skill = await asyncio.to_thread(memory.admit, new, key=key_of(session, "admit"))
        else:
            skill = await asyncio.to_thread(_alias, session, memory, new, same)
    except SkillUnknown as error:
        # Somebody had a tool forgotten that this one is made of, or the same as.
        return {"outcome": "failed", "reasons": [f"admit: {error}"]}
    outcome = "admitted" if skill.run == session.run.id else "duplicate"
    await session.run.events.aemit(Kind.ADMITTED, tool=skill.id, outcome=outcome, state=skill.state)
    return {"outcome": outcome, "skill": skill.id}


def _new(session: Session[FactoryContext], dossier: Dossier, state: FactoryState) -> NewSkill:
    """The tool as it is offered to the library, with what was counted at its exam."""
    task, exam, run = dossier.task, dossier.exams[-1], session.run
    code, tests = (run.store.read(str(session.tree), path).decode() for path in (MAIN, TEST))
    interface = read_interface(code, task.entry)
    requires = tuple(exam["requires"])
    plan = {
        "signature": task.signature,
        "statement": task.statement,
        "decision": state["decision"],
        "from": state["candidate"],
        "tests by": dossier.author(TESTS, state["tested"] - 1) or _told(session.context.model),
    }
    return NewSkill(
        name=task.entry,
        tool_type=ToolType.WORKFLOW if requires else ToolType.FUNCTION,
        description=interface.description,
        entry=task.entry,
        parameters=interface.parameters,
        returns=interface.returns,
        tags=task.tags,
        code=code,
        tests=tests,
        requires=requires,
        examples=task.examples,
        family=task.family,
        source=task.source,
        ast_hash=ast_hash(code, task.entry),
        run=run.id,
        task=task.id,
        plan=plan,
        evidence=exam["evidence"],
        proved=exam["oracle"],
    )


def _told(model: str) -> str:
    """A model as others may read of it: where a recording lies is nobody's business."""
    return "a recording" if model.startswith(CASSETTE) else model


async def _same(session: Session[FactoryContext], dossier: Dossier, memory: Memory, new: NewSkill) -> Skill | None:
    """A tool that takes and returns the same and gives the same answers; of equal code the library itself knows."""
    kept = await session.choose("same", lambda: {"tools": _alike(memory, new)})
    calls = list(dossier.task.inputs) or [example.arguments for example in new.examples]
    run = Confined(session, str(session.tree))
    for name in kept["tools"]:
        try:
            skill = await asyncio.to_thread(memory.library.skill, name)
            other = await asyncio.to_thread(program_of, skill, memory.library)
            if calls and await same_outputs(run, _program(dossier, new), other, calls):
                return skill
        except (ToolRefused, SkillUnknown):
            continue
    return None


def _alike(memory: Memory, new: NewSkill) -> list[str]:
    found = memory.library.with_signature(new.parameters, new.returns)
    others = [skill for skill in found if skill.ast_hash != new.ast_hash]
    return [skill.id for skill in sorted(others, key=lambda skill: skill.family != new.family)[:MOST_COMPARED]]


def _program(dossier: Dossier, new: NewSkill) -> Program:
    tools = [tool for tool in dossier.found if tool.id in new.requires]
    return composed(new.entry, new.code, tools)


def _alias(session: Session[FactoryContext], memory: Memory, new: NewSkill, same: Skill) -> Skill:
    if new.name != same.name:
        why = f"run {session.run.id} made {new.name}, which gives the same answers"
        memory.library.alias(new.name, same.id, why, key=key_of(session, "alias"))
    return same
