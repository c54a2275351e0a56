"""A task of the factory is a run like others: listed, replayed, forked, proved; and its page shows it as it is."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from servers.ollama import Reply
from toolmakers import TAKT, TAKT_TESTS, TAKT_WRONG, Toolmakers, stream, takt_task

import millwright
from millwright import driving
from millwright.catalogue import drivable
from millwright.checkpoints import open_sqlite
from millwright.cli.runs import show
from millwright.factory import unfinished
from millwright.gc import collect, waste
from millwright.overview import export, overview
from millwright.proof import prove
from millwright.replaying import find_cassette, replay
from tools.errors import UsageError
from tools.memory.memory import open_memory
from tools.runs import untold
from tools.runs.home import run_dir
from tools.tasks import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.ollama import OllamaServer

    from graphs.factory import GivenTask

ROOT = Path(__file__).parents[2]
MAKERS = Toolmakers({"takt_time": [TAKT_WRONG, TAKT]}, {"takt_time": [TAKT_TESTS]})


async def made(ollama: Callable[..., OllamaServer], **more: Any) -> driving.Result:
    """A task that was solved at the second attempt."""
    inputs = {"task": takt_task().model_dump(mode="json")}
    return await driving.start("factory", inputs, base_url=ollama(MAKERS).url, **more)


async def test_a_task_is_replayed_without_a_model_and_adds_nothing_to_the_library(
    ollama: Callable[..., OllamaServer],
) -> None:
    first = await made(ollama)
    again = await replay(run_dir(first.run) / "cassette.jsonl")
    assert (again.status, again.verdict, again.details["outcome"]) == ("finished", "PASS", "admitted")
    counts = open_memory().library.counts()
    assert (counts["skills"], counts["tasks"]) == (1, 1)
    rows = {row["id"]: row for row in await overview()}
    assert {(row["goal"], row["verdict"]) for row in rows.values()} == {("Takt time", "PASS")}


async def test_a_task_is_forked_and_resumed_at_an_earlier_position(ollama: Callable[..., OllamaServer]) -> None:
    first = await made(ollama)
    states = await driving.history(first.run)
    early = next(state["checkpoint"] for state in states if state["next"] == ["decide"])
    fork = await driving.fork(first.run, checkpoint=early)
    result = await driving.resume(fork)
    assert (result.status, result.verdict, result.details["outcome"]) == ("finished", "PASS", "duplicate")


async def test_a_task_that_is_taken_back_and_solved_in_other_words_is_no_second_tool(
    ollama: Callable[..., OllamaServer],
) -> None:
    first = await made(ollama)
    other = TAKT.replace("return available_minutes / demand", "pace = available_minutes / demand\n    return pace")
    again = ollama(Toolmakers({"takt_time": other}, {"takt_time": TAKT_TESTS}))
    states = await driving.history(first.run)
    early = next(state["checkpoint"] for state in states if state["next"] == ["decide"])
    config = {"configurable": {"thread_id": first.run, "checkpoint_id": early}}
    async with open_sqlite() as saver:
        graph = drivable("factory").compiled(saver)
        output = await graph.ainvoke(None, config, context={"base_url": again.url})
    assert (output["skill"], output["verdict"]) == (first.details["skill"], "PASS")
    assert (run_dir(first.run) / "workspace" / "main.py").read_text() == other
    assert open_memory().library.counts()["skills"] == 1


async def test_a_task_whose_history_was_thinned_is_still_proved_and_replayed(
    ollama: Callable[..., OllamaServer],
) -> None:
    first = await made(ollama)
    found = await waste(30, thin=0)
    assert [(w.kind, w.name) for w in found] == [("history", first.run)]
    assert await collect(found) == found[0].bytes > 0
    assert await waste(30, thin=0) == []
    assert (await asyncio.to_thread(prove, first.run)).verdict == "PASS"
    assert (await replay(run_dir(first.run) / "cassette.jsonl")).verdict == "PASS"
    assert (await driving.resume(first.run)).verdict == "PASS"


CHANGES = [
    ("workspace/main.py", "must be positive", "must be  positive", "files"),
    ("report.json", '"outcome": "admitted"', '"outcome": "reused"', "report"),
    ("cassette.jsonl", "Written.", "Finished.", "cassette"),
    ("ledger.jsonl", "exam: tests", "exam: nothing", "ledger"),
]


def test_a_task_is_proved_and_a_changed_record_shows(ollama: Callable[..., OllamaServer]) -> None:
    first = asyncio.run(made(ollama))
    assert prove(first.run).verdict == "PASS"
    for file, old, new, broken in CHANGES:
        path = run_dir(first.run) / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        proof = prove(first.run, rerun=False)
        assert [check.name for check in proof.checks if check.status == "FAIL"] == [broken]
        path.write_text(text)


def test_the_page_shows_the_graph_as_it_is() -> None:
    from graphs.factory import graph

    page = (ROOT / "docs" / "factory.md").read_text()
    (shown,) = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert shown.strip() == graph.get_graph().draw_mermaid().strip()


async def test_without_a_number_the_next_task_of_the_stream_is_drawn_and_a_fork_draws_the_same(
    ollama: Callable[..., OllamaServer],
) -> None:
    server = ollama(stream)
    first, second = [await driving.start("factory", {}, base_url=server.url) for _ in range(2)]
    titles = [draw("any", 0, number).title for number in range(2)]
    assert [run.details["title"] for run in (first, second)] == titles
    states = await driving.history(first.run)
    fork = await driving.fork(first.run, checkpoint=states[-1]["checkpoint"])
    assert (await driving.resume(fork)).details["title"] == titles[0]
    third = await driving.start("factory", {}, base_url=server.url, number=0)
    assert (third.details["title"], third.details["outcome"]) == (titles[0], "reused")


async def test_a_task_of_ones_own_needs_a_signature_and_a_statement(ollama: Callable[..., OllamaServer]) -> None:
    task = takt_task(oracle=False)
    inputs = {"task": {"signature": task.signature, "statement": task.statement}}
    result = await driving.start("factory", inputs, base_url=ollama(MAKERS).url)
    assert (result.verdict, result.details["title"]) == ("PASS", "Takt time")
    assert open_memory().library.skill("takt_time-1").state == "candidate"
    with pytest.raises(UsageError, match="signature cannot be used"):
        await driving.start("factory", {"task": {"statement": "x"}}, base_url=ollama(MAKERS).url)
    assert len(await overview()) == 1


async def test_a_task_is_exported_and_its_zip_is_proved_and_replayed_elsewhere(
    ollama: Callable[..., OllamaServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await made(ollama)
    archive = await asyncio.to_thread(export, first.run, tmp_path)
    monkeypatch.setenv("MILLWRIGHT_HOME", str(tmp_path / "elsewhere"))
    assert (await asyncio.to_thread(prove, str(archive))).verdict == "PASS"
    assert (await replay(await asyncio.to_thread(find_cassette, str(archive)))).verdict == "PASS"
    content = archive.read_bytes()
    assert content.count(b"must be positive") > 1
    archive.write_bytes(content.replace(b"must be positive", b"must be negative"))
    assert (await asyncio.to_thread(prove, str(archive))).verdict == "FAIL"


async def test_a_task_that_is_not_finished_is_neither_exported_nor_proved(
    ollama: Callable[..., OllamaServer],
) -> None:
    away = ollama(lambda _: Reply(status=503, error="loading"))
    inputs = {"task": takt_task().model_dump(mode="json")}
    stopped = await driving.start("factory", inputs, base_url=away.url, outage_seconds=0)
    assert stopped.status == "suspended"
    for look in (lambda: export(stopped.run, None), lambda: prove(stopped.run)):
        with pytest.raises(UsageError, match=f"is not finished; `millwright runs resume {stopped.run}`"):
            await asyncio.to_thread(look)
    assert (await driving.resume(stopped.run, base_url=ollama(MAKERS).url)).verdict == "PASS"


async def test_a_fork_of_a_finished_task_is_finished_when_it_is_resumed(
    ollama: Callable[..., OllamaServer],
) -> None:
    first = await made(ollama)
    fork = await driving.fork(first.run)
    result = await driving.resume(fork)
    assert (result.verdict, result.workspace) == ("PASS", str(run_dir(fork) / "workspace"))
    assert {row["id"]: row["status"] for row in await overview()} == {first.run: "finished", fork: "finished"}


async def test_an_old_task_goes_and_its_tool_stays_whole_while_what_a_session_would_go_on_with_stays(
    ollama: Callable[..., OllamaServer],
) -> None:
    server = ollama(MAKERS)
    first, working, unheard = await made(ollama), await made(ollama), await made(ollama)
    away = ollama(lambda _: Reply(status=503, error="loading"))
    left = await driving.start("factory", {}, base_url=away.url, outage_seconds=0)
    fork = await driving.fork(first.run)
    untold.begin(unheard.run)
    async with open_sqlite() as session:
        await session.aclaim(working.run)
        # Of sandboxes that died, the whole machine's copies are listed.
        found = [w for w in await waste(0) if w.kind != "sandbox copy"]
        assert [w.name for w in found] == [first.run]
        await collect(found)
    assert {row["id"] for row in await overview()} == {working.run, unheard.run, left.run, fork}
    assert unfinished() == [unheard.run, left.run]
    memory = open_memory()
    assert memory.library.skill("takt_time-1").run == first.run
    assert memory.health().sound
    again = await driving.start("factory", {"task": takt_task().model_dump(mode="json")}, base_url=server.url)
    assert again.details["outcome"] == "reused"
    assert (await driving.resume(fork)).verdict == "PASS"
    untold.tell(unheard.run)
    assert unheard.run in {w.name for w in await waste(0)}


async def test_ones_own_code_makes_a_tool_and_gets_a_typed_result_or_a_plain_reason(
    ollama: Callable[..., OllamaServer],
) -> None:
    settings: dict[str, Any] = {"base_url": ollama(MAKERS).url, "tries": 1}
    task = takt_task(oracle=False)
    given: GivenTask = {"signature": task.signature, "statement": task.statement}
    result = await millwright.make_tool(task=given, **settings)
    assert isinstance(result, millwright.Result)
    assert (result.details["outcome"], result.details["skill"]) == ("failed", ""), "one try, and the first is wrong"
    assert result.reasons
    assert result.exit_code == 1
    with pytest.raises(UsageError, match="no signature"):
        await millwright.make_tool(task={"signature": "takt", "statement": "x"}, **settings)
    with pytest.raises(UsageError, match="'cooking'"):
        await millwright.make_tool(domain="cooking", **settings)
    with pytest.raises(ValidationError, match="seed"):
        await millwright.make_tool(**settings, seed=-1)
    assert [row["id"] for row in await overview()] == [result.run]


async def test_the_events_of_a_task_are_told_in_lines(
    ollama: Callable[..., OllamaServer], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await made(ollama), await made(ollama)
    for run in (first.run, second.run):
        await asyncio.to_thread(show, run, events=True)
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    for line in (
        "librarian write: the library has no tool like it",
        "verifier exam failed at tests: ",
        "verifier exam passed",
        "library takt_time-1 admitted, active",
        "librarian reuse takt_time-1: it was made for this very task",
        "verifier takt_time-1 solves the task",
    ):
        assert line in told, told
