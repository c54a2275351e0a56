"""A model's server that dies, hangs, answers garbage, is slow or lies: the run suspends or copes, and loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.scenes import GOAL, small
from servers.ollama import OllamaProcess, OllamaServer, Reply, call

from agents.models.journal import read_cassette
from millwright import driving
from tools.runs.home import run_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., OllamaServer]

SETTINGS = {"verification": "quick", "outage_seconds": 0}
FILES = {"n1.py", "n2.py", "test_n1.py", "notes.md"}
FAULTS = {
    "cut": Reply("half", cut_connection_after=1),
    "garbage": Reply(lines=["{]", "garbage \x00"]),
    "half a line": Reply(lines=['{"model": "m", "message": {"role": "assistant", "content": ']),
    "slow": Reply("word " * 20, delay=0.2, pause=0.02),
    "stopped": Reply(error="model runner has unexpectedly stopped"),
    "bad arguments": Reply(tool_calls=[call("write_file", path=3)]),
    "huge counts": Reply("", prompt_eval_count=10**12, eval_count=10**12),
    "no counts": Reply("All done!", prompt_eval_count=0, eval_count=0),
}


def files(run: str) -> dict[str, bytes]:
    root = run_dir(run) / "workspace"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_bad_answer_costs_at_most_a_resume(ollama: Start, fault: str) -> None:
    crew = small()
    server = ollama(lambda request: FAULTS[fault] if request.number == 3 else crew(request))
    result = await driving.build(GOAL, base_url=server.url, **SETTINGS)
    if result.status == "suspended":
        assert result.why
        result = await driving.resume(result.run)
    assert (result.verdict, set(files(result.run))) == ("PASS", FILES)


async def test_a_server_that_dies_suspends_the_run_and_another_one_ends_it(ollama: Start) -> None:
    whole = ollama(small())
    undisturbed = await driving.build(GOAL, base_url=whole.url, **SETTINGS)
    with OllamaProcess("faults.servers_at_fault:dies") as away:
        result = await driving.build(GOAL, base_url=away.url, **SETTINGS)
    assert (result.status, result.exit_code) == ("suspended", 3)
    kept = (run_dir(result.run) / "cassette.jsonl").read_bytes().count(b'"kind":"call"')
    back = ollama(small())
    ended = await driving.resume(result.run, base_url=back.url)
    assert ended.verdict == "PASS"
    assert files(ended.run) == files(undisturbed.run)
    assert len(back.chats) == len(whole.chats) - kept


async def test_a_server_that_hangs_for_good_suspends_the_run_and_another_one_ends_it(ollama: Start) -> None:
    with OllamaProcess("faults.servers_at_fault:hangs") as away:
        result = await driving.build(GOAL, base_url=away.url, **SETTINGS, call_seconds=1)
    assert (result.status, result.exit_code, result.cause) == ("suspended", 3, "ModelUnavailable")
    assert "did not answer in time" in result.why
    ended = await driving.resume(result.run, base_url=ollama(small()).url, call_seconds=60)
    assert (ended.verdict, set(files(ended.run))) == ("PASS", FILES)


async def test_an_answer_that_takes_too_long_is_the_models_fault_while_the_server_lives(ollama: Start) -> None:
    crew = small()
    server = ollama(lambda request: Reply("late", delay=3) if request.number == 3 else crew(request))
    result = await driving.build(GOAL, base_url=server.url, **SETTINGS, call_seconds=1)
    assert (result.status, result.verdict) == ("finished", "PASS")
    faults = [
        line["fault"] for line in read_cassette(run_dir(result.run) / "cassette.jsonl")[1] if line.get("fault")
    ]
    assert [fault["kind"] for fault in faults] == ["time_limit"]
