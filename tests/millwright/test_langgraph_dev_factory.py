"""The factory in the real `langgraph dev`: a stranger's form, a tool and its reuse, time travel, and kill -9."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langgraph_sdk import get_client
from servers.dev import DevServer, raise_if_late
from servers.ollama import ChatRequest, OllamaServer, Reply
from toolmakers import TAKT, TAKT_TESTS, Toolmakers, stream, takt_task

from tools.tasks import domains, draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SHARE = '''\
def scrap_share(scrapped: int, made: int) -> float:
    """Share of the parts made that were scrapped.

    Raises ValueError when nothing was made or more was scrapped than made.
    """
    if made <= 0 or not 0 <= scrapped <= made:
        raise ValueError("scrapped must be between 0 and made")
    return scrapped / made
'''
SHARE_TESTS = """\
import pytest

from main import scrap_share


@pytest.mark.parametrize(("scrapped", "made", "share"), [(1, 4, 0.25), (0, 3, 0.0), (5, 5, 1.0), (0, 1, 0), (1, 1, 1)])
def test_divides(scrapped, made, share):
    assert scrap_share(scrapped, made) == pytest.approx(share)


@pytest.mark.parametrize(("scrapped", "made"), [(0, 0), (1, 0), (0, -1), (-1, 4), (5, 4), (-1, -1)])
def test_refuses(scrapped, made):
    with pytest.raises(ValueError):
        scrap_share(scrapped, made)
"""
INVENTED = {
    "title": "Share of scrap",
    "entry": "scrap_share",
    "signature": "def scrap_share(scrapped: int, made: int) -> float",
    "statement": "Return the share of parts that were scrapped: scrapped (whole, 0 to made) divided by made (whole, at "
    "least 1), not rounded. Raise ValueError when made is below 1 or scrapped is not between 0 and made.",
    "tags": ["scrap"],
    "examples": [
        {"arguments": {"scrapped": 1, "made": 4}, "result": 0.25},
        {"arguments": {"scrapped": 0, "made": 3}, "result": 0.0},
    ],
}
TAKT_INPUT = {"task": takt_task().model_dump(mode="json")}


class Scripts:
    """Makers of the drawn tasks, of an invented one, and of one whose tester is held back on demand."""

    def __init__(self) -> None:
        self.holding = threading.Event()
        self.reached = threading.Event()
        self.workspace: Path | None = None
        self.found: list[str] = []
        code, tests = (
            {"takt_time": TAKT, "scrap_share": SHARE},
            {"takt_time": TAKT_TESTS, "scrap_share": SHARE_TESTS},
        )
        self.known = Toolmakers(code, tests, choices=self.none, inventions=[json.dumps(INVENTED)])

    def __call__(self, request: ChatRequest) -> Reply:
        if self.workspace is not None:
            self.found = sorted(path.name for path in self.workspace.iterdir())
            self.workspace = None
        text = json.dumps(request.body)
        if "You are a tester" in request.system and self.holding.is_set():
            self.reached.set()
            raise_if_late(lambda: not self.holding.is_set(), "nobody let the tester go on")
        ours = any(known in text for known in ("You invent one small", "def takt_time(", "def scrap_share("))
        return (self.known if ours else stream)(request)

    @staticmethod
    def none(_: ChatRequest) -> dict[str, Any]:
        return {"decision": "write", "tool": "", "why": "none of them does it"}


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    return Scripts()


@pytest.fixture(scope="module")
def model(scripts: Scripts) -> Iterator[OllamaServer]:
    with OllamaServer(scripts) as server:
        yield server
        scripts.holding.clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    folder = tmp_path_factory.mktemp("studio")
    dev = DevServer(folder, MILLWRIGHT_EMBEDDINGS="lexical", MILLWRIGHT_CHROMA="off")
    dev.start()
    yield dev
    dev.kill()


@pytest.fixture
async def client(server: DevServer) -> AsyncIterator[Any]:
    async with get_client(url=server.url) as client:
        yield client


@pytest.fixture
def context(model: OllamaServer) -> dict[str, Any]:
    return {"base_url": model.url, "hold_out": 0}


def skills(server: DevServer) -> dict[str, str]:
    """The tools of the server's library, each with the run that made it."""
    # Read by itself: a process that opened the library would write its copies, of which the server would start anew.
    with closing(sqlite3.connect(server.folder / ".millwright" / "memory" / "memory.sqlite")) as database:
        return dict(database.execute("SELECT id, run FROM skills"))


