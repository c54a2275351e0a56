"""Who passes the exam: right tools with good tests; not wrong ones, not cheats, and no tests that cannot fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cheats import CHEATS, CUNNING, IMPURE, TOOTHLESS
from crafts import CRAFTS, TAKT, WRONG, Craft, examples, matching_tests

from tools.errors import SandboxUnavailable
from tools.sandbox import Limits, Sandbox
from tools.sandbox.canary import try_level
from tools.skills import exam, verdicts
from tools.skills.calling import asked
from tools.skills.exam import Examination, examine
from tools.skills.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.sandbox import Execution
    from tools.skills.running import Runner

SHORT = {
    "takt_time", "run_lengths", "takt_time seconds for minutes", "takt_time zero demand gives zero",
    "hard-codes the answers of the tests", "answers the first call only", "changes after many calls",
    "looks for the tests", "prints a report into another's output", "ends its process",
    "asserts nothing", "asserts the truth", "looks at the type only", "forgives everything", "tests its own copy",
    "knows one answer", "imports what nobody promised", "ends its judge", "waits for another test", "kills its judge",
    "starts an orphan while it is read", "finds the plan in memory", "makes a directory of what the program said",
    "fails from the fifth run on", "writes wherever it can while it is read",
}  # fmt: skip


def sooner(names: Iterable[str]) -> list[object]:
    """Some in every run of the tests, all in `make soak`."""
    return [name if name in SHORT else pytest.param(name, marks=pytest.mark.soak) for name in names]


async def sat(run: Runner, craft: Craft, code: str = "", tests: str = "", **options: object) -> Examination:
    program = Program(craft.entry, code or craft.code)
    return await examine(run, program, tests or craft.tests, signature=craft.signature, task=craft.task, **options)


def failed(found: Examination) -> tuple[str, str]:
    assert found.failed is not None, found
    assert not found.passed
    return found.failed.name, found.blames


@pytest.mark.parametrize("name", sooner(CRAFTS))
async def test_a_right_tool_with_good_tests_passes(run: Runner, name: str) -> None:
    found = await sat(run, CRAFTS[name])
    assert found.passed, found.failed
    assert found.evidence.tests >= 4
    assert found.evidence.oracle_cases >= 20
    assert found.evidence.mutants >= 1
    assert (found.evidence.mutation_score or 0) >= exam.LEAST_SCORE
    assert [step.name for step in found.steps] == [
        "interface", "pure", "reference", "tests", "again", "stub", "mutants", "properties", "state", "oracle",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sooner(CRAFTS))
async def test_every_wrong_tool_is_told_from_the_reference(run: Runner, name: str) -> None:
    craft = CRAFTS[name]
    inputs, order = [dict(one) for one in craft.inputs], [range(len(craft.inputs))]
    (right,) = await asked(run, Program(craft.entry, craft.task.reference), inputs, order, "reference")
    for what in craft.wrong:
        (wrong,) = await asked(run, Program(craft.entry, craft.broken(what)), inputs, order, what)
        assert verdicts.of_oracle(inputs, wrong, right, ()).blames == "code", what


@pytest.mark.parametrize("which", sooner(WRONG))
async def test_a_wrong_tool_with_tests_that_agree_with_it_is_refused(run: Runner, which: str) -> None:
    name, what = WRONG[which]
    craft = CRAFTS[name]
    inputs = [dict(one) for one in craft.inputs]
    (answers,) = await asked(run, Program(name, craft.broken(what)), inputs, [range(len(inputs))], "answers")
    found = await sat(run, craft, craft.broken(what), matching_tests(name, inputs, answers))
    assert failed(found) == ("reference", "tests")


async def test_a_wrong_tool_whose_tests_do_not_tell_fails_the_oracle(run: Runner) -> None:
    tests = """
import pytest
from main import takt_time
def test_whole(): assert takt_time(480, 240) == 2
def test_other(): assert takt_time(450, 2) == 225
def test_none(): assert takt_time(0, 2) == 0
@pytest.mark.parametrize("demand", [0, -1])
def test_demand(demand):
    with pytest.raises(ValueError): takt_time(480, demand)
def test_time():
    with pytest.raises(ValueError): takt_time(-1, 1)
