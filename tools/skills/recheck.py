"""Trying the tools of a library again, each with the tests that it was admitted with.

What no longer holds is suspended and said so; what a recheck suspended comes back when it holds again. A fault of this
machine is nobody's regression: a tool is suspended when it fails twice, a program that is known to be right passes in
between, and what failed is not the clock, which a busy machine runs out; processor time is the tool's own. Calls that
failed in use are tried again, too, and told: nobody knows whether raising was the right answer, so they suspend nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.memory.records import SkillState
from tools.skills.retrial import check_machine, tried_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.memory.library import Library
    from tools.memory.memory import Memory
    from tools.memory.records import Skill
    from tools.skills.running import Runner

KEY = "recheck"
ALIVE = (SkillState.ACTIVE, SkillState.CANDIDATE, SkillState.SUSPENDED)


@dataclass(frozen=True)
class Rechecked:
    """What became of one skill: whether it holds, why not, and its state before and after."""

    skill: str
    passed: bool
    detail: str
    before: SkillState
    after: SkillState


async def recheck(memory: Memory, run: Runner, names: Sequence[str] = ()) -> list[Rechecked]:
    """Try the skills of these names or ids again, or every one that is not retired.

    Raises:
        SkillUnknown: no skill has one of the names.
        SandboxUnavailable: nothing here confines a process, or even a program that is right fails here.
    """
    chosen = await asyncio.to_thread(_chosen, memory.library, names)
    found = [await _rechecked(memory.library, run, skill) for skill in chosen]
    await asyncio.to_thread(memory.catch_up)
    return found


def _chosen(library: Library, names: Sequence[str]) -> list[Skill]:
    if names:
        return [skill for skill in map(library.skill, names) if skill.state in ALIVE]
    return library.skills(states=ALIVE, every_version=True)


async def _rechecked(library: Library, run: Runner, skill: Skill) -> Rechecked:
    first = await tried_again(library, run, skill)
    if not first.wrong:
        detail = "; ".join(filter(None, ("its tests pass", first.calls)))
        return await asyncio.to_thread(_settled, library, skill, True, detail)
    await check_machine(run)
    again = await tried_again(library, run, skill)
    if not again.wrong:
        detail = f"it failed once and passed once, so its tests depend on chance or on this machine: {first.wrong}"
        return Rechecked(skill.id, True, detail, skill.state, skill.state)
    if not (first.told and again.told):
        detail = f"it could not be judged here, and stays {skill.state}: {again.wrong}"
        return Rechecked(skill.id, False, detail, skill.state, skill.state)
    return await asyncio.to_thread(_settled, library, skill, False, again.wrong)


def _settled(library: Library, skill: Skill, passed: bool, detail: str) -> Rechecked:
    """Change a skill's state to what was found."""
    history = library.history(skill.id)
    last = history[-1] if history else None
    after = skill.state
    if last is not None and last.after is not skill.state:
        after = last.after  # somebody changed it meanwhile, whose word counts
    elif not passed:
        after = SkillState.SUSPENDED
    elif skill.state is SkillState.SUSPENDED and last is not None and last.key.startswith(f"{KEY}:"):
        after = last.before
    if after is not skill.state and (last is None or last.after is not after):
        why = "a recheck found that it holds again" if passed else f"a recheck found: {detail}"
        library.change_state(skill.id, after, why, key=f"{KEY}:{skill.id}:{len(history)}")
    return Rechecked(skill.id, passed, detail, skill.state, after)
