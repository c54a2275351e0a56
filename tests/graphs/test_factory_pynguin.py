"""The factory with pynguin as the author of tests: the real one, on the references of tasks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from pynguins import installed
from servers.ollama import OllamaServer
from toolmakers import TAKT, TAKT_TESTS, TAKT_WRONG, Toolmakers, authors, takt_task

from graphs.factory import FactoryContext, generating, graph
from millwright import driving
from millwright.factory import Order, Trainer
from millwright.proof import prove
from millwright.replaying import replay
from tools.errors import UsageError
from tools.events import read_events
from tools.memory.memory import open_memory
from tools.memory.records import Example
from tools.runs.home import data_dir, run_dir, run_ids
from tools.skills.pynguin.interpreter import VARIABLE
from tools.storage import read_lines
from tools.tasks import Task

Start = Callable[..., OllamaServer]
HEAD = "found on a program that is independent"

RARE = '''\
def is_root(number: int) -> bool:
    """Whether the number solves the equation 7 x + 3 = 8641972."""
    return number * 7 + 3 == 8_641_972
'''
RARE_TESTS = """\
import pytest

from main import is_root


@pytest.mark.parametrize("number", [0, 1, -1, 1234566, 1234568, -1234567, 3, 7, 8641972])
def test_no(number):
    assert is_root(number) is False


def test_yes():
    assert is_root(1234567) is True