"""
    found = await sat(run, TAKT, TAKT.broken("integer division"), tests)
    assert failed(found) == ("oracle", "code")
    told = found.failed.detail if found.failed else ""
    assert "the right answer is: returned" in told
    assert told.count("the right answer is") == 1, "the other right answers stay hidden"


async def test_without_a_reference_the_examples_are_the_oracle(run: Runner) -> None:
    wrong = TAKT.broken("seconds for minutes")
    inputs = [{"available_minutes": 480.0, "demand": n} for n in (1, 2, 0, -1)]
    (answers,) = await asked(run, Program("takt_time", wrong), inputs, [range(4)], "answers")
    task = TAKT.task.model_copy(update={"reference": "", "inputs": (), "examples": examples((inputs[1], 240.0))})
    tests = matching_tests("takt_time", inputs, answers)
    tests += "\ndef test_time():\n    with pytest.raises(ValueError):\n        takt_time(-1, 1)\n"
    program = Program("takt_time", wrong)
    found = await examine(run, program, tests, signature=TAKT.signature, task=task, least_score=0.5)
    assert failed(found) == ("oracle", "code")


@pytest.mark.parametrize("what", sooner(CHEATS))
async def test_a_cheat_is_refused(run: Runner, what: str) -> None:
    code, step = CHEATS[what]
    assert failed(await sat(run, TAKT, code)) == (step, "code")


@pytest.mark.parametrize("what", sooner(IMPURE))
async def test_a_cheat_that_reaches_out_is_refused_by_its_text_and_would_fail_without(
    run: Runner, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, step = IMPURE[what]
    assert failed(await sat(run, TAKT, code)) == ("pure", "code")
    if Sandbox.choose().level != "A":
        pytest.skip("tried only where the sandbox has processes of its own: others would not be safe from it")
    monkeypatch.setattr(exam, "impurities", lambda *_: [])
    assert failed(await sat(run, TAKT, code)) == (step, "code")


async def test_a_program_that_ends_every_process_it_can_is_no_tool(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Sandbox.choose().level != "A":
        pytest.skip("tried only where the sandbox has processes of its own: others would not be safe from it")
    ends = """import os
def takt_time(available_minutes: float, demand: int) -> float:
    \"\"\"End everything.\"\"\"
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if pid != os.getpid():
            try: os.kill(pid, 9)
            except OSError: pass
    return available_minutes / demand
"""
    monkeypatch.setattr(exam, "impurities", lambda *_: [])
    found = await sat(run, TAKT, ends)
    assert not found.passed
    assert "there was no report" in (found.failed.detail if found.failed else "")


SORTED = Craft(
    "def ranked(values: list[float]) -> list[float]",
    "return sorted(values)",
    "values = list(values)\nvalues.sort()\nreturn values",
    """
from main import ranked

def test_three(): assert ranked([3, 1, 2]) == [1, 2, 3]
def test_two(): assert ranked([2, 1]) == [1, 2]
def test_none(): assert ranked([]) == []
""",
    tuple({"values": [float((n * 5) % 7) for n in range(k)]} for k in range(22)),
    {"in place": "values.sort()\nreturn values"},
)
LETTERS = Craft(
    "def letters(text: str) -> list[str]",
    "return sorted(set(text))",
    "return list(set(text))",
    """
from main import letters

