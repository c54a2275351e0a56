"""Sessions of the trainer: endless, stopped by a key, suspended, without a model for a while, and never growing."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from growth import Held, held, slope
from servers.ollama import ChatRequest, OllamaServer, Reply
from toolmakers import TAKT, TAKT_TESTS, Toolmakers, solver, takt_task

import graphs.session
from graphs.factory import drawing
from millwright import factory
from millwright.checkpoints import open_sqlite
from millwright.factory import Order, Trainer, unfinished
from tools.errors import UsageError
from tools.events import read_events
from tools.memory.memory import open_memory
from tools.runs.home import run_dir, run_ids
from tools.runs.run import OPEN_RUNS, Run
from tools.tasks import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from millwright.factory_summary import Done, Summary

ROOT = Path(__file__).parents[2]
MAKERS = Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]})


@pytest.fixture
def same_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of the stream is the same task, so that all but the first are solved by the tool."""
    monkeypatch.setattr(drawing, "drawn", lambda *_: takt_task())


async def session(server: Any, order: dict[str, Any], **settings: Any) -> tuple[Summary, list[Done], list[str]]:
    """Run a session in this process; return its summary, its tasks and what was said."""
    done: list[Done] = []
    said: list[str] = []
    trainer = Trainer(Order(**order, settings={"base_url": server.url, **settings}), done.append, said.append)
    return await trainer.run(), done, said


async def test_a_session_tells_every_task_and_sums_them_up(
    ollama: Callable[..., OllamaServer], same_task: None
) -> None:
    summary, done, _ = await session(ollama(MAKERS), {"max_tasks": 3, "workers": 2})
    assert (summary.total, summary.successful, summary.failed, summary.library) == (3, 3, 0, 1)
    assert min(task.outcome for task in done) == "admitted"
    assert summary.reuse_rate == pytest.approx(sum(task.outcome == "reused" for task in done) / 3)
    told = summary.to_dict()
    assert json.loads(json.dumps(told)) == told
    reused = sorted(task.total for task in done if task.outcome == "reused")
    assert not reused or reused[0] <= told["reused_seconds"] <= reused[-1]
    assert ("a new tool" in "\n".join(summary.lines())) == bool(reused)
    assert open_memory().library.counts()["skills"] == 1  # two workers that make the same tool make one
    line = done[0].line()
    assert re.match(
        r" {3}1 {2}(admitted|duplicate|reused) +write Takt time takt_time-1 {2}\[\d+\.\d s: .*\] {2}reuse 0%, 1",
        line,
    )


async def test_a_session_about_a_prompt_uses_up_nothing_of_the_stream(ollama: Callable[..., OllamaServer]) -> None:
    makers = Toolmakers({}, {}, inventions=["no idea"])
    summary, _, _ = await session(ollama(makers), {"max_tasks": 2, "prompt": "pacing a line", "seed": 3})
    assert summary.failed == 2
    solved = solver([draw("any", 3, 0)])
    _, done, _ = await session(ollama(solved), {"max_tasks": 1, "seed": 3})
    assert done[0].title == draw("any", 3, 0).title


async def test_of_a_long_session_as_many_runs_stay_as_were_asked_for_and_every_tool(
    ollama: Callable[..., OllamaServer], same_task: None
) -> None:
    summary, done, _ = await session(ollama(MAKERS), {"max_tasks": 4, "keep": 1})
    assert (summary.total, summary.suspended) == (4, 0)
    assert run_ids() == [done[-1].run]
    async with open_sqlite() as saver:
        assert [await saver.abytes_of(task.run) > 0 for task in done] == [False, False, False, True]
    memory = open_memory()
    assert {task.run for task in memory.library.tasks()} == {task.run for task in done}
    assert memory.library.skill("takt_time-1").run == done[0].run
    assert memory.health().sound


