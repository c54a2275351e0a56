"""Accepted tests are locked: changes to them are told, may be asked about, and are never a developer's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, assignment, writing
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from servers.ollama import OllamaServer, Reply, call

from graphs.build import BuildContext, builder, graph
from graphs.durable import durable
from tools.events import read_events
from tools.runs.home import run_dir
from tools.workspace.ledger import sha256

ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
WRONG = ADD.replace("a + b", "a - b")
TEST = "from calc import add\n\n\ndef test_add() -> None:\n    assert add(2, 3) == 5\n"
MISTAKEN = TEST.replace("== 5", "== 6")
PLAN = [assignment("A1", "calc.py"), assignment("A2", "test_calc.py", role="tester", after=["A1"])]
Start = Callable[..., OllamaServer]


def mending(path: str, *, role: str, retry_for: str, after: str = "") -> Callable[[str], Any]:
    """A manager that sends `path` back; once a person refused, it has the code changed in the place of the test."""

    def remediation(told: str) -> list[dict[str, Any]]:
        refused = "A person refused" in told
        made = {"blockers": ["B1"], "retry_for": retry_for, "title": "Mend", "task": "Mend it.", "role": role}
        return [{**made, "paths": [path]} if not refused else {**made, "role": "developer", "paths": [after]}]

    return remediation


def crew(code: str, test: str, remediation: Callable[[str], Any], **mended: Any) -> Crew:
    roles = {"A1": writing({"calc.py": code}), "A2": writing({"test_calc.py": test}), **mended}
    return Crew(PLAN, roles, remediation=remediation)


def report() -> dict[str, Any]:
    return json.loads((run_dir("t") / "report.json").read_text())


def lock_evidence() -> tuple[str, bool]:
    found = [e for d in report()["deliverables"] for e in d["evidence"] if e["what"].startswith("locked since")]
    assert len(found) == 1
    return found[0]["what"], found[0]["passed"]


async def build(server: OllamaServer, **settings: Any) -> dict[str, Any]:
    context = BuildContext(base_url=server.url, **settings)
    return await graph.ainvoke({"goal": "A calculator."}, {"configurable": {"thread_id": "t"}}, context=context)


async def test_an_accepted_test_is_locked_by_its_hash(ollama: Start) -> None:
    output = await build(
        ollama(Crew(PLAN, {"A1": writing({"calc.py": ADD}), "A2": writing({"test_calc.py": TEST})}))
    )
    assert output["verdict"] == "PASS"
    assert lock_evidence() == (f"locked since {sha256(TEST.encode())[:12]}", True)
    assert report()["tests_changed"] == []


async def test_a_change_to_an_accepted_test_is_allowed_and_told_everywhere(ollama: Start) -> None:
    manager = mending("test_calc.py", role="tester", retry_for="A2")
    output = await build(ollama(crew(ADD, MISTAKEN, manager, R100=writing({"test_calc.py": TEST}))))
    before, after = sha256(MISTAKEN.encode()), sha256(TEST.encode())
    assert output["verdict"] == "PASS", output["reasons"]
    assert lock_evidence() == (f"locked since {before[:12]}, changed by R100 for B1", True)
    assert report()["tests_changed"] == [
        {"path": "test_calc.py", "by": "R100", "blockers": ["B1"], "before": before, "after": after}
    ]
    (warning,) = report()["callbacks"]
    assert (warning["level"], warning["subject"]) == ("warning", "test_calc.py")
    assert f"{before[:12]} → {after[:12]}" in warning["message"]
    assert "-    assert add(2, 3) == 6\n+    assert add(2, 3) == 5" in warning["message"]
    told = [e["message"] for e in read_events(run_dir("t") / "events.jsonl") if e["event"] == "CALLBACK"]
    assert told == [warning["message"]]
    text = (run_dir("t") / "report.md").read_text()
    assert f"| test_calc.py | R100 | B1 | `{before}` | `{after}` |" in text


async def test_a_change_that_is_not_accepted_fails_the_deliverable(ollama: Start) -> None:
    refused = [
        Reply(
            tool_calls=[
                call("write_file", path="test_calc.py", content=TEST),
                call("raise_callback", level="blocker", subject="calc.py", message="It cannot be tested."),
            ]
        ),
        Reply(tool_calls=[call("finish", summary="Done.", files=["test_calc.py"])]),
    ]
    manager = mending("test_calc.py", role="tester", retry_for="A2")
    output = await build(ollama(crew(ADD, MISTAKEN, manager, R100=refused)), max_rounds=1)
    assert output["verdict"] == "FAIL"
    assert lock_evidence() == (f"locked since {sha256(MISTAKEN.encode())[:12]}", False)
    assert any("the change was not accepted" in reason for reason in output["reasons"])


@pytest.mark.parametrize("answer", [{"approve": True}, {"approve": False, "feedback": "the test is right"}])
async def test_with_approval_a_person_decides_about_tests(ollama: Start, answer: dict[str, Any]) -> None:
    """The test is right and the code is wrong: a person who refuses gets the code mended."""
    manager = mending("test_calc.py", role="tester", retry_for="A2", after="calc.py")
    bent = TEST.replace("== 5", "== -1")
    roles = {"R100": writing({"test_calc.py": bent}), "R101": writing({"calc.py": ADD})}
    server = ollama(crew(WRONG, TEST, manager, **roles))
    compiled = durable(builder().compile(checkpointer=InMemorySaver()))
    config: Any = {"configurable": {"thread_id": "t"}}
    context = BuildContext(base_url=server.url, approve=["tests"])
    waiting = await compiled.ainvoke({"goal": "A calculator."}, config, context=context)
    question = waiting["__interrupt__"][0].value
    assert [a["id"] for a in question["assignments"]] == ["R100"]
    assert [lock["since"] for lock in question["locks"]] == [sha256(TEST.encode())]
    assert "assert -1 == 5" in question["blockers"][0]["message"]
    assert (run_dir("t") / "workspace" / "test_calc.py").read_text() == TEST
    output = await compiled.ainvoke(Command(resume=answer), config, context=context)
    assert output["verdict"] == "PASS", output["reasons"]
    files = {name: (run_dir("t") / "workspace" / name).read_text() for name in ("calc.py", "test_calc.py")}
    if answer["approve"]:
        assert files == {"calc.py": WRONG, "test_calc.py": bent}
        assert [c["by"] for c in report()["tests_changed"]] == ["R100"]
    else:
        assert files == {"calc.py": ADD, "test_calc.py": TEST}
        assert report()["tests_changed"] == []
        assert (
            "A person refused to have test_calc.py changed: the test is right" in report()["blockers"][0]["message"]
        )


async def test_code_that_is_mended_needs_no_approval_for_tests(ollama: Start) -> None:
    manager = mending("calc.py", role="developer", retry_for="A1")
    server = ollama(crew(WRONG, TEST, manager, R100=writing({"calc.py": ADD})))
    assert (await build(server, approve=["tests"]))["verdict"] == "PASS"


async def test_a_developer_can_never_write_a_test(ollama: Start) -> None:
    """Not in the plan, not in remediation, and not by the file tools."""
    sneaky = [
        Reply(tool_calls=[call("write_file", path="test_calc.py", content="def test_add(): pass\n")]),
        *writing({"calc.py": ADD}),
    ]
    manager = mending("calc.py", role="developer", retry_for="A1")
    server = ollama(crew(WRONG, TEST, manager, R100=sneaky))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert (run_dir("t") / "workspace" / "test_calc.py").read_text() == TEST
    told = [m["content"] for c in server.chats for m in c.messages if m["role"] == "tool"]
    assert [text for text in told if text.startswith("Error: 'test_calc.py'")]
    plan = json.dumps({"summary": "No.", "assignments": [assignment("A1", "calc.py", "test_calc.py")]})
    server = ollama(Crew([plan], {}))
    output = await build(server, max_rounds=0)
    assert output["verdict"] == "FAIL"
    assert any("needs the role tester" in m["content"] for c in server.chats for m in c.messages)


def test_the_readme_shows_the_graph_as_it_is() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```mermaid\n")[2].partition("\n```\n")[0]
    assert shown == graph.get_graph().draw_mermaid().strip()
