"""Suspending, resuming, forking and replaying: state and files always travel together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply

from agents.models.journal import FORMAT
from graphs.build import BuildContext, builder
from graphs.durable import durable
from millwright import driving
from millwright.checkpoints import open_sqlite
from millwright.replaying import demo_cassette, replay
from tools.errors import CassetteDivergence, CassetteError, CassetteVersion, RunUnknown, WorkspaceChanged
from tools.runs.home import run_dir

Start = Callable[..., OllamaServer]
ONE, TWO = "N = 1\n", "from one import N\n\nM = N + 1\n"


def crew(**more: Any) -> Crew:
    """Two assignments, one after the other."""
    plan = [assignment("A1", "one.py"), assignment("A2", "two.py", after=["A1"])]
    return Crew(plan, {"A1": writing({"one.py": ONE}), "A2": writing({"two.py": TWO}), **more})


def files(run: str) -> dict[str, str]:
    """The workspace of a run."""
    root = run_dir(run) / "workspace"
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def dead_after(server_answers: Crew, calls: int) -> Callable[[Any], Reply]:
    """A model whose server refuses everything after a number of calls."""
    return lambda request: (
        server_answers(request) if request.number < calls else Reply(status=503, error="server busy")
    )


async def test_an_api_failure_suspends_and_resuming_finishes_without_repeating_a_call(ollama: Start) -> None:
    away = ollama(dead_after(crew(), 4))
    first = await driving.build("Write two modules.", base_url=away.url, outage_seconds=0)
    assert (first.status, first.exit_code) == ("suspended", 3)
    assert "server busy" in first.why
    back = ollama(crew())
    second = await driving.resume(first.run, base_url=back.url)
    assert (second.status, second.verdict, second.exit_code) == ("finished", "PASS", 0)
    assert files(first.run) == {"one.py": ONE, "two.py": TWO}
    finished = 4
    whole = ollama(crew())
    await driving.build("Write two modules.", base_url=whole.url)
    assert finished + len(back.chats) == len(whole.chats)


async def test_a_fork_from_an_old_checkpoint_has_the_files_of_that_time(ollama: Start) -> None:
    server = ollama(crew())
    done = await driving.build("Write two modules.", base_url=server.url)
    states = await driving.history(done.run)
    before_second = next(s for s in states if s["next"] == ["develop"] and s["position"] == "0.3")
    fork = await driving.fork(done.run, checkpoint=before_second["checkpoint"])
    calls = len(server.chats)
    changed = ollama(crew(A2=writing({"two.py": "M = 5\n"})))
    again = await driving.resume(fork, base_url=changed.url)
    assert again.verdict == "PASS"
    assert files(fork) == {"one.py": ONE, "two.py": "M = 5\n"}
    assert files(done.run) == {"one.py": ONE, "two.py": TWO}
    assert len(server.chats) == calls
    asked = {
        c.messages[1]["content"].split("Your assignment ")[-1][:2] for c in changed.chats if "finish" in c.tools
    }
    assert asked == {"A2"}


async def test_two_forks_of_one_run_do_not_disturb_each_other(ollama: Start) -> None:
    done = await driving.build("Write two modules.", base_url=ollama(crew()).url)
    forks = [await driving.fork(done.run, checkpoint="0.3") for _ in range(2)]
    for number, fork in enumerate(forks):
        answers = crew(A2=writing({"two.py": f"M = {number}\n"}))
        await driving.resume(fork, base_url=ollama(answers).url)
    assert [files(fork)["two.py"] for fork in forks] == ["M = 0\n", "M = 1\n"]
    assert files(done.run)["two.py"] == TWO


async def test_a_fork_at_a_position_begins_where_its_work_begins(ollama: Start) -> None:
    done = await driving.build("Write two modules.", base_url=ollama(crew()).url)
    fork = await driving.fork(done.run, checkpoint="0.2")
    server = ollama(crew())
    await driving.resume(fork, base_url=server.url)
    asked = [c.messages[-1]["content"] for c in server.chats if len(c.messages) == 2 and "finish" in c.tools]
    assert len(asked) == 2
    assert all("The attempt before this one failed" not in text for text in asked)


async def test_going_back_inside_one_thread_restores_its_files(ollama: Start) -> None:
    """What Studio does: the same thread goes on from an old checkpoint."""
    context = BuildContext(base_url=ollama(crew()).url)
    async with open_sqlite() as saver:
        graph = durable(builder().compile(checkpointer=saver))
        config = {"configurable": {"thread_id": "t"}}
        await graph.ainvoke({"goal": "Write two modules."}, config, context=context)
        states = graph.aget_state_history(config)
        old = await anext(s async for s in states if s.values.get("position") == "0.2")
        server = ollama(crew(A1=writing({"one.py": "N = 7\n"})))
        output = await graph.ainvoke(None, old.config, context=BuildContext(base_url=server.url))
        head = await graph.aget_state(config)
    assert output["verdict"] == "PASS"
    assert files("t") == {"one.py": "N = 7\n", "two.py": TWO}
    assert head.values["position"].startswith("1.")
    assert len(server.chats) == 6  # two developers with two turns each, two audits


async def test_a_copied_thread_gets_a_workspace_of_its_own(ollama: Start) -> None:
    context = BuildContext(base_url=ollama(crew()).url, approve=["plan"])
    async with open_sqlite() as saver:
        graph = durable(builder().compile(checkpointer=saver))
        await graph.ainvoke({"goal": "Write two modules."}, {"configurable": {"thread_id": "t"}}, context=context)
        await saver.acopy_thread("t", "u")
        from langgraph.types import Command

        copy = {"configurable": {"thread_id": "u"}}
        output = await graph.ainvoke(Command(resume={"approve": True}), copy, context=context)
    assert output["verdict"] == "PASS"
    assert files("u") == {"one.py": ONE, "two.py": TWO}
    assert files("t") == {}


async def test_a_plan_is_shown_and_sent_back_with_feedback(ollama: Start) -> None:
    server = ollama(crew())
    asked = await driving.build("Write two modules.", base_url=server.url, approve=["plan"])
    assert (asked.status, asked.exit_code) == ("waiting", 3)
    assert asked.question is not None
    assert [a["paths"] for a in asked.question["assignments"]] == [["one.py"], ["two.py"]]
    again = await driving.resume(asked.run, answer={"approve": False, "feedback": "Put it into one file."})
    assert again.status == "waiting"
    assert "Put it into one file." in server.chats[-1].last
    done = await driving.resume(asked.run, answer={"approve": True})
    assert done.verdict == "PASS"


async def test_a_changed_workspace_is_refused_and_both_ways_out_work(ollama: Start) -> None:
    first = await driving.build("Write two modules.", base_url=ollama(dead_after(crew(), 4)).url, outage_seconds=0)
    mine = run_dir(first.run) / "workspace" / "one.py"
    mine.write_text("N = 100\n")
    server = ollama(crew())
    with pytest.raises(WorkspaceChanged, match=r"'one.py'.*--discard-changes.*--keep-changes"):
        await driving.resume(first.run, base_url=server.url)
    assert mine.read_text() == "N = 100\n"
    fork = await driving.fork(first.run)
    kept = await driving.resume(first.run, base_url=server.url, changes="keep")
    assert (kept.verdict, files(first.run)["one.py"]) == ("PASS", "N = 100\n")
    discarded = await driving.resume(fork, base_url=server.url)
    assert (discarded.verdict, files(fork)["one.py"]) == ("PASS", ONE)


async def test_the_demo_replays_to_the_recorded_files(home: Any) -> None:
    result = await replay(demo_cassette())
    assert result.verdict == "PASS"
    ends = [json.loads(line) for line in demo_cassette().read_text().splitlines()][-1]
    assert set(files(result.run)) == set(ends["deliverables"])
    kinds = {b["kind"] for b in json.loads((run_dir(result.run) / "report.json").read_text())["blockers"]}
    assert kinds == {"review_finding", "test_failure"}


async def test_a_replay_names_the_first_call_that_differs(ollama: Start, tmp_path: Any) -> None:
    done = await driving.build("Write two modules.", base_url=ollama(crew()).url)
    lines = (run_dir(done.run) / "cassette.jsonl").read_text()
    changed = tmp_path / "changed.jsonl"
    changed.write_text(lines.replace("Write two modules.", "Write two programs.", 1))
    with pytest.raises(CassetteDivergence, match=r"plan#0 turn 0: message 2 .*recorded 'Write two modules.'"):
        await replay(changed)


async def test_a_cassette_of_another_format_says_so(tmp_path: Any) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"kind": "cassette", "format": 99, "version": "9.9", "goal": "g"}\n')
    with pytest.raises(CassetteVersion, match=f"format 99, this version reads {FORMAT}; record the build again"):
        await replay(other)
    with pytest.raises(CassetteError, match="no cassette at"):
        await replay(tmp_path / "none.jsonl")


async def test_an_unknown_run_or_checkpoint_is_named(ollama: Start) -> None:
    with pytest.raises(RunUnknown, match="no run starts with 'abcd'"):
        await driving.resume("abcd")
    done = await driving.build("Write two modules.", base_url=ollama(crew()).url)
    with pytest.raises(RunUnknown, match=r"has no checkpoint '9\.9'"):
        await driving.fork(done.run, checkpoint="9.9")
