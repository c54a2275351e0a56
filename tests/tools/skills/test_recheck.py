"""Tools are tried again with their own tests: what regressed is suspended, and comes back when it holds again."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shelved

from tools.errors import SandboxUnavailable
from tools.memory.memory import open_memory
from tools.memory.records import Example, SkillState, Use
from tools.redaction import MASK
from tools.sandbox import Limits
from tools.skills import retrial
from tools.skills.calling import call
from tools.skills.program import program_of
from tools.skills.recheck import recheck
from tools.skills.running import confined

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
    monkeypatch.setattr(retrial, "program_of", lambda *_: right)
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

    with pytest.raises(SandboxUnavailable, match="nothing was suspended for it"):
        await recheck(memory, crippled)
    assert memory.library.skill("takt_time").state is SkillState.ACTIVE


class Unsteady:
    """Runs what it is given within other limits each time, as a machine does that has little left; then well again."""

    def __init__(self, *limits: Limits | None) -> None:
        self._limits = list(limits)

    async def __call__(self, argv: Any, purpose: str, **options: Any) -> Any:
        limits = self._limits.pop(0) if self._limits else None
        return await confined(limits=limits or Limits(seconds=60))(argv, purpose, **options)


@pytest.mark.parametrize("short", [Limits(seconds=0.05), Limits(memory_bytes=3_000_000), Limits(file_bytes=10)])
async def test_a_machine_that_lacks_something_now_and_then_suspends_nothing(memory: Memory, short: Limits) -> None:
    memory.admit(shelved.takt(), key="a")
    (found,) = await recheck(memory, Unsteady(short, None, short))
    assert (found.passed, found.after) == (False, SkillState.ACTIVE)
    assert "could not be judged here, and stays active" in found.detail
    assert memory.library.history("takt_time-1") == []


async def test_a_tool_that_ends_no_more_is_suspended_for_its_processor_time(memory: Memory, run: Runner) -> None:
    endless = shelved.TAKT.replace("    return", "    while demand > 90:\n        pass\n    return")
    memory.admit(shelved.new_skill(endless, shelved.TAKT_TESTS), key="a")
    (found,) = await recheck(memory, run)
    assert (found.passed, found.after) == (False, SkillState.SUSPENDED)
    assert "did not end within 2 s" in found.detail


async def test_a_tool_that_the_clock_alone_speaks_against_is_told_and_not_suspended(
    memory: Memory, run: Runner
) -> None:
    """So looks a program that a busy machine does not let run."""
    waiting = "import time\n" + shelved.TAKT.replace("    return", "    time.sleep(3600)\n    return")
    memory.admit(shelved.new_skill(waiting, shelved.TAKT_TESTS), key="a")
    (found,) = await recheck(memory, run)
    assert (found.passed, found.after) == (False, SkillState.ACTIVE)
    assert "did not answer within 10 s" in found.detail


async def test_tests_that_pass_the_second_time_suspend_nothing(memory: Memory, run: Runner) -> None:
    memory.admit(shelved.takt(), key="a")
    tries = []

    async def disturbed(argv: Any, purpose: str, **options: Any) -> Any:
        tries.append(purpose)
        if len(tries) == 1:
            plan = next(options["workspace"].glob("*.json"))
            plan.write_text(plan.read_text().replace("== 4.8", "== 4.9"))
        return await run(argv, purpose, **options)

    (found,) = await recheck(memory, disturbed)
    assert (found.passed, found.after, len(tries)) == (True, SkillState.ACTIVE, 3)
    assert "4.9" in found.detail
    assert "depend on chance or on this machine" in found.detail


async def test_what_was_changed_in_the_database_is_suspended_and_the_others_are_judged(
    memory: Memory, run: Runner
) -> None:
    memory.admit(shelved.takt(), key="a")
    other = memory.admit(
        shelved.new_skill(shelved.TAKT.replace("takt", "pace"), shelved.TAKT_TESTS.replace("takt", "pace")), key="b"
    )
    with memory.library.database.transaction() as cursor:
        cursor.execute("UPDATE skills SET body = replace(body, '/ demand', '* demand') WHERE name = 'takt_time'")
    assert [hit.skill.id for hit in memory.search("pace takt time minutes demand")] == [other.id]
    (told,) = [finding for finding in memory.health().findings if finding.subject == "skills"]
    assert (told.state, memory.health().sound) == ("bad", False)
    assert "memory forget takt_time-1" in told.mend
    found = {one.skill: one for one in await recheck(memory, run)}
    assert found[other.id].passed
    assert found["takt_time-1"].after is SkillState.SUSPENDED
    assert "is not what was written" in found["takt_time-1"].detail
    assert [hit.skill.id for hit in memory.search("pace takt time minutes demand")] == [other.id]


async def test_a_call_that_failed_in_use_is_tried_again_and_told(memory: Memory, run: Runner) -> None:
    unwary = shelved.TAKT.replace("if demand <= 0", "if demand < 0")
    tests = shelved.TAKT_TESTS.replace("takt_time(480, 0)", "takt_time(480, -1)")
    skill = memory.admit(shelved.new_skill(unwary, tests), key="a")
    program = program_of(skill, memory.library)
    for number, demand in enumerate((0, -1, 7, 0)):
        arguments = {"available_minutes": 480, "demand": demand}
        (answer,) = await call(run, program, [arguments])
        failed = Use(
            key=str(number), skill=skill.id, run="", outcome="raised", arguments=arguments, detail=answer.error
        )
        memory.library.record_use(failed)
    memory.library.record_use(failed.model_copy(update={"key": "masked", "arguments": {"available_minutes": MASK}}))
    (found,) = await recheck(memory, run)
    assert (found.passed, found.after) == (True, SkillState.ACTIVE)
    assert (
        "of 3 calls that failed in use, 1 still do: takt_time(available_minutes=480, demand=0) raises Zero"
        in found.detail
    )


async def test_a_tool_that_a_person_retires_meanwhile_stays_retired(memory: Memory, run: Runner) -> None:
    wrong = shelved.new_skill(shelved.TAKT.replace("/ demand", "* demand"), shelved.TAKT_TESTS)
    skill = memory.admit(wrong, key="a")

    async def slow(argv: Any, purpose: str, **options: Any) -> Any:
        memory.library.change_state(skill.id, SkillState.RETIRED, "not wanted", key="person/1")
        return await run(argv, purpose, **options)

    (found,) = await recheck(memory, slow)
    assert (found.passed, found.after) == (False, SkillState.RETIRED)
    assert [change.after for change in memory.library.history(skill.id)] == [SkillState.RETIRED]


async def test_what_is_suspended_is_offered_to_nobody_and_what_is_approved_again_is(
    memory: Memory, run: Runner
) -> None:
    wrong = shelved.new_skill(shelved.TAKT.replace("/ demand", "* demand"), shelved.TAKT_TESTS)
    memory.admit(wrong, key="a")
    assert memory.search("takt time", states=(SkillState.ACTIVE,))
    await recheck(memory, run)
    assert not memory.search("takt time")
    memory.library.change_state("takt_time-1", SkillState.ACTIVE, "I looked", key="person/1")
    assert [hit.skill.id for hit in memory.search("takt time", states=(SkillState.ACTIVE,))] == ["takt_time-1"]


def test_a_right_program_passes_where_the_interpreter_lies_below_the_temporary_directory(tmp_path: Path) -> None:
    (tmp_path / "venv").symlink_to(sys.prefix)
    program = (
        "import asyncio; from tools.skills.running import confined; from tools.skills.retrial import check_machine; "
        "asyncio.run(check_machine(confined()))"
    )
    assert str(tmp_path).startswith(tempfile.gettempdir())
    subprocess.run([tmp_path / "venv" / "bin" / "python", "-c", program], check=True, cwd=Path(__file__).parents[3])