def test_a(): assert letters("aa") == ["a"]
def test_b(): assert letters("b") == ["b"]
def test_none(): assert letters("") == []
""",
    tuple({"text": "abcdefgh"[:n]} for n in range(9)),
)


async def test_a_tool_leaves_its_arguments_as_they_are(run: Runner) -> None:
    assert (await sat(run, SORTED)).passed
    found = await sat(run, SORTED, SORTED.broken("in place"))
    assert failed(found) == ("state", "code")
    assert "changes the arguments" in found.failed.detail if found.failed else ""


async def test_a_tool_that_depends_on_the_order_of_a_set_is_refused(run: Runner) -> None:
    task = LETTERS.task.model_copy(update={"reference": ""})
    program = Program("letters", LETTERS.code)
    found = await examine(run, program, LETTERS.tests, signature=LETTERS.signature, task=task)
    assert failed(found) == ("state", "code")
    assert "the order of a set" in (found.failed.detail if found.failed else "")


@pytest.mark.parametrize("what", sooner(TOOTHLESS))
async def test_tests_that_prove_nothing_are_blamed_on_the_tests(run: Runner, what: str) -> None:
    tests, step = TOOTHLESS[what]
    found = await sat(run, TAKT, tests=tests)
    assert failed(found) == (step, "tests"), found.failed


@pytest.mark.parametrize("what", sooner(CUNNING))
async def test_tests_that_reach_for_their_judge_or_remember_the_program_are_refused(run: Runner, what: str) -> None:
    tests, step = CUNNING[what]
    found = await sat(run, TAKT, tests=tests)
    assert failed(found) == (step, "tests"), found.failed


async def test_weak_tests_are_told_inputs_and_no_code(run: Runner) -> None:
    found = await sat(run, TAKT, tests=TOOTHLESS["leaves most open"][0])
    told = found.failed.detail if found.failed else ""
    assert "no test would notice a wrong answer to: (available_minutes=" in told
    assert "raise" not in told
    assert found.survivors
    assert all(one.telling is not None for one in found.survivors)


async def test_a_tool_made_of_others_is_examined_with_them(run: Runner) -> None:
    requires = {"takt_time": TAKT.code}
    code = (
        "from skills.takt_time import takt_time\n\n\n"
        "def takt_seconds(available_minutes: float, demand: int) -> float:\n"
        '    """The takt time in seconds per piece."""\n    return 60 * takt_time(available_minutes, demand)\n'
    )
    craft = Craft(
        "def takt_seconds(available_minutes: float, demand: int) -> float",
        TAKT.reference.replace("available_minutes / demand", "available_minutes * 60 / demand"), "", "", TAKT.inputs,
    )  # fmt: skip
    tests = (
        TAKT.tests.replace("takt_time", "takt_seconds")
        .replace("(2)", "(120)")
        .replace("1.125", "67.5")
        .replace("== 7.5", "== 450")
    )
    program = Program("takt_seconds", code, requires)
    found = await examine(run, program, tests, signature=craft.signature, task=craft.task)
    assert found.passed, found.failed
    without = await examine(run, Program("takt_seconds", code), tests, signature=craft.signature, task=craft.task)
    assert failed(without) == ("pure", "code")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (TAKT.code.replace("demand: int", "demand"), "the parameter demand of takt_time has no annotation"),
        (TAKT.code.replace("demand", "pieces"), "the parameters are (available_minutes, pieces)"),
        (TAKT.code.replace("-> float", "-> int"), "declared to return"),
        (TAKT.code.replace("takt_time", "takt"), "there is no function takt_time"),
        ("def takt_time(", "does not parse"),
    ],
)
async def test_another_function_than_was_asked_for_is_refused_without_running_it(
    run: Runner, code: str, why: str
) -> None:
    found = await sat(run, TAKT, code)
    assert failed(found) == ("interface", "code")
    assert why in (found.failed.detail if found.failed else "")


async def test_tests_may_ask_for_what_a_tool_need_not_understand(run: Runner) -> None:
    tests = f"{TAKT.tests}\ndef test_text():\n    with pytest.raises(Exception):\n        takt_time('480', None)\n"
    code = TAKT.code.replace("    if demand < 1:", "    demand + available_minutes\n    if demand < 1:")
    found = await sat(run, TAKT, code, tests)
    assert found.passed, found.failed


@pytest.mark.soak
async def test_tests_that_never_end_are_blamed_on_the_tests(run: Runner) -> None:
    tests = "from main import takt_time\n\ndef test_it():\n    while takt_time(480, 240): pass\n"
    found = await examine(run, Program("takt_time", TAKT.code), tests, signature=TAKT.signature)
    assert failed(found) == ("tests", "tests")


async def test_a_program_that_is_slow_to_import_is_not_taken_for_noticed(run: Runner) -> None:
    code = TAKT.code.replace(
        "\n\ndef takt_time", "\n\nTABLE = sum(i * i for i in range(6_000_000))\n\ndef takt_time"
    )
    found = await sat(run, TAKT, code, TOOTHLESS["looks at the type only"][0])
    assert failed(found) == ("stub", "tests")


async def test_a_right_tool_passes_at_the_weaker_level_of_the_sandbox_too() -> None:
    try:
        try_level("B")
    except SandboxUnavailable as error:
        pytest.skip(f"level B cannot be had here: {error}")
    sandbox = Sandbox("B")

    async def run(argv: Sequence[str], purpose: str, **more: Any) -> Execution:
        return await sandbox.arun(argv, limits=Limits(seconds=60), **more)

    found = await sat(run, TAKT)
    assert found.passed, found.failed
