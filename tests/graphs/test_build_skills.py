"""Skills in a build: offered to its developers, run in the sandbox, judged by the verdict, and kept for a replay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import shelved
from blockbuster import blockbuster_ctx
from crew import Crew, assignment, writing
from faults.clients import Launcher
from faults.points import Strike
from servers.ollama import Model, OllamaServer, Reply, call

from graphs import skills
from graphs.build import BuildContext, graph
from millwright.replaying import replay
from tools.events import read_events
from tools.memory.evidence import Count
from tools.memory.memory import open_memory
from tools.memory.records import SkillState
from tools.memory.uplift import uplift_of
from tools.runs.home import run_dir
from tools.storage import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Start = Callable[..., OllamaServer]
TASK = "Write plan.py: TAKT, the takt time in minutes per unit of 480 available minutes and a demand of 100 units."
PLAN = [assignment("A1", "plan.py", task=TASK)]
ASKING = Reply(tool_calls=[call("skill_takt_time", available_minutes=480, demand=100)])
UNRULY = '''
def takt_time(available_minutes: float, demand: int) -> float:
    """Takt time in minutes per unit: the available minutes divided by the units demanded."""
    import os
    if demand == 1:
        while True:
            pass
    if demand == 2:
        os._exit(0)
    if demand == 3:
        print("x" * 100_000_000)
    return available_minutes / demand
'''


def asking_first(request: Any, turn: int) -> Reply:
    """Ask the skill, then write what it answered, then finish."""
    if turn == 0:
        return ASKING
    answer = next(m["content"] for m in request.messages if m["role"] == "tool")
    return writing({"plan.py": f"TAKT = {answer}\n"})[turn - 1]


def crew(developer: Any = asking_first) -> Crew:
    return Crew(PLAN, {"A1": developer})


async def build(server: OllamaServer, **settings: Any) -> dict[str, Any]:
    """Run a whole build as thread `t` and return its output."""
    context = BuildContext(base_url=server.url, **settings)
    return await graph.ainvoke(
        {"goal": "Plan a production line."}, {"configurable": {"thread_id": "t"}}, context=context
    )


def told(kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in read_events(run_dir("t") / "events.jsonl") if event["event"] == kind]


def uses() -> list[tuple[Any, ...]]:
    """Every recorded use: skill, outcome, whether its run was verified."""
    rows = shelved.library().database.read("SELECT skill, outcome, verified FROM uses ORDER BY rowid")
    return [tuple(row) for row in rows]


def developing(server: OllamaServer) -> list[Any]:
    """What the developer was asked."""
    return [chat for chat in server.chats if "Your assignment A1" in chat.messages[1]["content"]]


async def test_a_developer_calls_a_skill_its_answer_arrives_and_the_use_is_verified(ollama: Start) -> None:
    skill = open_memory().admit(shelved.takt(), key="1")
    server = ollama(crew())
    output = await build(server)
    first = developing(server)[0]
    assert output["verdict"] == "PASS"
    assert (run_dir("t") / "workspace" / "plan.py").read_text() == "TAKT = 4.8\n"
    assert "skill_takt_time" in first.tools
    assert "- skill_takt_time: Takt time in minutes per unit" in first.messages[1]["content"]
    assert "2 tests, which notice 9 of 10 changes to its code; not used yet" in first.messages[1]["content"]
    assert [list(event["skills"]) for event in told("SKILLS_OFFERED")] == [[skill.id]]
    assert uses() == [(skill.id, "returned", True)]
    known = shelved.library().skill(skill.id)
    assert (known.uses, known.successes) == (1, 1)
    assert shelved.library().counts()["exposures"] == 1


async def test_a_run_that_fails_speaks_against_the_skills_it_used(ollama: Start) -> None:
    open_memory().admit(shelved.takt(), key="1")
    finding = {"path": "plan.py", "severity": "blocker", "problem": "wrong number", "line": 1}
    wrong = Crew(PLAN, {"A1": asking_first}, findings={"A1": [finding]})
    assert (await build(ollama(wrong), max_rounds=0))["verdict"] == "FAIL"
    assert uses() == [("takt_time-1", "returned", False)]


async def test_without_a_skill_that_fits_everything_is_as_it_was(ollama: Start) -> None:
    servers = []
    for prepared in (lambda: None, admit_another, lambda: shutil.rmtree(run_dir("t").parents[1])):
        prepared()
        shutil.rmtree(run_dir("t"), ignore_errors=True)
        servers.append(ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})})))
        assert (await build(servers[-1]))["verdict"] == "PASS"
    asked = [[(chat.tools, chat.messages) for chat in developing(server)] for server in servers]
    assert asked[0] == asked[1] == asked[2]
    assert not [tool for chat in developing(servers[1]) for tool in chat.tools if tool.startswith("skill_")]


def admit_another() -> None:
    """Admit a skill that has nothing to do with the plan."""
    code = 'def reverse_text(text: str) -> str:\n    """Reverse the letters of a word."""\n    return text[::-1]\n'
    open_memory().admit(shelved.new_skill(code), key="2")


@pytest.mark.parametrize("state", [SkillState.SUSPENDED, SkillState.CANDIDATE])
async def test_only_active_skills_are_offered(ollama: Start, state: SkillState) -> None:
    skill = open_memory().admit(shelved.takt(), key="1")
    shelved.library().change_state(skill.id, state, "for a test", key="2")
    server = ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})}))
    assert (await build(server))["verdict"] == "PASS"
    assert "skill_takt_time" not in developing(server)[0].tools


async def test_a_build_that_is_held_out_is_offered_nothing_and_its_verdict_counts_on_its_side(
    ollama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skills, "held_out", lambda request, share: True)
    skill = open_memory().admit(shelved.takt(), key="1")
    server = ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})}))
    assert (await build(server, hold_out=0.1))["verdict"] == "PASS"
    assert "skill_takt_time" not in developing(server)[0].tools
    assert [(event["skills"], event["withheld"]) for event in told("SKILLS_OFFERED")] == [({}, [skill.id])]
    assert shelved.library().counts()["exposures"] == 0
    assert uplift_of(shelved.library().database, "build").without.count == Count(1, 1)


async def test_a_build_can_do_without_the_library(ollama: Start) -> None:
    open_memory().admit(shelved.takt(), key="1")
    server = ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})}))
    assert (await build(server, skills=False))["verdict"] == "PASS"
    assert "takt_time" not in json.dumps(developing(server)[0].body)
    assert shelved.library().counts()["exposures"] == 0


async def test_a_skill_that_hangs_crashes_or_floods_is_an_answer_and_the_build_goes_on(ollama: Start) -> None:
    open_memory().admit(shelved.new_skill(UNRULY), key="1")
    calls = [call("skill_takt_time", available_minutes=480, demand=demand) for demand in (1, 2, 3, 0, 100)]
    wrong = call("skill_takt_time", available_minutes="all", demand=1)
    server = ollama(crew([Reply(tool_calls=[*calls, wrong]), *writing({"plan.py": "TAKT = 4.8\n"})]))
    output = await build(server)
    answers = [m["content"] for m in developing(server)[1].messages if m["role"] == "tool"]
    assert output["verdict"] == "PASS"
    assert [answer.startswith("Error: skill_takt_time gave no answer") for answer in answers[:2]] == [True, True]
    assert answers[3].startswith("skill_takt_time raised ZeroDivisionError")
    assert answers[4] == "4.8"
    assert answers[5] == "Error: takt_time was not called: 'available_minutes' is 'all', and must be a number"
    assert max(map(len, answers)) < 1000
    assert [outcome for _, outcome, _ in uses()][:2] == ["stopped", "stopped"]
    assert len(uses()) == 5


async def test_an_agent_that_answers_in_text_is_shown_the_code_and_told_of_no_tool(ollama: Start) -> None:
    open_memory().admit(shelved.takt(), key="1")

    written = [Reply("```python plan.py\nTAKT = 4.8\n```")]
    server = ollama(Crew(PLAN, {"A1": written}), models=[Model("writer", ("completion",))])
    await build(server, model="ollama:writer", max_rounds=0)
    assert (run_dir("t") / "workspace" / "plan.py").read_text() == "TAKT = 4.8\n"
    assert shelved.TAKT.strip() in developing(server)[0].messages[1]["content"]
    assert not [chat for chat in server.chats if "skill_takt_time" in json.dumps(chat.body)]


async def test_a_tester_may_call_a_skill_and_is_shown_no_code(ollama: Start) -> None:
    open_memory().admit(shelved.takt(), key="1")
    test = "from plan import TAKT\n\n\ndef test_takt():\n    assert TAKT == 4.8\n"
    tester = assignment("A2", "test_plan.py", role="tester", after=["A1"], task=f"Test plan.py. {TASK}")
    both = {"A1": writing({"plan.py": "TAKT = 4.8\n"}), "A2": writing({"test_plan.py": test})}
    server = ollama(Crew([*PLAN, tester], both))
    assert (await build(server))["verdict"] == "PASS"
    (asked,) = [c for c in server.chats if "Your assignment A2" in c.messages[1]["content"]][:1]
    assert "skill_takt_time" in asked.tools
    assert "def takt_time" not in json.dumps(asked.body)
    assert "def takt_time" in developing(server)[0].messages[1]["content"]


async def test_a_replay_needs_no_library_and_teaches_nothing(ollama: Start, home: Path) -> None:
    open_memory().admit(shelved.takt(), key="1")
    assert (await build(ollama(crew())))["verdict"] == "PASS"
    cassette = run_dir("t") / "cassette.jsonl"
    kept = [line["value"] for line, _ in read_lines(cassette) if line.get("scope") == "skills/develop/A1#0"]
    assert [skill["id"] for skill in kept[0]["skills"]] == ["takt_time-1"]
    before = shelved.library().counts()
    assert (await replay(cassette)).verdict == "PASS"
    assert shelved.library().counts() == before
    open_memory().close()
    shutil.rmtree(home / "memory")
    assert (await replay(cassette)).verdict == "PASS"
    assert not (home / "memory").exists()


async def test_a_recording_without_skills_stays_valid_when_there_are_some(ollama: Start) -> None:
    assert (await build(ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})}))))["verdict"] == "PASS"
    open_memory().admit(shelved.takt(), key="1")
    assert (await replay(run_dir("t") / "cassette.jsonl")).verdict == "PASS"
    assert shelved.library().counts()["exposures"] == 0


async def test_a_library_that_cannot_be_read_stops_no_build(ollama: Start, home: Path) -> None:
    (home / "memory").mkdir(parents=True)
    (home / "memory" / "memory.sqlite").write_bytes(b"this is no database, but it is long enough to be one" * 100)
    server = ollama(Crew(PLAN, {"A1": writing({"plan.py": "TAKT = 4.8\n"})}))
    assert (await build(server))["verdict"] == "PASS"
    assert "memory.sqlite" in told("MEMORY_FAILURE")[0]["message"]


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """Millwright, imported once."""
    started = Launcher()
    yield started
    started.close()


MOMENTS = {
    "before the offer is kept": (1, "write cassette.jsonl choice"),
    "between the call of the skill and the journal": (0, "write cassette.jsonl tool"),
    "before the answer to its result is kept": (2, "write cassette.jsonl call"),
    "between the verdict on the skill and the end of the run": (2, "replace run.json"),
}
SOAKED = ("before the answer to its result is kept", "between the verdict on the skill and the end of the run")


@pytest.mark.parametrize("moment", [pytest.param(m, marks=[pytest.mark.soak] * (m in SOAKED)) for m in MOMENTS])
def test_a_killed_build_offers_the_same_again_and_records_each_use_once(
    ollama: Start, launcher: Launcher, home: Path, moment: str
) -> None:
    open_memory().admit(shelved.takt(), key="1")
    server = ollama(crew())
    where = {"home": home, "MILLWRIGHT_EMBEDDINGS": "lexical"}
    words = ("build", "Plan a production line.", "--base-url", server.url, "--json")
    nth, pattern = MOMENTS[moment]
    ended = launcher.run(*words, **where, strike=Strike(pattern=pattern, nth=nth))
    assert ended.killed, ended.points
    if moment != "before the offer is kept":
        admit_another()  # what is in the library by now is not what was offered
        shelved.library().change_state("takt_time-1", SkillState.RETIRED, "meanwhile", key="3")
    (run,) = [path.name for path in (home / "runs").iterdir()]
    again = launcher.run("runs", "resume", run, "--json", **where)
    assert (again.code, again.result["verdict"]) == (0, "PASS"), again.out
    assert uses() == [("takt_time-1", "returned", True)]
    assert len({json.dumps([c.tools, c.messages]) for c in developing(server)}) == 3


async def test_a_run_that_used_a_skill_is_verified_by_its_zip_alone(
    ollama: Start, launcher: Launcher, home: Path
) -> None:
    open_memory().admit(shelved.takt(), key="1")
    output = await build(ollama(crew()))
    open_memory().close()
    shutil.rmtree(home / "memory")
    ended = launcher.run("verify", output["archive"], "--json", home=home)
    assert ended.code == 0, ended.out


async def test_nothing_blocks_the_loop_while_skills_are_found_run_and_judged(ollama: Start) -> None:
    open_memory().admit(shelved.takt(), key="1")
    server = ollama(crew())
    with blockbuster_ctx() as watch:
        # LangChain looks a function's source up when it is streamed for the first time.
        watch.functions["os.stat"].can_block_in("langchain_core/runnables/utils.py", "get_function_nonlocals")
        assert (await build(server))["verdict"] == "PASS"
    assert uses() == [("takt_time-1", "returned", True)]