async def test_a_stranger_finds_what_may_go_in_and_what_may_be_set(client: Any) -> None:
    (assistant,) = await client.assistants.search(graph_id="factory")
    assert assistant["description"].startswith("From a small task to a proved tool")
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    for part in ("input_schema", "output_schema", "context_schema"):
        described = {name: p.get("description") for name, p in schemas[part]["properties"].items()}
        assert described, part
        assert all(described.values()), described
    entered = schemas["input_schema"]
    assert list(entered["properties"]) == ["prompt", "task"]
    assert "required" not in entered
    (task,) = entered["$defs"].values()
    assert task["required"] == ["signature", "statement"]
    assert all(field["description"] for field in task["properties"].values())
    settings = schemas["context_schema"]["properties"]
    assert settings["domain"]["enum"] == domains()
    assert settings["number"]["default"] is None
    drawn = await client.assistants.get_graph(assistant["assistant_id"])
    assert {"draw", "recall", "prove", "examine", "admit", "settle"} <= {node["id"] for node in drawn["nodes"]}


async def test_nothing_at_all_draws_the_next_task_and_its_tool_solves_it_the_next_time(
    client: Any, server: DevServer, model: OllamaServer, context: dict[str, Any]
) -> None:
    starts = server.said("Application started up")
    thread = (await client.threads.create())["thread_id"]
    modes = ["custom", "values", "updates"]
    parts = [p async for p in client.runs.stream(thread, "factory", input={}, context=context, stream_mode=modes)]
    told = [part.data["event"] for part in parts if part.event == "custom"]
    assert (told[0], told[-1]) == ("RUN_STARTED", "STEP")
    assert {"DECISION", "MODEL_CALL", "FILE_OPERATION", "EXAM", "ADMITTED", "RUN_FINISHED"} <= set(told)
    last = [part.data for part in parts if part.event == "values"][-1]
    assert (last["outcome"], last["verdict"], last["run"]) == ("admitted", "PASS", thread)
    assert last["title"] == draw("any", 0, 0).title
    assert Path(last["report"]).read_text().startswith("# ")
    assert skills(server) == {last["skill"]: thread}
    state = await client.threads.get_state(thread)
    assert (state["next"], state["values"]["skill"]) == ([], last["skill"])
    history = await client.threads.get_history(thread, limit=100)
    assert [s["next"] for s in reversed(history)][1:4] == [["draw"], ["recall"], ["decide"]]
    asked = len(model.chats)
    thread = (await client.threads.create())["thread_id"]
    out = await client.runs.wait(thread, "factory", input={}, context={**context, "number": 0})
    assert (out["outcome"], out["skill"], out["decision"]) == ("reused", last["skill"], "reuse")
    assert len(model.chats) == asked
    assert not (server.folder / ".millwright" / "nodes").exists()
    assert server.said("Application started up") == starts
    assert server.said("BlockingError") == 0


async def test_a_prompt_has_a_task_invented(client: Any, server: DevServer, context: dict[str, Any]) -> None:
    thread = (await client.threads.create())["thread_id"]
    out = await client.runs.wait(thread, "factory", input={"prompt": "Scrap in a factory."}, context=context)
    assert (out["title"], out["outcome"], out["skill"]) == ("Share of scrap", "admitted", "scrap_share-1"), out
    assert skills(server)["scrap_share-1"] == thread


async def test_a_server_that_starts_anew_at_a_python_file_goes_on_with_what_it_broke_off(
    client: Any, server: DevServer, scripts: Scripts, context: dict[str, Any]
) -> None:
    scripts.reached.clear()
    scripts.holding.set()
    starts = server.said("Application started up")
    thread = (await client.threads.create())["thread_id"]
    run = (await client.runs.create(thread, "factory", input={}, context={**context, "number": 2}))["run_id"]
    await asyncio.to_thread(raise_if_late, scripts.reached.is_set, "the tester was not asked")
    (server.folder / "edited.py").write_text("N = 1\n")
    await asyncio.to_thread(raise_if_late, lambda: server.said("Application started up") > starts, "no restart")
    scripts.holding.clear()
    out = await client.runs.join(thread, run)
    assert (out["outcome"], skills(server)[out["skill"]]) == ("admitted", thread)


