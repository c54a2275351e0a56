"""Tools are tried again with their own tests: what regressed is suspended, and comes back when it holds again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shelved

from tools.errors import SandboxUnavailable
from tools.memory.memory import open_memory
from tools.memory.records import Example, SkillState
from tools.skills import recheck as rechecking
from tools.skills.program import program_of
from tools.skills.recheck import recheck

if TYPE_CHECKING:
    from tools.memory.memory import Memory
    from tools.skills.running import Runner


@pytest.fixture
def memory() -> Memory:
    return open_memory()


def test_a_program_is_found_with_the_versions_it_was_made_of(memory: Memory) -> None:
    takt = memory.admit(shelved.takt(), key="a")
    lines = memory.admit(shelved.new_skill(shelved.LINES, shelved.LINES_TESTS, requires=(takt.id,)), key="b")
    program = program_of(memory.library.skill(lines.id), memory.library)
    assert dict(program.requires) == {"takt_time": shelved.TAKT}


async def test_what_holds_stays_as_it_is(memory: Memory, run: Runner) -> None:
    takt = memory.admit(shelved.takt(), key="a")
    memory.admit(shelved.new_skill(shelved.LINES, shelved.LINES_TESTS, requires=(takt.id,)), key="b")
    found = {one.skill: (one.passed, one.after) for one in await recheck(memory, run)}
    assert found == {"takt_time-1": (True, SkillState.ACTIVE), "stations-1": (True, SkillState.ACTIVE)}
    assert memory.library.history("takt_time-1") == []


async def test_what_regressed_is_suspended_and_comes_back_when_it_holds(
    memory: Memory, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.admit(shelved.takt(), key="a")
    wrong = shelved.new_skill(shelved.TAKT.replace("/ demand", "* demand"), shelved.TAKT_TESTS, entry="takt_time")
    broken = memory.admit(wrong.model_copy(update={"name": "takt_wrong"}), key="b")
    found = {one.skill: one for one in await recheck(memory, run)}
    assert found["takt_time-1"].passed
    assert not found[broken.id].passed
    assert "48000 == 4.8" in found[broken.id].detail
    assert memory.library.skill(broken.id).state is SkillState.SUSPENDED
    assert "48000 == 4.8" in memory.library.history(broken.id)[-1].why

    (again,) = await recheck(memory, run, [broken.id])
    assert (again.before, again.after) == (SkillState.SUSPENDED, SkillState.SUSPENDED)
    # As if the interpreter that broke it were mended.
    right = program_of(memory.library.skill("takt_time"), memory.library)
    monkeypatch.setattr(rechecking, "program_of", lambda *_: right)
    (mended,) = await recheck(memory, run, [broken.id])
    assert (mended.passed, mended.after) == (True, SkillState.ACTIVE)


async def test_what_somebody_else_suspended_or_retired_stays_so(memory: Memory, run: Runner) -> None:
    for key, state in (("a", SkillState.SUSPENDED), ("b", SkillState.RETIRED)):
        skill = memory.admit(shelved.takt().model_copy(update={"name": f"takt_{key}", "ast_hash": key}), key=key)
        memory.library.change_state(skill.id, state, "not wanted", key=f"person {key}")
    found = await recheck(memory, run)
    assert [(one.skill, one.passed, one.after) for one in found] == [("takt_a-1", True, SkillState.SUSPENDED)]
    assert memory.library.skill("takt_b-1").state is SkillState.RETIRED


async def test_an_example_that_is_no_longer_answered_is_a_regression(memory: Memory, run: Runner) -> None:
    example = Example(arguments={"available_minutes": 480.0, "demand": 2}, result=241.0)
    memory.admit(shelved.takt().model_copy(update={"examples": (example,)}), key="a")
    (found,) = await recheck(memory, run)
    assert not found.passed
    assert "the right answer is: returned 241.0" in found.detail


async def test_a_machine_that_can_run_nothing_suspends_nothing(memory: Memory, run: Runner) -> None:
    memory.admit(shelved.takt(), key="a")

    async def crippled(argv: Any, purpose: str, **options: Any) -> Any:
        return await run(["false"], purpose, **options)

    with pytest.raises(SandboxUnavailable, match="nothing was suspended"):
        await recheck(memory, crippled)
    assert memory.library.skill("takt_time").state is SkillState.ACTIVE