async def test_what_a_session_left_is_taken_up_first(
    ollama: Callable[..., OllamaServer], same_task: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ollama(lambda _: Reply(status=401, error="who are you?"))
    summary, done, _ = await session(server, {"max_tasks": 1})
    assert (summary.total, summary.suspended, done) == (0, 1, [])
    assert "who are you" in summary.stopped
    (left,) = unfinished()
    _, fresh, _ = await session(ollama(MAKERS), {"max_tasks": 1, "fresh": True})
    assert fresh[0].run != left
    _, again, _ = await session(ollama(MAKERS), {"max_tasks": 1})
    assert [task.run for task in again] == [left]
    assert unfinished() == []


async def test_a_task_that_is_interrupted_while_its_run_is_made_stands_still_and_is_taken_up(
    ollama: Callable[..., OllamaServer], same_task: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun = graphs.session.create_run, threading.Event()

    def slowly(*given: Any, **named: Any) -> Run:
        begun.set()
        time.sleep(0.2)
        return made(*given, **named)

    monkeypatch.setattr(graphs.session, "create_run", slowly)
    server = ollama(MAKERS)
    trainer = Trainer(Order(settings={"base_url": server.url}), lambda _: None, lambda _: None)
    running = asyncio.create_task(trainer.run())
    while not begun.is_set():
        await asyncio.sleep(0.01)
    trainer.suspend()
    assert (await running).suspended == 1
    (left,) = run_ids()
    assert json.loads((run_dir(left) / "run.json").read_bytes())["status"] == "suspended"
    _, done, _ = await session(server, {"max_tasks": 1})
    assert [task.run for task in done] == [left]


async def test_a_model_that_is_away_is_waited_for_and_told_once(
    ollama: Callable[..., OllamaServer], same_task: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "FIRST_WAIT", 0.01)
    away = 6

    def answer(request: ChatRequest) -> Reply:
        return Reply(status=503, error="loading") if request.number < away else MAKERS(request)

    summary, done, said = await session(ollama(answer), {"max_tasks": 1}, outage_seconds=0)
    assert [task.outcome for task in done] == ["admitted"]
    assert [text.partition(",")[0].partition(":")[0] for text in said] == ["the model is away", "the model is back"]
    assert summary.suspended == 0
    told = [event["event"] for event in read_events(run_dir(done[0].run) / "events.jsonl")]
    assert (told.count("MODEL_FAILURE"), told.count("RUN_SUSPENDED")) == (1, 1)


async def test_a_mistake_of_ours_ends_one_task_and_not_the_night(
    ollama: Callable[..., OllamaServer], same_task: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = drawing.drawn, []

    def breaks(*words: Any) -> Any:
        if not broken:
            broken.append(True)
            raise ZeroDivisionError("our own mistake")
        return real(*words)

    monkeypatch.setattr(drawing, "drawn", breaks)
    summary, _, said = await session(ollama(MAKERS), {"max_tasks": 2})
    assert (summary.total, summary.suspended) == (1, 1)
    assert "ZeroDivisionError: our own mistake" in said[0]


@pytest.mark.parametrize(
    ("order", "settings"), [({"domain": "cooking"}, {}), ({}, {"model": "ollama:nobody"}), ({}, {"model": "x:y"})]
)
async def test_what_was_typed_wrong_ends_the_session_with_its_reason(
    ollama: Callable[..., OllamaServer], order: dict[str, Any], settings: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        await session(ollama(MAKERS), {"max_tasks": 1, **order}, **settings)


async def test_thirty_tasks_hold_no_more_than_twenty(ollama: Callable[..., OllamaServer], same_task: None) -> None:
    server = ollama(MAKERS)
    looks = []
    for tasks in (10, 20, 30):
        summary, _, _ = await session(server, {"max_tasks": 10})
        assert summary.successful == 10
        server.requests.clear()  # what the server keeps for tests is not the session's
        server.chats.clear()
        looks.append(held(tasks))
    told = "\n".join(map(str, looks))
    assert slope(looks[1:], "objects") < 100, told  # one run alone is several hundred
    assert looks[2].descriptors - looks[1].descriptors <= 4, told
    assert looks[2].threads - looks[1].threads <= 2, told
    assert sum(isinstance(thing, Run) for thing in gc.get_objects()) <= OPEN_RUNS + 1


class Terminal:
    """`millwright factory run` in a terminal of its own."""

    def __init__(self, home: Path, url: str, *words: str) -> None:
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(self.master)
        environment = {**os.environ, "MILLWRIGHT_HOME": str(home), "MILLWRIGHT_EMBEDDINGS": "lexical"}
        script = "import sys; from millwright.cli import main; sys.argv[0] = 'millwright'; main()"
        command = [sys.executable, "-c", script, "factory", "run", "--base-url", url, *words]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT,
            preexec_fn=lambda: (os.setsid(), __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0)),
        )  # fmt: skip
        os.close(slave)
        self.said = ""

    def until(self, pattern: str) -> None:
        """Read on until the terminal shows this."""
        deadline = time.monotonic() + 120
        while not re.search(pattern, self.said):
            assert time.monotonic() < deadline, self.said
            try:
                self.said += os.read(self.master, 4096).decode()
            except OSError:
                break
        assert re.search(pattern, self.said), self.said

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def ended(self) -> int:
        """Wait for its end; the terminal must be as it was."""
        code = self.process.wait(60)
        assert termios.tcgetattr(self.master) == self.before
        os.close(self.master)
        return code


@pytest.fixture
def terminal(home: Path, ollama: Callable[..., OllamaServer]) -> Callable[..., Terminal]:
    """Start sessions in terminals; their model takes a moment for each answer."""
    makers = solver([draw("any", 0, number) for number in range(4)])

    def slowly(request: ChatRequest) -> Reply:
        reply = makers(request)
        reply.delay = 0.2
        return reply

    server = ollama(slowly)
    return lambda *words: Terminal(home, server.url, *words)


def test_a_key_finishes_what_was_begun_and_ends_the_session(terminal: Callable[..., Terminal], home: Path) -> None:
    running = terminal()
    running.until(r"   1  ")
    running.press(b"q")
    running.until(r"library +\d+ tools")
    assert running.ended() == 0
    assert "finishing what was begun" in running.said
    statuses = [json.loads(path.read_bytes())["status"] for path in home.glob("runs/*/run.json")]
    assert set(statuses) == {"finished"}


def test_ctrl_c_suspends_a_second_one_ends_at_once_and_the_next_session_goes_on(
    terminal: Callable[..., Terminal], home: Path
) -> None:
    running = terminal()
    while not list(home.glob("runs/*/register.jsonl")):
        time.sleep(0.01)
    running.press(b"\x03")
    running.until(r"library +\d+ tools")
    assert running.ended() == 3
    (begun,) = home.glob("runs/*")
    assert json.loads((begun / "run.json").read_bytes())["status"] == "suspended"
    running = terminal()
    running.until("^")
    while json.loads((begun / "run.json").read_bytes())["status"] != "running":
        time.sleep(0.01)
    running.press(b"\x03\x03")
    assert running.ended() in (3, 130)
    running = terminal("--max-tasks", "1")
    running.until(r"library +1 tools")
    assert running.ended() == 0
    assert json.loads((begun / "run.json").read_bytes())["status"] == "finished"


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize(("tasks", "again"), [(300, 700), (1_000, 0)])
def test_a_thousand_tasks_hold_no_more_for_each(tmp_path: Path, tasks: int, again: int) -> None:
    words = ["--tasks", tasks, "--again", again, "--workers", 2, "--looks", tmp_path / "looks"]
    command = [sys.executable, str(ROOT / "benchmarks" / "factory.py"), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    lines = [json.loads(line) for line in (tmp_path / "looks").read_text().splitlines()]
    assert sum(lines[-1]["outcomes"].values()) == tasks + again
    assert lines[-1]["outcomes"]["admitted"] > 0.6 * tasks
    looks = [Held(**{field.name: line[field.name] for field in fields(Held)}) for line in lines]
    late = looks[len(looks) // 2 :]
    # KiB: a new tool has a vector of 4 in memory; SQLite fills its page caches, of 2,000 for each connection.
    assert slope(late, "memory") < 24, said
    assert slope(late, "objects") < 20, said
    assert max(look.descriptors for look in late) - min(look.descriptors for look in late) <= 24, said
    assert late[-1].threads <= late[0].threads + 2, said