"""


def rare_task(**more: Any) -> Task:
    """A task of which a search finds only inputs with one and the same answer."""
    words = {"id": "rare", "domain": "d", "family": "rare", "title": "A root", "entry": "is_root"}
    return Task(
        **words,
        signature="def is_root(number: int) -> bool",
        statement="Return whether 7 times the number, and 3 more, is 8641972.",
        reference=more.pop("reference", RARE),
        inputs=tuple({"number": number} for number in range(1234560, 1234590)),
        examples=(Example(arguments={"number": 1}, result=False), Example(arguments={"number": 2}, result=False)),
    )


async def make(server: OllamaServer, task: Task, thread: str = "t") -> dict[str, Any]:
    """Run one task whose tests pynguin is to write; return the output."""
    installed()
    context = FactoryContext(base_url=server.url, tests="pynguin")
    given = {"task": task.model_dump(mode="json")}
    return await graph.ainvoke(given, {"configurable": {"thread_id": thread}}, context=context)


def told(thread: str = "t") -> str:
    """The report of a run, as a person reads it."""
    return (run_dir(thread) / "report.md").read_text()


def searches(thread: str = "t") -> int:
    """How often pynguin was run."""
    lines = [record for record, _ in read_lines(run_dir(thread) / "ledger.jsonl")]
    return sum(line["op"] == "command" and line["purpose"] == "pynguin: search" for line in lines)


async def test_a_tool_is_admitted_with_pynguins_tests_and_says_who_wrote_them(
    ollama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ollama(Toolmakers({"takt_time": [TAKT_WRONG, TAKT]}, {}))
    pynguin = installed()
    inputs = {"task": takt_task().model_dump(mode="json")}
    result = await driving.start("factory", inputs, base_url=server.url, tests="pynguin")
    assert (result.verdict, result.details["outcome"]) == ("PASS", "admitted"), result.reasons
    skill = open_memory().library.skill("takt_time-1")
    assert HEAD in skill.tests
    assert skill.plan["tests by"] == pynguin.name
    (entry,) = json.loads((data_dir() / "tools" / "index.json").read_text())["tools"]
    assert entry["provenance"]["tests_by"] == pynguin.name
    assert skill.evidence.mutation_score is not None
    assert skill.evidence.mutation_score >= 0.6
    assert f"tests, attempt 1 by {pynguin.name}: finished" in told(result.run)
    # No model was asked for tests, and none was shown what stands in them.
    assert not authors(server.chats, "tester")
    assert not any(HEAD in json.dumps(chat.body) for chat in server.chats)
    monkeypatch.setenv(VARIABLE, "/no/such/python")
    assert (await asyncio.to_thread(prove, result.run)).verdict == "PASS"
    assert (await replay(run_dir(result.run) / "cassette.jsonl")).verdict == "PASS"
    path = run_dir(result.run) / "cassette.jsonl"
    path.write_text(path.read_text().replace(HEAD, HEAD.replace("found", "made")))
    proof = await asyncio.to_thread(prove, result.run, rerun=False)
    assert [check.name for check in proof.checks if check.status == "FAIL"] == ["cassette"]


async def test_tests_that_tell_too_little_go_to_the_model_which_is_shown_none_of_them(ollama: Start) -> None:
    server = ollama(Toolmakers({"is_root": [RARE]}, {"is_root": [RARE_TESTS]}))
    output = await make(server, rare_task())
    assert output["outcome"] == "admitted", output["reasons"]
    skill = open_memory().library.skill("is_root-1")
    assert (skill.tests, skill.plan["tests by"]) == (RARE_TESTS, "ollama:qwen2.5-coder:7b")
    testers = authors(server.chats, "tester")
    assert testers
    for chat in testers:
        said = json.dumps(chat.body)
        assert HEAD not in said
        assert "The attempt before this one failed" not in said
    assert "exam failed at stub, which blames the tests" in told()
    operations = [r for r, _ in read_lines(run_dir("t") / "ledger.jsonl") if r.get("path") == "test.py"]
    assert list(dict.fromkeys((r["op"], r["actor"]["role"]) for r in operations)) == [
        ("write", "pynguin"),
        ("delete", "pynguin"),
        ("write", "tester"),
    ]
    assert (await asyncio.to_thread(prove, "t", rerun=False)).holds


async def test_a_reference_that_pynguin_cannot_search_goes_to_the_model_at_once(ollama: Start) -> None:
    server = ollama(Toolmakers({"is_root": [RARE]}, {"is_root": [RARE_TESTS]}))
    refusing = 'import sys\n\nif "pynguin" in sys.modules:\n    raise RuntimeError("not here")\n\n\n' + RARE
    output = await make(server, rare_task(reference=refusing))
    assert output["outcome"] == "admitted", output["reasons"]
    assert "wrote no tests of is_root" in told()
    assert "not here" in told()
    assert open_memory().library.skill("is_root-1").plan["tests by"] == "ollama:qwen2.5-coder:7b"
    assert len(open_memory().library.tasks()) == 1


async def test_a_task_without_a_reference_is_the_models_for_nothing_else_is_independent(ollama: Start) -> None:
    server = ollama(Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]}))
    output = await make(server, takt_task(oracle=False))
    assert output["outcome"] == "admitted", output["reasons"]
    assert searches() == 0
    assert open_memory().library.skill("takt_time-1").plan["tests by"] == "ollama:qwen2.5-coder:7b"


async def test_what_pynguin_found_is_not_sought_again_after_a_crash(
    ollama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed()
    server = ollama(Toolmakers({"takt_time": [TAKT]}, {}))
    put = generating._put

    def crash(*_: Any) -> Any:
        raise RuntimeError("it ends here")

    monkeypatch.setattr(generating, "_put", crash)
    inputs = {"task": takt_task().model_dump(mode="json")}
    with pytest.raises(RuntimeError, match="it ends here"):
        await driving.start("factory", inputs, base_url=server.url, tests="pynguin")
    (run,) = run_ids()
    assert searches(run) == 1
    monkeypatch.setattr(generating, "_put", put)
    result = await driving.resume(run)
    assert result.details["outcome"] == "admitted", result.reasons
    assert searches(run) == 1
    assert HEAD in open_memory().library.skill("takt_time-1").tests


async def test_a_session_that_wants_pynguin_and_has_none_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/python")
    trainer = Trainer(Order(max_tasks=1, settings={"tests": "pynguin"}), lambda _: None, lambda _: None)
    with pytest.raises(UsageError, match="'/no/such/python' cannot be run"):
        await trainer.run()
    assert trainer.summary.total == 0


def test_a_request_can_choose_pynguin_and_name_no_program() -> None:
    for named in ("/bin/sh", "pynguin2", ""):
        with pytest.raises(ValidationError):
            FactoryContext(tests=named)  # type: ignore[arg-type]


async def test_a_task_that_wants_pynguin_and_has_none_stops_with_the_reason(
    ollama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `langgraph dev`, or when the session goes on where there is none."""
    installed()
    monkeypatch.setenv(VARIABLE, "/no/such/python")
    server = ollama(Toolmakers({"takt_time": [TAKT]}, {}))
    context = FactoryContext(base_url=server.url, tests="pynguin")
    given = {"task": takt_task().model_dump(mode="json")}
    config: Any = {"configurable": {"thread_id": "t"}}
    with pytest.raises(UsageError, match="cannot be run"):
        await graph.ainvoke(given, config, context=context)
    assert not any(event["event"] == "RUN_FINISHED" for event in read_events(run_dir("t") / "events.jsonl"))
