"""The build graph with a scripted crew: what each role leaves on disk, on the board and in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply, call

from graphs.build import BuildContext, graph
from tools.events import read_events
from tools.runs.home import run_dir

ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
WRONG = ADD.replace("a + b", "a - b")
TEST_ADD = "from calc import add\n\n\ndef test_add() -> None:\n    assert add(2, 3) == 5\n"
Start = Callable[..., OllamaServer]


async def build(server: OllamaServer, goal: str = "Write a calculator.", **settings: Any) -> dict[str, Any]:
    """Run a whole build as thread `t` and return its output."""
    context = BuildContext(base_url=server.url, **settings)
    return await graph.ainvoke({"goal": goal}, {"configurable": {"thread_id": "t"}}, context=context)


def report() -> dict[str, Any]:
    """The report of the run."""
    return json.loads((run_dir("t") / "report.json").read_text())


def events(kind: str) -> list[dict[str, Any]]:
    """The events of one kind, in order."""
    return [event for event in read_events(run_dir("t") / "events.jsonl") if event["event"] == kind]


def workspace() -> dict[str, str]:
    """Every file of the workspace with its text."""
    root = run_dir("t") / "workspace"
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def remediation(*paths: str, blockers: tuple[str, ...] = ("B1",), retry_for: str = "A1") -> Callable[[str], Any]:
    """A manager that has these files mended, by one developer."""
    made = {
        "blockers": list(blockers),
        "retry_for": retry_for,
        "title": "Mend",
        "task": "Mend it.",
        "paths": list(paths),
    }
    return lambda _: [{**made, "role": "developer"}]


async def test_a_developer_creates_a_file_and_the_auditor_reads_it(ollama: Start) -> None:
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})})
    server = ollama(crew)
    output = await build(server)
    audits = [chat for chat in server.chats if "submit_review" in chat.tools]
    assert output["verdict"] == "PASS"
    assert workspace() == {"calc.py": ADD}
    assert ADD in audits[0].messages[1]["content"]
    assert not {"write_file", "edit_file", "delete_file"} & set(audits[0].tools)


async def test_several_developers_create_different_files_in_one_wave(ollama: Start) -> None:
    names = ["a.py", "b.py", "c.py"]
    crew = Crew(
        [assignment(f"A{n}", name) for n, name in enumerate(names)],
        {f"A{n}": writing({name: f"N = {n}\n"}) for n, name in enumerate(names)},
    )
    output = await build(ollama(crew))
    assert output["verdict"] == "PASS"
    assert workspace() == {"a.py": "N = 0\n", "b.py": "N = 1\n", "c.py": "N = 2\n"}
    steps = [event["node"] for event in events("STEP")]
    assert steps == ["recall", "plan", "check", "audit", "verify", "deliver"]


async def test_files_of_an_earlier_wave_persist_and_are_shown_to_the_next(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "use.py", after=["A1"])],
        {"A1": writing({"calc.py": ADD}), "A2": writing({"use.py": "from calc import add\n"})},
    )
    server = ollama(crew)
    await build(server)
    second = next(c for c in server.chats if "Your assignment A2" in c.messages[1]["content"])
    assert ADD in second.messages[1]["content"]
    assert set(workspace()) == {"calc.py", "use.py"}


async def test_verification_finds_every_deliverable(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py", "notes.md"), assignment("A2", "test_calc.py", role="tester", after=["A1"])],
        {"A1": writing({"calc.py": ADD, "notes.md": "# Notes\n"}), "A2": writing({"test_calc.py": TEST_ADD})},
    )
    output = await build(ollama(crew))
    found = {d["path"]: d["passed"] for d in report()["deliverables"]}
    assert found == {"calc.py": True, "notes.md": True, "test_calc.py": True}
    assert output["verdict"] == "PASS"
    tested = next(d for d in report()["deliverables"] if d["path"] == "test_calc.py")
    assert {"1 of 1 tests pass", "the tests fail when the behaviour is taken out"} <= {
        e["what"] for e in tested["evidence"]
    }


async def test_callbacks_are_collected_and_reported_in_full(ollama: Start) -> None:
    long = "The importer is slow. " * 400
    replies = [
        Reply(
            tool_calls=[
                call("raise_callback", level="warning", subject="importer", message=long),
                call("raise_callback", level="info", subject="style", message="Kept it short."),
                call("write_file", path="calc.py", content=ADD),
            ]
        ),
        Reply(tool_calls=[call("finish", summary="Done.", files=["calc.py"])]),
    ]
    await build(ollama(Crew([assignment("A1", "calc.py")], {"A1": replies})))
    told = [(c["level"], c["subject"], c["message"]) for c in report()["callbacks"]]
    assert told == [("warning", "importer", long), ("info", "style", "Kept it short.")]
    assert [event["message"] for event in events("CALLBACK")] == [long, "Kept it short."]


async def test_a_blocker_that_a_developer_raises_is_remediated(ollama: Start) -> None:
    replies = [
        Reply(
            tool_calls=[
                call("raise_callback", level="blocker", subject="units.py", message="There is no units.py.")
            ]
        ),
        *writing({"calc.py": ADD}),
    ]
    crew = Crew(
        [assignment("A1", "calc.py")],
        {"A1": replies, "R100": writing({"units.py": "UNIT = 1\n"})},
        remediation=remediation("units.py"),
    )
    output = await build(ollama(crew))
    assert [b["status"] for b in report()["blockers"]] == ["resolved"]
    assert workspace()["units.py"] == "UNIT = 1\n"
    assert output["verdict"] == "PASS"


async def test_a_failing_test_becomes_a_blocker_and_is_remediated(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "test_calc.py", role="tester", after=["A1"])],
        {
            "A1": writing({"calc.py": WRONG}),
            "A2": writing({"test_calc.py": TEST_ADD}),
            "R100": writing({"calc.py": ADD}),
        },
        remediation=remediation("calc.py"),
    )
    server = ollama(crew)
    output = await build(server)
    assert output["verdict"] == "PASS"
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["status"], blocker["resolved_by"]) == ("test_failure", "resolved", "R100")
    mender = next(c for c in server.chats if "Your assignment R100" in c.messages[1]["content"])
    assert "assert -1 == 5" in mender.messages[1]["content"]
    sequences = {a["id"]: a["sequence"] for a in report()["assignments"]}
    assert sequences == {"A1": 1, "A2": 2, "R100": 100}


async def test_a_lost_file_becomes_a_blocker_and_is_remediated(ollama: Start) -> None:
    def second(request: Any, turn: int) -> Reply:
        (run_dir("t") / "workspace" / "calc.py").unlink(missing_ok=True)
        return writing({"use.py": "from calc import add\n"})[turn]

    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "use.py", after=["A1"])],
        {"A1": writing({"calc.py": ADD}), "A2": second, "R100": writing({"calc.py": ADD})},
        remediation=remediation("calc.py"),
    )
    output = await build(ollama(crew))
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["path"], blocker["status"]) == ("lost_file", "calc.py", "resolved")
    assert workspace()["calc.py"] == ADD
    assert output["verdict"] == "PASS"


async def test_a_false_claim_becomes_a_blocker(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py")],
        {
            "A1": writing({"calc.py": ADD}, claims=["calc.py", "docs/guide.md"]),
            "R100": writing({"docs/guide.md": "# Guide\n"}),
        },
        remediation=remediation("docs/guide.md"),
    )
    await build(ollama(crew))
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["path"]) == ("false_claim", "docs/guide.md")
    assert "the ledger has no such write" in blocker["message"]
    assert blocker["status"] == "resolved"


async def test_a_failed_attempt_is_retried_with_the_whole_error(ollama: Start) -> None:
    prose = [Reply("I would write the file.")]
    crew = Crew([assignment("A1", "calc.py")], {"A1": prose, "A1+": writing({"calc.py": ADD})})
    server = ollama(crew)
    output = await build(server)
    second = next(c for c in server.chats if "The attempt before this one failed" in c.messages[1]["content"])
    assert "calc.py was promised and is not on disk" in second.messages[1]["content"]
    assert report()["assignments"][0]["attempts"] == 2
    assert output["verdict"] == "PASS"


async def test_an_assignment_is_tried_four_times_and_then_blocks(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "notes.md")],
        {"A1": [Reply("No.")], "A2": writing({"notes.md": "# Notes\n"})},
    )
    output = await build(ollama(crew), max_rounds=0)
    attempts = {a["id"]: a["attempts"] for a in report()["assignments"]}
    assert attempts == {"A1": 4, "A2": 1}
    assert output["verdict"] == "FAIL"
    assert {b["kind"] for b in report()["debt"]} == {"agent_failed", "missing_file"}
    assert {d["path"]: d["passed"] for d in report()["deliverables"]} == {"calc.py": False, "notes.md": True}


async def test_a_finding_is_frozen_and_rechecked(ollama: Start) -> None:
    finding = {"path": "calc.py", "severity": "blocker", "problem": "add subtracts", "line": 3}
    crew = Crew(
        [assignment("A1", "calc.py")],
        {"A1": writing({"calc.py": WRONG}), "R100": writing({"calc.py": ADD})},
        findings={"A1": [finding]},
        remediation=remediation("calc.py"),
    )
    server = ollama(crew)
    output = await build(server)
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["status"], blocker["resolved_by"]) == ("review_finding", "resolved", "R100")
    assert sum("submit_review" in chat.tools for chat in server.chats) == 1
    assert output["verdict"] == "PASS"


async def test_a_finding_that_stays_becomes_debt_after_the_last_round(ollama: Start) -> None:
    finding = {"path": "calc.py", "severity": "blocker", "problem": "add subtracts", "line": 3}
    crew = Crew(
        [assignment("A1", "calc.py")],
        {"A1": writing({"calc.py": WRONG}), **{f"R{n}": writing({"calc.py": WRONG}) for n in (100, 101)}},
        findings={"A1": [finding]},
        remediation=remediation("calc.py"),
        resolved=False,
    )
    output = await build(ollama(crew), max_rounds=2)
    assert output["verdict"] == "FAIL"
    assert [b["status"] for b in report()["blockers"]] == ["debt"]
    assert "verify" in [event["node"] for event in events("STEP")]


async def test_tests_that_cannot_fail_are_a_blocker(ollama: Start) -> None:
    toothless = "import calc\n\n\ndef test_add() -> None:\n    assert True\n"
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "test_calc.py", role="tester", after=["A1"])],
        {"A1": writing({"calc.py": ADD}), "A2": writing({"test_calc.py": toothless})},
    )
    output = await build(ollama(crew), max_rounds=0)
    assert output["verdict"] == "FAIL"
    assert [b["kind"] for b in report()["debt"]] == ["toothless_test"]


async def test_a_command_that_fails_is_a_blocker(ollama: Start) -> None:
    checks = [{"kind": "command", "value": "python -c 'import calc; calc.add(1)'"}]
    crew = Crew([assignment("A1", "calc.py", checks=checks)], {"A1": writing({"calc.py": ADD})})
    output = await build(ollama(crew), max_rounds=0)
    assert output["verdict"] == "FAIL"
    assert [b["kind"] for b in report()["debt"]] == ["command_failed"]
    assert "TypeError" in report()["checks"][0]["detail"]


async def test_verification_runs_also_when_there_is_no_plan(ollama: Start) -> None:
    circle = [assignment("A1", "a.py", after=["A2"]), assignment("A2", "b.py", after=["A1"])]
    server = ollama(Crew(circle, {}))
    output = await build(server)
    assert output["verdict"] == "FAIL"
    assert [e["node"] for e in events("STEP")] == ["recall", "plan", "verify", "deliver"]
    assert "depend on each other in a circle: A1, A2" in report()["debt"][0]["message"]
    assert len(server.chats) == 5
    assert "depend on each other in a circle" in server.chats[1].last


async def test_the_budget_ends_the_run_honestly(ollama: Start) -> None:
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})})
    output = await build(ollama(crew), max_calls=2)
    assert output["verdict"] == "FAIL"
    assert any(b["kind"] == "budget" for b in report()["debt"])
    assert report()["spending"]["all"]["calls"] == 2


async def test_a_refused_tool_call_is_on_the_log_with_its_traceback(ollama: Start) -> None:
    replies = [
        Reply(tool_calls=[call("write_file", path="../escape.py", content="x = 1\n")]),
        Reply(tool_calls=[call("write_file", path="other.py", content="x = 1\n"), call("nothing", x=1)]),
        *writing({"calc.py": ADD}),
    ]
    await build(ollama(Crew([assignment("A1", "calc.py")], {"A1": replies})))
    errors = events("TOOL_EXECUTION_ERROR")
    assert [e["error"] for e in errors] == ["PathRefused", "NotOwned", "ToolRefused"]
    assert all("Traceback" in e["traceback"] for e in errors)
    assert workspace() == {"calc.py": ADD}


async def test_a_file_that_does_not_parse_is_refused_and_the_good_one_stays(ollama: Start) -> None:
    replies = [
        *writing({"calc.py": ADD})[:1],
        *writing({"calc.py": "def add(:\n"})[:1],
        writing({"calc.py": ADD})[1],
    ]
    output = await build(ollama(Crew([assignment("A1", "calc.py")], {"A1": replies})))
    assert "line 1" in events("TOOL_EXECUTION_ERROR")[0]["message"]
    assert workspace() == {"calc.py": ADD}
    assert output["verdict"] == "PASS"


def test_the_graph_can_be_invoked_synchronously(ollama: Start) -> None:
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "notes.md")],
        {"A1": writing({"calc.py": ADD}), "A2": writing({"notes.md": "# N\n"})},
    )
    context = BuildContext(base_url=ollama(crew).url)
    output = graph.invoke({"goal": "Write a calculator."}, {"configurable": {"thread_id": "t"}}, context=context)
    assert output["verdict"] == "PASS"
    assert Path(output["report"]).is_file()


async def test_without_a_thread_the_run_gets_an_id_of_its_own(ollama: Start) -> None:
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})})
    output = await graph.ainvoke({"goal": "Write a calculator."}, context=BuildContext(base_url=ollama(crew).url))
    assert (run_dir(output["run"]) / "workspace" / "calc.py").read_text() == ADD


@pytest.mark.parametrize("goal", ["", "   ", "!!", "42"])
async def test_a_goal_that_says_nothing_is_refused(ollama: Start, goal: str) -> None:
    from tools.errors import UsageError

    with pytest.raises(UsageError, match="says nothing that could be built"):
        await build(ollama([]), goal)


async def test_an_audit_that_takes_too_long_is_given_up_and_said(ollama: Start) -> None:
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})})

    def slow(request: Any) -> Reply:
        reply = crew(request)
        return Reply(tool_calls=reply.tool_calls, delay=1.5) if "submit_review" in request.tools else reply

    output = await build(ollama(slow), audit_seconds=0.3)
    (told,) = report()["callbacks"]
    assert told["message"].startswith("no review of A1: the model failed: no answer within 0.")
    assert output["verdict"] == "PASS"


async def test_a_second_goal_in_the_same_thread_builds_on_the_files_of_the_first(ollama: Start) -> None:
    from graphs.build import builder
    from graphs.durable import durable
    from millwright.checkpoints import open_sqlite

    first = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})})
    second = Crew([assignment("A1", "use.py")], {"A1": writing({"use.py": "from calc import add\n"})})
    config = {"configurable": {"thread_id": "t"}}
    async with open_sqlite() as saver:
        graph_ = durable(builder().compile(checkpointer=saver))
        await graph_.ainvoke(
            {"goal": "Write a calculator."}, config, context=BuildContext(base_url=ollama(first).url)
        )
        server = ollama(second)
        output = await graph_.ainvoke({"goal": "Use it."}, config, context=BuildContext(base_url=server.url))
    assert output["verdict"] == "PASS"
    assert "calc.py" in server.chats[0].last
    assert set(workspace()) == {"calc.py", "use.py"}
    assert [d["path"] for d in report()["deliverables"]] == ["use.py"]
