"""Models that cannot act as they are asked first: each ends with the right file, or with a typed failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, assignment, assignment_of, writing
from servers.ollama import ChatRequest, Model, OllamaServer, Reply, call

from agents.models.profiles import profiles
from graphs.build import BuildContext, graph
from millwright import driving
from millwright.replaying import replay
from tools.events import read_events
from tools.runs.home import run_dir

ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
TWO = ADD + "\n\ndef sub(a: int, b: int) -> int:\n    return a - b\n"
MODEL = "ollama:qwen2.5-coder:7b"
Start = Callable[..., OllamaServer]


def fenced(path: str, text: str, *, end: str = "") -> Reply:
    """A file as text: its path on a line, its content in a fence."""
    return Reply(f"{path}\n```python\n{text}```\n{end}")


def alone(replies: Sequence[Reply] | Callable[[ChatRequest, int], Reply], *paths: str, **more: Any) -> Crew:
    """A crew whose one developer answers so."""
    return Crew([assignment("A1", *(paths or ("calc.py",)))], {"A1": replies, **more})


async def build(server: OllamaServer, thread: str = "t", **settings: Any) -> dict[str, Any]:
    context = BuildContext(base_url=server.url, **{"verification": "quick", **settings})
    return await graph.ainvoke({"goal": "Write it."}, {"configurable": {"thread_id": thread}}, context=context)


def report(thread: str = "t") -> dict[str, Any]:
    return json.loads((run_dir(thread) / "report.json").read_text())


def events(kind: str, thread: str = "t") -> list[dict[str, Any]]:
    return [event for event in read_events(run_dir(thread) / "events.jsonl") if event["event"] == kind]


def workspace(thread: str = "t") -> dict[str, str]:
    root = run_dir(thread) / "workspace"
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def developer_chats(server: OllamaServer) -> list[ChatRequest]:
    return [chat for chat in server.chats if "You work on one assignment" in chat.system]


def said(chat: ChatRequest) -> str:
    return "\n".join(m["content"] for m in chat.messages)


async def test_a_model_without_tools_writes_files_as_text(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        return fenced("calc.py", ADD) if turn == 0 else fenced("pkg/use.py", "from calc import add\n")

    crew = alone(developer, "calc.py", "pkg/use.py")

    def answer(request: ChatRequest) -> Reply:
        if "submit_review" in request.system:
            return Reply('{"name": "submit_review", "arguments": {"findings": []}}')
        return crew(request)

    server = ollama(answer, models=[Model("plain", capabilities=("completion",))])
    output = await build(server, model="ollama:plain")
    assert output["verdict"] == "PASS"
    assert workspace() == {"calc.py": ADD, "pkg/use.py": "from calc import add\n"}
    assert not any(chat.tools for chat in server.chats)
    assert not any(message.get("tool_calls") for chat in server.chats for message in chat.messages)
    assert report()["callbacks"] == []
    assert [event["rung"] for event in events("ASSIGNMENT_STARTED")] == ["fenced"]


async def test_a_call_that_the_server_cannot_parse_moves_the_conversation_to_text(ollama: Start) -> None:
    broken = Reply(status=500, error="error parsing tool call: raw='{\"name\":', err=unexpected end of JSON input")
    server = ollama(alone(lambda r, t: broken if r.tools else fenced("calc.py", ADD)))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert [bool(chat.tools) for chat in developer_chats(server)] == [True, False]
    assert report()["rungs"] == {"fenced": 1}
    assert report()["spending"]["develop"]["faults"] == 1


async def test_two_turns_of_prose_force_the_one_file(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        if "Output only the file calc.py" in request.last:
            return Reply(f"```python\n{ADD}```")
        return Reply("You could create a file with an add function.")

    server = ollama(alone(developer))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert workspace() == {"calc.py": ADD}
    assert len(developer_chats(server)) == 3


async def test_a_file_shown_in_markdown_is_the_call_that_was_meant(ollama: Start) -> None:
    replies = [Reply(f"Here it is:\n\n**calc.py**\n```python\n{ADD}```\n"), writing({"calc.py": ADD})[1]]
    server = ollama(alone(replies))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert len(developer_chats(server)) == 2
    assert developer_chats(server)[1].messages[-1]["role"] == "tool"


async def test_work_that_is_done_and_only_talked_about_is_closed_after_the_disk_was_looked_at(
    ollama: Start,
) -> None:
    server = ollama(alone([writing({"calc.py": ADD})[0], Reply("All done!")]))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert len(developer_chats(server)) == 3
    assert report()["assignments"][0]["attempts"] == 1


@pytest.mark.parametrize("arguments", ["{'path': ", None, ["calc.py", "x"], 7, '"calc.py"'])
async def test_arguments_that_cannot_be_read_are_answered_and_kept_as_they_were(
    ollama: Start, arguments: object
) -> None:
    bad = Reply(tool_calls=[{"name": "write_file", "arguments": arguments}])
    server = ollama(alone([bad, *writing({"calc.py": ADD})]))
    output = await build(server)
    assert output["verdict"] == "PASS"
    (refused,) = events("TOOL_EXECUTION_ERROR")
    assert "cannot be read" in refused["message"]
    assert refused["name"] == "write_file"
    assert json.loads(refused["arguments"]) == arguments


async def test_names_that_other_tools_have_are_understood_and_logged(ollama: Start) -> None:
    replies = [Reply(tool_calls=[call("create_file", filename="calc.py", code=ADD)]), writing({"calc.py": ADD})[1]]
    output = await build(ollama(alone(replies)))
    assert output["verdict"] == "PASS"
    (event,) = [e for e in events("TOOL_CALL") if e["name"] == "write_file"]
    assert event["called"] == {"name": "create_file", "arguments": {"filename": "calc.py", "code": ADD}}


async def test_the_same_call_again_and_again_is_nudged_once_and_then_stopped(ollama: Start) -> None:
    server = ollama(alone([Reply(tool_calls=[call("list_files")])], **{"A1+": writing({"calc.py": ADD})}))
    output = await build(server)
    assert output["verdict"] == "PASS"
    first = events("ASSIGNMENT_FINISHED")[0]
    assert (first["kind"], first["turns"]) == ("stuck", 4)
    assert "You did the same thing" in developer_chats(server)[3].last
    assert [e["changed"] for e in events("ASSIGNMENT_STARTED")] == ["", "temperature"]
    assert developer_chats(server)[4].options["temperature"] == 0.8


async def test_two_calls_in_turn_are_a_loop_as_well(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        return Reply(tool_calls=[call("list_files") if turn % 2 else call("read_file", path="none.py")])

    await build(ollama(alone(developer)), max_rounds=0)
    kinds = {event["kind"] for event in events("ASSIGNMENT_FINISHED")}
    turns = [event["turns"] for event in events("ASSIGNMENT_FINISHED")]
    assert kinds == {"stuck"}
    assert max(turns) <= 8


async def test_every_retry_changes_one_named_thing(ollama: Start) -> None:
    server = ollama(alone([Reply("No.")]))
    output = await build(server, max_rounds=0)
    started = events("ASSIGNMENT_STARTED")
    assert [e["changed"] for e in started] == ["", "protocol", "size", "temperature"]
    assert [e["rung"] for e in started] == ["native", "fenced", "fenced", "fenced"]
    assert output["verdict"] == "FAIL"
    temperatures = {chat.options["temperature"] for chat in developer_chats(server)}
    assert temperatures == {0.7, 0.0}


async def test_what_worked_is_remembered_and_used(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        return Reply("Use your editor.") if request.tools or turn < 2 else fenced("calc.py", ADD)

    server = ollama(alone(developer))
    for thread in ("a", "b", "c"):
        await build(server, thread)
    before = len(server.chats)
    known = profiles().experience(MODEL)
    assert (known.won, known.lost) == ({"fenced": 3}, {"fenced": 0})
    profiles().remember(MODEL, [("native", f"x{n}", False) for n in range(3)])
    await build(server, "d")
    asked = [chat for chat in developer_chats(server) if chat.number >= before]
    assert not any(chat.tools for chat in asked)
    assert events("ASSIGNMENT_STARTED", "d")[0]["rung"] == "edits"


async def test_a_replay_does_not_ask_what_this_machine_remembers(ollama: Start) -> None:
    await build(ollama(alone(writing({"calc.py": ADD}))))
    profiles().keep_probes(MODEL, {"native_call": False, "fenced_file": True}, "now")
    profiles().remember(MODEL, [("native", f"x{n}", False) for n in range(9)])
    result = await replay(run_dir("t") / "cassette.jsonl")
    assert result.verdict == "PASS"
    assert events("ASSIGNMENT_STARTED", result.run)[0]["rung"] == "native"


async def test_pieces_may_be_sent_by_a_model_that_has_earned_it(ollama: Start) -> None:
    profiles().keep_probes(MODEL, {"search_replace": True, "native_call": False, "fenced_file": True}, "now")
    edit = "calc.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return b - a\n>>>>>>> REPLACE\n"
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "notes.md", after=["A1"])],
        {"A1": [fenced("calc.py", TWO)], "A2": [Reply("notes.md\n```\n# Notes\n```")], "R100": [Reply(edit)]},
        findings={"A1": [{"path": "calc.py", "severity": "blocker", "problem": "sub is wrong", "line": 7}]},
        remediation=lambda _: [
            {"blockers": ["B1"], "retry_for": "A1", "title": "Mend sub", "task": "Swap.", "paths": ["calc.py"]}
        ],
    )
    output = await build(ollama(crew))
    assert output["verdict"] == "PASS"
    assert workspace()["calc.py"] == TWO.replace("a - b", "b - a")


async def test_pieces_that_do_not_fit_twice_make_it_the_whole_file(ollama: Start) -> None:
    profiles().keep_probes(MODEL, {"search_replace": True, "native_call": False, "fenced_file": True}, "now")
    miss = Reply("calc.py\n<<<<<<< SEARCH\nnothing like this\n=======\nx = 1\n>>>>>>> REPLACE\n")

    server = ollama(alone([miss, miss, fenced("calc.py", ADD)]))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert "<<<<<<< SEARCH" in developer_chats(server)[0].last
    assert "<<<<<<< SEARCH" not in developer_chats(server)[2].last
    assert report()["rungs"] == {"fenced": 1}


async def test_a_prompt_that_was_cut_is_an_honest_failure(ollama: Start) -> None:
    reply = Reply(tool_calls=[call("write_file", path="calc.py", content=ADD)], prompt_eval_count=60)
    output = await build(ollama(alone([reply])), max_rounds=0)
    assert output["verdict"] == "FAIL"
    assert {b["kind"] for b in report()["debt"]} >= {"context_lost"}
    assert report()["honesty"]["prompts_cut"] == 4
    call_event = next(e for e in events("MODEL_CALL") if e["scope"].startswith("develop"))
    assert call_event["prompt"]["evaluated"] == 60
    assert call_event["prompt"]["estimated"] > 400
    assert call_event["prompt"]["window"] >= 16384


async def test_the_last_call_is_announced(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        if "This is your last call" in request.last:
            return Reply(tool_calls=[call("write_file", path="calc.py", content=ADD), *writing({})[1].tool_calls])
        return Reply(tool_calls=[call("search_files", pattern=f"x{turn}")])

    output = await build(ollama(alone(developer)), turns=5)
    assert output["verdict"] == "PASS"
    assert events("ASSIGNMENT_FINISHED")[0]["turns"] == 5


async def test_the_last_call_of_the_runs_budget_is_announced(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        if "This is your last call" in request.last:
            return Reply(tool_calls=[call("write_file", path="calc.py", content=ADD), *writing({})[1].tool_calls])
        return Reply(tool_calls=[call("search_files", pattern=f"x{turn}")])

    await build(ollama(alone(developer)), max_calls=4)
    finished = events("ASSIGNMENT_FINISHED")[0]
    assert (finished["status"], finished["turns"]) == ("finished", 3)


async def test_an_assignment_has_a_budget_of_its_own(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        return Reply(tool_calls=[call("search_files", pattern=f"x{turn}")])

    await build(ollama(alone(developer)), assignment_tokens=3000, max_rounds=0)
    finished = events("ASSIGNMENT_FINISHED")[0]
    assert finished["kind"] == "budget"
    assert finished["turns"] < 10


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TWO.replace("return a - b", "# ... rest of the code unchanged"), "stands for something that was left out"),
        (ADD, "would no longer define sub"),
        ("def add(:\n", "does not parse"),
    ],
)
async def test_a_file_with_something_missing_is_refused_and_the_good_one_stays(
    ollama: Start, content: str, told: str
) -> None:
    crew = Crew(
        [assignment("A1", "calc.py")],
        {
            "A1": writing({"calc.py": TWO}),
            "R100": [*writing({"calc.py": content})[:1], *writing({"calc.py": TWO + "\n\nX = 1\n"})],
        },
        findings={"A1": [{"path": "calc.py", "severity": "blocker", "problem": "X is missing", "line": 1}]},
        remediation=lambda _: [
            {"blockers": ["B1"], "retry_for": "A1", "title": "Mend", "task": "Give it X.", "paths": ["calc.py"]}
        ],
    )
    output = await build(ollama(crew))
    assert told in events("TOOL_EXECUTION_ERROR")[0]["message"]
    assert workspace()["calc.py"] == TWO + "\n\nX = 1\n"
    assert output["verdict"] == "PASS"


async def test_a_finishing_message_is_compared_with_the_ledger(ollama: Start) -> None:
    lie = "I created 3 files, wrote tests/test_calc.py and all tests pass."
    replies = [writing({"calc.py": ADD})[0], Reply(tool_calls=[call("finish", summary=lie, files=["calc.py"])])]
    output = await build(ollama(alone(replies)))
    honesty = report()["honesty"]
    assert output["verdict"] == "PASS"
    assert honesty["lies"] == ["created 3 files", "tests/test_calc.py", "all tests pass"]
    assert honesty["claims"] == 4
    assert "contradicted by the ledger: 3 (75%)" in Path(output["report"]).read_text()


async def test_replies_of_no_use_are_counted_and_told(ollama: Start) -> None:
    cut = Reply("calc.py\n```python\ndef add(", done_reason="length", eval_count=8192)
    good = writing({"calc.py": ADD})
    server = ollama(alone(lambda r, t: good[t] if "could not be used" in said(r) else cut))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert "cut at the token limit" in developer_chats(server)[1].last
    assert report()["spending"]["develop"]["tokens"] > 8192
    assert report()["spending"]["develop"]["faults"] == 1


async def test_a_reply_that_repeats_itself_is_given_up(ollama: Start) -> None:
    endless = Reply("I will now write the file. " * 5000, chunks=500)
    good = writing({"calc.py": ADD})
    server = ollama(alone(lambda r, t: good[t] if "could not be used" in said(r) else endless))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert "repeated itself" in developer_chats(server)[1].last
    faults = [e["fault"]["kind"] for e in events("MODEL_CALL") if e["fault"]]
    assert faults == ["repetition"]


FLOWS: Mapping[str, Callable[[ChatRequest, int], Reply]] = {
    "text": lambda r, t: (
        Reply(status=500, error="error parsing tool call: x")
        if r.tools
        else fenced("b.py", "B = 1\n")
        if "only the file b.py" in r.last
        else fenced("calc.py", ADD)
    ),
    "loop": lambda r, t: writing({"calc.py": ADD, "b.py": "B = 1\n"})[1 if "did the same thing" in said(r) else 0],
}


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("outage", [2, 3, 4])
async def test_a_run_that_was_suspended_asks_nothing_twice_on_any_rung(
    ollama: Start, flow: str, outage: int
) -> None:
    crew = alone(FLOWS[flow], "calc.py", "b.py")
    away = []

    def answer(request: ChatRequest) -> Reply:
        if assignment_of(request) and request.number == outage and not away:
            away.append(request.number)
            return Reply(status=503, error="server busy")
        return crew(request)

    server = ollama(answer)
    settings = {"base_url": server.url, "verification": "quick", "outage_seconds": 0}
    first = await driving.build("Write it.", **settings)
    assert first.status == "suspended"
    assert (await driving.resume(first.run)).verdict == "PASS"
    bodies = [json.dumps(chat.messages) for chat in server.chats if chat.number not in away]
    assert len(bodies) == len(set(bodies))


async def test_a_small_window_never_overflows_however_long_the_conversation(ollama: Start) -> None:
    big = "".join(f"LINE_{n} = {n}\n" for n in range(400))
    plan = [assignment("A1", "big.py"), assignment("A2", "use.py", after=["A1"])]

    def reader(request: ChatRequest, turn: int) -> Reply:
        if turn < 8:
            return Reply(tool_calls=[call("read_file", path="big.py", first_line=20 * turn + 1)])
        return writing({"use.py": "from big import LINE_1\n"})[min(turn - 8, 1)]

    crew = Crew(plan, {"A1": writing({"big.py": big}), "A2": reader})
    server = ollama(crew, models=[Model("small", context_length=16384)])
    output = await build(server, model="ollama:small")
    assert output["verdict"] == "PASS"
    assert not [e for e in events("MODEL_CALL") if e["fault"]]
    assert sum("an old result, left out" in said(chat) for chat in server.chats) > 0
    assert all("Your assignment A2" in said(chat) for chat in developer_chats(server)[-5:])


def every_fault(request: ChatRequest, turn: int) -> Reply:
    """A model that does everything wrong once, then writes the file as text."""
    strikes = sum("could not be used" in m["content"] or "cannot be read" in m["content"] for m in request.messages)
    if not request.tools:
        return fenced("calc.py", ADD)
    return [
        Reply(tool_calls=[{"name": "write_file", "arguments": "{broken"}]),
        Reply("half a", done_reason="length"),
        Reply(""),
        Reply(status=500, error="error parsing tool call: x"),
    ][strikes]


async def test_a_recording_of_faults_replays_to_the_same_end(ollama: Start) -> None:
    server = ollama(alone(every_fault))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert [e["fault"]["kind"] for e in events("MODEL_CALL") if e["fault"]] == ["cut", "empty", "format_fault"]
    result = await replay(run_dir("t") / "cassette.jsonl")
    assert result.verdict == "PASS"
    again = json.loads(Path(result.report).with_suffix(".json").read_text())
    assert again["spending"] == report()["spending"]
    assert again["rungs"] == report()["rungs"] == {"fenced": 1}


async def test_an_assignment_has_seconds_of_its_own(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        return Reply(tool_calls=[call("search_files", pattern=f"x{turn}")])

    await build(ollama(alone(developer)), assignment_seconds=0.001, max_rounds=0)
    finished = events("ASSIGNMENT_FINISHED")[0]
    assert (finished["kind"], finished["turns"]) == ("budget", 1)


async def test_a_model_that_answers_nothing_for_ever_is_given_up_and_the_debt_says_why(ollama: Start) -> None:
    nothing = Reply("", eval_count=1)
    mending = {"blockers": ["B1", "B2"], "retry_for": "A1", "title": "Mend", "task": "Write.", "paths": ["calc.py"]}
    crew = Crew(
        [assignment("A1", "calc.py")], {"A1": [nothing], "R100": [nothing]}, remediation=lambda _: [mending]
    )
    server = ollama(crew)
    output = await build(server)
    assert output["verdict"] == "FAIL"
    assert len(server.chats) < 30
    assert all(
        "R100 ended as the attempt before it (empty) and wrote nothing" in b["message"] for b in report()["debt"]
    )
    assert events("MODEL_CALL")[-1]["sampling"].keys() >= {"temperature", "num_ctx", "num_predict"}


async def test_the_rest_of_a_cut_file_is_asked_for_with_more_room(ollama: Start) -> None:
    def developer(request: ChatRequest, turn: int) -> Reply:
        if "Output only the rest of calc.py" in request.last:
            return Reply(f"```\n{TWO}```")
        if any(m["role"] == "tool" for m in request.messages):
            return writing({"calc.py": TWO})[1]
        return Reply(tool_calls=[call("write_file", path="calc.py", content=TWO[:90])], done_reason="length")

    server = ollama(alone(developer))
    output = await build(server)
    assert output["verdict"] == "PASS"
    assert workspace() == {"calc.py": TWO}
    first, second, _ = developer_chats(server)
    assert second.options["num_predict"] == 2 * first.options["num_predict"]
    assert not second.tools
