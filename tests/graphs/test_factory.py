"""The factory graph with scripted makers: which way each task goes, and what is left in the library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from servers.ollama import ChatRequest, OllamaServer, Reply, call
from toolmakers import TAKT, TAKT_STATEMENT, TAKT_TESTS, TAKT_WRONG, Toolmakers, authors, renamed, takt_task

from graphs.factory import FactoryContext, graph, recalling
from tools.errors import UsageError
from tools.events import read_events
from tools.memory.evidence import Count
from tools.memory.memory import open_memory
from tools.memory.records import SkillState
from tools.memory.uplift import uplift_of
from tools.runs.home import run_dir
from tools.tasks import Task, draw

Start = Callable[..., OllamaServer]
MAKERS = Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]})
WRITTEN = ["draw", "recall", "decide", "examine", "admit", "settle"]
NO = {name: {"decision": "write", "tool": "", "why": "no"} for name in ("takt_time", "pace", "nothing")}
REUSE = {"decision": "reuse", "tool": "takt_time-1", "why": "it is the same"}


async def make(server: OllamaServer, task: Any = None, thread: str = "t", **settings: Any) -> dict[str, Any]:
    """Run one task, or one that is invented about a text, as a thread; return the output."""
    context = FactoryContext(base_url=server.url, **settings)
    given = {"prompt": task} if isinstance(task, str) else {"task": task.model_dump(mode="json")} if task else {}
    return await graph.ainvoke(given, {"configurable": {"thread_id": thread}}, context=context)


def steps(thread: str = "t") -> list[str]:
    """The nodes that advanced a run, in order."""
    return [event["node"] for event in read_events(run_dir(thread) / "events.jsonl") if event["event"] == "STEP"]


def report(thread: str = "t") -> dict[str, Any]:
    """The report of a run."""
    return json.loads((run_dir(thread) / "report.json").read_text())


def library() -> dict[str, Any]:
    """The tools of the library, by id."""
    found = open_memory().library.skills(states=list(SkillState), every_version=True)
    return {skill.id: skill for skill in found}


async def test_a_task_becomes_a_proved_tool(ollama: Start) -> None:
    output = await make(ollama(MAKERS), takt_task())
    assert (output["verdict"], output["outcome"], output["decision"]) == ("PASS", "admitted", "write"), output
    skill = library()["takt_time-1"]
    assert (skill.state, skill.code, skill.tests, skill.run) == (SkillState.ACTIVE, TAKT, TAKT_TESTS, "t")
    assert skill.evidence.tests == 8
    assert skill.evidence.oracle_cases >= 26
    assert skill.description == "Minutes available for each unit of demand."
    assert steps() == WRITTEN
    (task,) = open_memory().library.tasks()
    assert (task.outcome, task.skill, task.calls, task.code) == ("admitted", "takt_time-1", 4, TAKT)
    assert task.seconds.keys() == {"draw", "recall", "decide", "write", "author", "examine", "admit"}


async def test_the_author_of_the_tests_never_sees_the_code_nor_the_developer_the_tests(ollama: Start) -> None:
    weak = TAKT_TESTS.replace("450.0, 300, 1.5", "450.0, 300, 1.6")
    server = ollama(Toolmakers({"takt_time": [TAKT_WRONG, TAKT]}, {"takt_time": [weak, TAKT_TESTS]}))
    output = await make(server, takt_task())
    assert output["outcome"] == "admitted"
    testers, developers = authors(server.chats, "tester"), authors(server.chats, "developer")
    assert (len(testers), len(developers)) == (3, 3)  # the second attempts answer with text, in one turn
    # What an author wrote itself stands in its own conversation; the other's files stand nowhere in it.
    assert not any("demand must be positive" in json.dumps(chat.body) for chat in testers)
    assert not any("available_minutes * demand" in json.dumps(chat.body) for chat in testers)
    assert not any("parametrize" in json.dumps(chat.body) for chat in developers)


async def test_the_same_task_again_is_solved_by_the_tool_without_asking_a_model(ollama: Start) -> None:
    server = ollama(MAKERS)
    await make(server, takt_task())
    asked = len(server.chats)
    output = await make(server, takt_task(), thread="again")
    assert (output["outcome"], output["skill"], output["verdict"]) == ("reused", "takt_time-1", "PASS")
    assert len(server.chats) == asked
    assert steps("again") == ["draw", "recall", "decide", "prove", "settle"]
    skill = library()["takt_time-1"]
    assert (skill.uses, skill.successes) == (1, 1)


async def test_a_tool_of_another_name_is_reused_when_the_librarian_says_so_and_the_oracle_agrees(
    ollama: Start,
) -> None:
    other = takt_task(
        entry="takt",
        signature="def takt(available_minutes: float, demand: int) -> float",
        statement=TAKT_STATEMENT + " Takt time paces a line.",
        reference=renamed("takt", TAKT),
    )
    server = ollama(Toolmakers(MAKERS.code, MAKERS.tests, choices={"takt": REUSE}))
    await make(server, takt_task())
    output = await make(server, other, thread="other")
    assert (output["outcome"], output["skill"]) == ("reused", "takt_time-1")
    assert len(authors(server.chats, "librarian")) == 1
    assert "Minutes available for each unit" in authors(server.chats, "librarian")[0].last


async def test_a_task_that_is_held_out_is_not_shown_what_was_found_and_counts_on_its_side(
    ollama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalling, "held_out", lambda request, share: share == 0.5)
    other = takt_task(
        entry="pace",
        signature="def pace(available_minutes: float, demand: int) -> float",
        reference=renamed("pace", TAKT),
    )
    code, tests = (
        {**given, "pace": [renamed("pace", given["takt_time"][0])]} for given in (MAKERS.code, MAKERS.tests)
    )
    server = ollama(Toolmakers(code, tests, choices={"pace": REUSE}))
    await make(server, takt_task())
    again = await make(server, takt_task(), thread="again", hold_out=0.5)
    assert again["outcome"] == "reused"  # a tool that was made for the very task is never held back
    out = await make(server, other, thread="out", hold_out=0.5)
    assert (out["outcome"], out["decision"], out["skill"]) == ("duplicate", "write", "takt_time-1")
    assert not authors(server.chats, "librarian")
    assert "held out" in report("out")["why"]
    shown = await make(server, other, thread="shown")
    assert shown["outcome"] == "reused"
    memory = open_memory()
    assert {row.run: row.arm for row in memory.library.tasks()} == {
        "t": "",
        "again": "",
        "out": "without",
        "shown": "with",
    }
    assert memory.library.counts()["exposures"] == 2
    assert uplift_of(memory.library.database, "factory").without.count == Count(1, 1)


async def test_a_tool_that_does_not_solve_the_task_leads_to_new_code(ollama: Start) -> None:
    hourly = TAKT.replace("available_minutes / demand", "60 * available_minutes / demand")
    task = takt_task(
        entry="takt_seconds",
        title="Takt time in seconds",
        signature="def takt_seconds(available_minutes: float, demand: int) -> float",
        statement="Return the takt time in seconds. " + TAKT_STATEMENT,
        reference=renamed("takt_seconds", hourly),
        examples=[],
    )
    tests = renamed("takt_seconds", TAKT_TESTS).replace("pytest.approx(takt)", "pytest.approx(60 * takt)")
    makers = Toolmakers(
        {"takt_time": [TAKT], "takt_seconds": [renamed("takt_seconds", hourly)]},
        {"takt_time": [TAKT_TESTS], "takt_seconds": [tests]},
        choices={"takt_seconds": REUSE},
    )
    server = ollama(makers)
    await make(server, takt_task())
    output = await make(server, task, thread="seconds")
    assert (output["outcome"], output["skill"], output["decision"]) == ("admitted", "takt_seconds-1", "write")
    assert steps("seconds") == ["draw", "recall", "decide", "prove", "examine", "admit", "settle"]
    tried = next(step for step in report("seconds")["steps"] if step["step"] == "prove")
    assert "the right answer is" in tried["why"]
    assert library()["takt_time-1"].uses == 0  # it was not made for this


async def test_a_wrong_tool_with_tests_that_agree_with_it_is_never_admitted(ollama: Start) -> None:
    wrong = TAKT_TESTS.replace("480.0, 240, 2.0", "480.0, 240, 115200.0").replace(
        "450.0, 300, 1.5", "450.0, 300, 135000"
    )
    output = await make(ollama(Toolmakers({"takt_time": [TAKT_WRONG]}, {"takt_time": [wrong]})), takt_task())
    assert (output["verdict"], output["outcome"]) == ("FAIL", "failed")
    assert library() == {}
    assert report()["failed_at"] == "reference"
    (task,) = open_memory().library.tasks(outcome="failed")
    assert task.step == "reference"
    assert "independent program fails them" in task.reason


async def test_code_that_fails_right_tests_is_written_again_with_the_whole_reason(ollama: Start) -> None:
    told: list[str] = []

    def write(failure: str) -> str:
        told.append(failure)
        return TAKT if failure else TAKT_WRONG

    server = ollama(Toolmakers({"takt_time": write}, MAKERS.tests))
    output = await make(server, takt_task())
    assert output["outcome"] == "admitted"
    assert "115200.0 == 2.0" in told[1]
    assert len(authors(server.chats, "tester")) == 2  # the tests were right, and stay
    assert steps() == ["draw", "recall", "decide", "examine", "examine", "admit", "settle"]


async def test_tests_that_prove_nothing_are_written_again_and_the_code_stays(ollama: Start) -> None:
    blind = "from main import takt_time\n\n\ndef test_is_there():\n    assert callable(takt_time) and takt_time\n"
    server = ollama(Toolmakers(MAKERS.code, {"takt_time": [blind, TAKT_TESTS]}))
    output = await make(server, takt_task())
    assert output["outcome"] == "admitted"
    assert len(authors(server.chats, "developer")) == 2
    assert len(authors(server.chats, "tester")) == 3


async def test_a_failure_says_at_which_step_and_why_after_three_tries(ollama: Start) -> None:
    server = ollama(Toolmakers({"takt_time": [TAKT_WRONG]}, MAKERS.tests))
    output = await make(server, takt_task())
    assert output["outcome"] == "failed"
    assert (report()["failed_at"], steps().count("examine")) == ("tests", 3)
    assert any("test_divides_the_time_by_the_demand" in reason for reason in output["reasons"])
    changed = [step["changed"] for step in report()["steps"] if step["step"] == "write" and step["what"] == "code"]
    assert changed == ["", "protocol", "size"]


async def test_an_author_that_writes_nothing_is_blamed_and_the_other_is_not_asked_again(ollama: Start) -> None:
    makers = Toolmakers(MAKERS.code, MAKERS.tests)

    def silent(request: Any) -> Reply:
        if "You are a developer" in request.system:
            return Reply(tool_calls=[call("raise_callback", level="blocker", subject="me", message="I cannot.")])
        return makers(request)

    server = ollama(silent)
    output = await make(server, takt_task(), tries=2)
    assert output["outcome"] == "failed"
    assert any(reason.startswith("main.py was not written") for reason in output["reasons"])
    assert len(authors(server.chats, "tester")) == 2


SECONDS = TAKT.replace("available_minutes / demand", "60 * available_minutes / demand")
IN_SECONDS = TAKT_TESTS.replace("approx(takt)", "approx(60 * takt)")


async def test_code_that_contradicts_a_stated_example_is_refused_though_its_tests_agree(ollama: Start) -> None:
    server = ollama(Toolmakers({"takt_time": [SECONDS, TAKT]}, {"takt_time": [IN_SECONDS, TAKT_TESTS]}))
    output = await make(server, takt_task(oracle=False))
    assert output["outcome"] == "admitted", output
    assert library()["takt_time-1"].code == TAKT
    exams = [event for event in read_events(run_dir("t") / "events.jsonl") if event["event"] == "EXAM"]
    failed = exams[0]["steps"][-1]
    assert (failed["name"], failed["passed"], exams[0]["blames"]) == ("oracle", False, ["code"])
    assert "1 of 1 answers differ from the examples of the task" in failed["detail"]
    assert exams[-1]["steps"][-1]["detail"] == "1 answers agree with the examples of the task"
    assert library()["takt_time-1"].evidence.oracle_cases == 0, "an example is no independent calculation"


async def test_a_tool_that_contradicts_a_stated_example_is_not_reused_though_the_tests_agree(ollama: Start) -> None:
    task = takt_task(
        oracle=False,
        entry="pace",
        signature="def pace(available_minutes: float, demand: int) -> float",
        statement="Return the pace in seconds. " + TAKT_STATEMENT,
        examples=[{"arguments": {"demand": 240, "available_minutes": 480.0}, "result": 120.0}],
    )
    makers = Toolmakers(
        {"takt_time": [TAKT], "pace": [renamed("pace", SECONDS)]},
        {"takt_time": [TAKT_TESTS], "pace": [renamed("pace", TAKT_TESTS), renamed("pace", IN_SECONDS)]},
        choices={"pace": REUSE},
    )
    server = ollama(makers)
    await make(server, takt_task())
    output = await make(server, task, thread="pace")
    assert (output["outcome"], output["skill"]) == ("admitted", "pace-1"), output
    tried = next(step for step in report("pace")["steps"] if step["step"] == "prove")
    assert "differ from the examples of the task" in json.dumps(tried)


def hours() -> tuple[Task, Toolmakers]:
    """A task that is solved with `takt_time`, and those who solve it so."""
    hourly = "    return takt_time(available_minutes, demand) / 60\n"
    code = (
        "from skills.takt_time import takt_time\n\n\ndef takt_hours(available_minutes: float, demand: int) -> float:\n"
        f'    """Takt time in hours."""\n{hourly}'
    )
    task = takt_task(
        entry="takt_hours",
        title="Takt time in hours",
        signature="def takt_hours(available_minutes: float, demand: int) -> float",
        statement="Return the takt time in hours. " + TAKT_STATEMENT,
        reference=renamed("takt_hours", TAKT).replace("minutes / demand", "minutes / demand / 60"),
        examples=[],
    )
    tests = renamed("takt_hours", TAKT_TESTS).replace("pytest.approx(takt)", "pytest.approx(takt / 60)")
    makers = Toolmakers(
        {"takt_time": [TAKT], "takt_hours": [code]},
        {"takt_time": [TAKT_TESTS], "takt_hours": [tests]},
        choices={"takt_hours": {"decision": "adapt", "tool": "takt_time-1", "why": "hours of it"}},
    )
    return task, makers


async def test_a_tool_made_of_another_is_a_workflow_and_what_it_is_made_of_gains_evidence(ollama: Start) -> None:
    task, makers = hours()
    server = ollama(makers)
    await make(server, takt_task())
    output = await make(server, task, thread="hours")
    assert (output["outcome"], output["decision"]) == ("admitted", "adapt"), output
    made = library()["takt_hours-1"]
    assert (made.tool_type, made.requires) == ("workflow", ("takt_time-1",))
    assert library()["takt_time-1"].successes == 1
    shown = authors(server.chats, "developer")[-1].messages[1]["content"]
    assert TAKT in shown
    assert not any(TAKT in json.dumps(chat.messages) for chat in authors(server.chats, "tester"))


async def test_a_tool_whose_parts_are_forgotten_before_it_is_admitted_is_a_failed_task_with_the_reason(
    ollama: Start,
) -> None:
    task, makers = hours()

    def answer(request: ChatRequest) -> Reply:
        if request.messages[-1]["role"] == "tool" and "takt_hours" in request.messages[1]["content"]:
            open_memory().forget("takt_time")
        return makers(request)

    server = ollama(answer)
    await make(server, takt_task())
    output = await make(server, task, thread="hours")
    assert (output["outcome"], output["skill"], library()) == ("failed", "", {})
    assert "requires 'takt_time-1', which is not in the memory" in output["reasons"][0]
    assert report("hours")["failed_at"] == "admit"


async def test_an_import_of_a_tool_that_nobody_showed_is_told_to_the_developer(ollama: Start) -> None:
    told: list[str] = []

    def write(failure: str) -> str:
        told.append(failure)
        return TAKT if failure else "from skills.magic import takt_time\n"

    output = await make(ollama(Toolmakers({"takt_time": write}, MAKERS.tests)), takt_task())
    assert output["outcome"] == "admitted"
    assert "imports skills.magic, which is not there" in told[1]


async def test_the_same_code_for_another_task_is_no_second_tool(ollama: Start) -> None:
    server = ollama(Toolmakers(MAKERS.code, MAKERS.tests, choices=NO))
    await make(server, takt_task())
    other = takt_task(statement=TAKT_STATEMENT + " It paces a line.")
    output = await make(server, other, thread="other")
    assert (output["outcome"], output["skill"], output["verdict"]) == ("duplicate", "takt_time-1", "PASS")
    assert list(library()) == ["takt_time-1"]


async def test_other_code_with_the_same_answers_becomes_another_name_of_the_tool(ollama: Start) -> None:
    other = takt_task(
        entry="pace",
        title="Pace of a line",
        signature="def pace(available_minutes: float, demand: int) -> float",
        statement="Return the pace. " + TAKT_STATEMENT,
        reference=renamed("pace", TAKT),
    )
    differently = renamed("pace", TAKT).replace("available_minutes / demand", "1 / (demand / available_minutes)")
    differently = differently.replace(
        "    return", "    if available_minutes == 0:\n        return 0.0\n    return"
    )
    makers = Toolmakers(
        {"takt_time": [TAKT], "pace": [differently]},
        {"takt_time": [TAKT_TESTS], "pace": [renamed("pace", TAKT_TESTS)]},
        choices=NO,
    )
    server = ollama(makers)
    await make(server, takt_task())
    output = await make(server, other, thread="pace")
    assert (output["outcome"], output["skill"]) == ("duplicate", "takt_time-1")
    assert open_memory().library.skill("pace").id == "takt_time-1"


async def test_without_an_oracle_a_tool_is_a_candidate_and_reused_only_after_independent_tests(
    ollama: Start,
) -> None:
    server = ollama(MAKERS)
    await make(server, takt_task(oracle=False))
    assert library()["takt_time-1"].state is SkillState.CANDIDATE
    output = await make(server, takt_task(oracle=False), thread="again")
    assert (output["outcome"], output["skill"]) == ("reused", "takt_time-1")
    assert len(authors(server.chats, "tester")) == 4
    assert len(authors(server.chats, "developer")) == 2


async def test_where_nothing_independent_decides_both_authors_are_asked_in_the_end(ollama: Start) -> None:
    wrong = TAKT_TESTS.replace("450.0, 300, 1.5", "450.0, 300, 1.6")
    server = ollama(Toolmakers(MAKERS.code, {"takt_time": [wrong, TAKT_TESTS]}))
    output = await make(server, takt_task(oracle=False, examples=[]))
    assert output["outcome"] == "admitted"
    second = authors(server.chats, "tester")[2].messages[1]["content"]
    assert "Work these expected values out again" in second


async def test_a_task_is_invented_from_a_prompt_and_a_bad_invention_goes_back_with_its_errors(
    ollama: Start,
) -> None:
    good = {
        "title": "Takt time",
        "entry": "takt_time",
        "signature": "def takt_time(available_minutes: float, demand: int) -> float",
        "statement": TAKT_STATEMENT,
        "examples": [
            {"arguments": {"available_minutes": 480.0, "demand": 240}, "result": 2.0},
            {"arguments": {"available_minutes": 450.0, "demand": 300}, "result": 1.5},
        ],
    }
    bad = {**good, "signature": "def takt_time(minutes, demand)", "examples": good["examples"]}
    server = ollama(Toolmakers(MAKERS.code, MAKERS.tests, inventions=[json.dumps(bad), json.dumps(good)]))
    output = await make(server, "pacing an assembly line")
    assert (output["outcome"], output["title"]) == ("admitted", "Takt time")
    assert "the parameter minutes of takt_time has no annotation" in server.chats[1].last
    assert library()["takt_time-1"].state is SkillState.CANDIDATE


async def test_no_valid_invention_ends_the_task_with_its_reason(ollama: Start) -> None:
    output = await make(ollama(Toolmakers({}, {}, inventions=["no idea"])), "something")
    assert (output["outcome"], output["verdict"]) == ("failed", "FAIL")
    assert "no task was invented" in output["reasons"][0]
    assert (report()["failed_at"], steps()) == ("draw", ["draw", "settle"])


async def test_a_drawn_task_is_the_one_that_seed_and_number_name(ollama: Start) -> None:
    task = draw("any", 3, 7)
    makers = Toolmakers({task.entry: [""]}, {task.entry: [""]})
    output = await make(ollama(makers), seed=3, number=7, tries=1)
    assert (output["title"], output["outcome"]) == (task.title, "failed")


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        ({"task": {"id": "x"}}, {}, "the task's signature cannot be used: '' is no signature"),
        ({}, {"domain": "cooking"}, "cooking"),
    ],
)
async def test_a_task_that_is_none_is_refused_in_a_sentence(
    given: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        await graph.ainvoke(given, {"configurable": {"thread_id": "t"}}, context=FactoryContext(**settings))


async def test_a_librarian_that_makes_no_sense_leads_to_new_code(ollama: Start) -> None:
    nonsense = {"decision": "reuse", "tool": "magic-7", "why": "it must be there"}
    server = ollama(Toolmakers(MAKERS.code, MAKERS.tests, choices={"takt_time": nonsense}))
    await make(server, takt_task())
    output = await make(server, takt_task(statement=TAKT_STATEMENT + " It paces a line."), thread="other")
    assert (output["decision"], output["outcome"]) == ("write", "duplicate")
    assert "nobody decided" in report("other")["why"]


async def test_a_second_task_in_the_same_thread_begins_in_an_empty_workspace(ollama: Start) -> None:
    server = ollama(Toolmakers({**MAKERS.code, "nothing": [""]}, {**MAKERS.tests, "nothing": [""]}, choices=NO))
    await make(server, takt_task())
    output = await make(
        server, takt_task(oracle=False, entry="nothing", signature="def nothing() -> int", examples=[]), tries=1
    )
    assert output["outcome"] == "failed"
    assert {path.read_text() for path in (run_dir("t") / "workspace").iterdir()} == {""}