async def test_a_killed_server_goes_on_and_repeats_no_finished_call(
    client: Any, server: DevServer, scripts: Scripts, model: OllamaServer, context: dict[str, Any]
) -> None:
    scripts.reached.clear()
    scripts.holding.set()
    thread = (await client.threads.create())["thread_id"]
    before = len(model.chats)
    run = (await client.runs.create(thread, "factory", input=TAKT_INPUT, context=context))["run_id"]
    await asyncio.to_thread(raise_if_late, scripts.reached.is_set, "the tester was not asked")
    written = lambda: any("Written." in line for line in journal(server, thread))  # noqa: E731
    await asyncio.to_thread(raise_if_late, written, "the developer did not finish")
    await asyncio.to_thread(server.saves)
    assert {"developer", "tester"} <= {kind(chat) for chat in model.chats[before:]}
    server.kill()
    scripts.holding.clear()
    killed = len(model.chats)
    await asyncio.to_thread(server.start, "--no-reload")
    out = await client.runs.join(thread, run)
    assert (out["outcome"], out["skill"]) == ("admitted", "takt_time-1")
    assert {kind(chat) for chat in model.chats[killed:]} == {"tester"}
    assert skills(server)["takt_time-1"] == thread


async def test_a_fork_from_before_the_tool_takes_the_files_back_and_admits_nothing_twice(
    client: Any, server: DevServer, scripts: Scripts, context: dict[str, Any]
) -> None:
    thread = (await client.threads.create())["thread_id"]
    out = await client.runs.wait(thread, "factory", input={}, context={**context, "number": 5})
    assert out["outcome"] == "admitted"
    workspace, known = Path(out["workspace"]), skills(server)
    before = {path.name: path.read_text() for path in workspace.iterdir()}
    assert before.keys() == {"main.py", "test.py"}
    history = await client.threads.get_history(thread, limit=100)
    early = next(state["checkpoint"]["checkpoint_id"] for state in history if state["next"] == ["decide"])
    scripts.workspace, scripts.found = workspace, ["nobody looked"]
    again = await client.runs.wait(thread, "factory", input=None, context=context, checkpoint_id=early)
    assert scripts.found == []
    assert (again["verdict"], again["outcome"], again["skill"]) == ("PASS", "admitted", out["skill"])  # by this run
    assert {path.name: path.read_text() for path in workspace.iterdir()} == before
    assert skills(server) == known


def journal(server: DevServer, thread: str) -> list[str]:
    """The lines of a run's journal so far."""
    found = [*server.folder.parent.rglob(f"{thread}/cassette.jsonl")]
    return found[0].read_text().splitlines() if found else []


def kind(request: ChatRequest) -> str:
    """Whose request it is."""
    return re.search(r"You are (?:a|the) (\w+)", request.system)[1]


@pytest.mark.parametrize(
    ("entered", "asked", "why"),
    [
        ({}, {"sandbox": "off"}, "MILLWRIGHT_ALLOW_UNCONFINED=1"),
        ({}, {"base_url": "http://169.254.169.254/latest"}, "'http://169.254.169.254/latest'"),
        ({}, {"domain": "cooking"}, "cooking"),
        ({}, {"tries": 99}, "'tries' cannot be used"),
        ({"task": {"statement": "Add two numbers."}}, {}, "signature"),
        ({"task": "takt time"}, {}, "the task is 'takt time'"),
        ({"prompt": 7}, {}, "the prompt is 7"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_reason_before_a_model_is_asked(
    client: Any, model: OllamaServer, context: dict[str, Any], entered: Any, asked: dict[str, Any], why: str
) -> None:
    thread, chats = (await client.threads.create())["thread_id"], len(model.chats)
    out = await client.runs.wait(thread, "factory", input=entered, context={**context, **asked}, raise_error=False)
    assert out["__error__"]["error"] == "RunStopped"
    assert why in out["__error__"]["message"]
    assert len(model.chats) == chats
