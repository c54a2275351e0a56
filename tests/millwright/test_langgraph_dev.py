"""The real `langgraph dev`, driven by the real client: build, ask, go back, copy, survive kill -9, and let nobody in."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from crew import Crew, assignment, writing
from langgraph_sdk import get_client
from langgraph_sdk.errors import NotFoundError
from mcp import Client as MCPClient
from servers.dev import REPOSITORY, DevServer, raise_if_late
from servers.ollama import ChatRequest, OllamaServer, Reply

from millwright import served
from millwright.auth import HOSTS, Door, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

STUDIO = "https://smith.langchain.com"
ONE = "N = 1\n"


class Scripts:
    """A crew for two files, whose second developer is watched, and held back on demand."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.workspace: Path | None = None
        self.found: dict[str, str] = {}
        self.holding = threading.Event()
        self.reached = threading.Event()
        self.crew = Crew(
            [assignment("A1", "one.py"), assignment("A2", "two.py", after=["A1"])],
            {"A1": writing({"one.py": ONE}), "A2": self.second},
        )

    def __call__(self, request: ChatRequest) -> Reply:
        return self.crew(request)

    def second(self, request: ChatRequest, turn: int) -> Reply:
        """Write `two.py`, another one each time that it is begun."""
        if turn == 0:
            self.asked["A2"] = self.asked.get("A2", 0) + 1
            self.found = files(self.workspace) if self.workspace else {}
            self.reached.set()
            if self.holding.is_set():
                raise_if_late(lambda: not self.holding.is_set(), "nobody let the developer go on")
        return writing({"two.py": f"M = {self.asked['A2']}\n"})[turn]


def files(root: Path) -> dict[str, str]:
    """Every file under a directory with its text."""
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


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
    dev = DevServer(tmp_path_factory.mktemp("studio"))
    dev.start()
    yield dev
    dev.kill()


@pytest.fixture
async def client(server: DevServer) -> AsyncIterator[Any]:
    async with get_client(url=server.url) as client:
        yield client


@pytest.fixture
def context(model: OllamaServer) -> dict[str, Any]:
    return {"base_url": model.url}


GOAL = {"goal": "Write two numbers."}


async def test_the_assistant_says_what_goes_in_what_comes_out_and_what_may_be_set(client: Any) -> None:
    (assistant,) = await client.assistants.search(graph_id="build")
    assert (assistant["graph_id"], assistant["description"][:25]) == ("build", "From a goal to verified s")
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    for part in ("input_schema", "output_schema", "context_schema"):
        described = {name: p.get("description") for name, p in schemas[part]["properties"].items()}
        assert described, part
        assert all(described.values()), described
    assert schemas["input_schema"]["required"] == ["goal"]
    settings = schemas["context_schema"]["properties"]
    assert {"plan", "delivery"} <= set(settings["approve"]["items"]["enum"])
    assert (settings["max_rounds"]["minimum"], settings["max_rounds"]["maximum"]) == (0, 20)
    drawn = await client.assistants.get_graph(assistant["assistant_id"])
    assert {"plan", "develop", "verify"} <= {node["id"] for node in drawn["nodes"]}


async def test_a_build_streams_its_events_and_its_files_do_not_restart_the_server(
    client: Any, server: DevServer, context: dict[str, Any]
) -> None:
    starts = server.said("Application started up")
    thread = (await client.threads.create())["thread_id"]
    stream = client.runs.stream(thread, "build", input=GOAL, context=context, stream_mode=["custom", "values"])
    parts = [part async for part in stream]
    told = [part.data["event"] for part in parts if part.event == "custom"]
    assert told[0] == "RUN_STARTED"
    assert {"PLAN", "MODEL_CALL", "FILE_OPERATION", "TOOL_CALL", "REVIEW", "VERDICT"} <= set(told)
    last = [part.data for part in parts if part.event == "values"][-1]
    assert (last["verdict"], last["run"]) == ("PASS", thread)
    assert files(Path(last["workspace"])).keys() == {"one.py", "two.py"}
    assert server.said("Application started up") == starts
    assert server.said("BlockingError") == 0
    listed = subprocess.run(
        [Path(sys.executable).with_name("millwright"), "runs", "list"],
        cwd=server.folder, env=server.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert thread[:8] in listed.stdout


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"sandbox": "off"}, "MILLWRIGHT_ALLOW_UNCONFINED=1"),
        ({"base_url": "http://169.254.169.254/latest"}, "'http://169.254.169.254/latest'"),
    ],
)
@pytest.mark.parametrize("stream_mode", ["values", "events"])
async def test_what_only_the_owner_may_allow_is_refused_however_it_is_asked(
    client: Any, model: OllamaServer, context: dict[str, Any], asked: dict[str, str], why: str, stream_mode: str
) -> None:
    thread, chats = (await client.threads.create())["thread_id"], len(model.chats)
    await refused(client, thread, "build", {**context, **asked}, why, stream_mode)
    # Settings that an assistant was given earlier are settings of a request, too.
    assistant = await client.assistants.create("build", context={**context, **asked})
    await refused(client, thread, assistant["assistant_id"], None, why, stream_mode)
    await client.assistants.delete(assistant["assistant_id"])
    configured = await client.assistants.create("build", config={"configurable": {**context, **asked}})
    await refused(client, thread, configured["assistant_id"], None, why, stream_mode)
    await client.assistants.delete(configured["assistant_id"])
    assert len(model.chats) == chats


async def refused(client: Any, thread: str, assistant: str, context: Any, why: str, mode: str) -> None:
    """Assert that a run ends with one error that gives the reason, before any step of it."""
    stream = client.runs.stream(thread, assistant, input=GOAL, context=context, stream_mode=mode)
    (error,) = [part.data async for part in stream if part.event == "error"]
    assert (error["error"], why in error["message"]) == ("RunStopped", True), error
    assert (await client.threads.get_state(thread))["values"] in ({}, None)


async def test_a_plan_waits_for_approval(client: Any, context: dict[str, Any]) -> None:
    thread = (await client.threads.create())["thread_id"]
    asking = {**context, "approve": ["plan"]}
    out = await client.runs.wait(thread, "build", input=GOAL, context=asking)
    (question,) = out["__interrupt__"]
    assert question["value"]["question"] == "Approve this plan?"
    assert [a["paths"] for a in question["value"]["assignments"]] == [["one.py"], ["two.py"]]
    assert (await client.threads.get(thread))["status"] == "interrupted"
    out = await client.runs.wait(thread, "build", command={"resume": {"approve": True}}, context=asking)
    assert out["verdict"] == "PASS"


async def test_a_fork_from_an_old_checkpoint_takes_the_files_back(
    client: Any, scripts: Scripts, context: dict[str, Any]
) -> None:
    thread = (await client.threads.create())["thread_id"]
    out = await client.runs.wait(thread, "build", input=GOAL, context=context)
    scripts.workspace = Path(out["workspace"])
    before, asked = files(scripts.workspace), scripts.asked["A2"]
    history = await client.threads.get_history(thread, limit=100)
    assert len({state["values"].get("position") for state in history}) > 5
    old = next(s for s in reversed(history) if s["next"] == ["develop"] and s["values"]["ready"] == ["A2#0"])
    again = await client.runs.wait(
        thread, "build", input=None, context=context, checkpoint_id=old["checkpoint"]["checkpoint_id"]
    )
    assert scripts.found == {"one.py": ONE}
    assert again["verdict"] == "PASS"
    assert files(scripts.workspace) == {**before, "two.py": f"M = {asked + 1}\n"}


async def test_a_copied_thread_goes_on_by_itself_and_the_original_stays_where_it_was(
    client: Any, context: dict[str, Any]
) -> None:
    thread = (await client.threads.create())["thread_id"]
    asking = {**context, "approve": ["plan"]}
    await client.runs.wait(thread, "build", input=GOAL, context=asking)
    await client.threads.copy(thread)
    copies = await client.threads.search(limit=100, sort_by="created_at", sort_order="desc")
    copy = copies[0]["thread_id"]
    assert copy != thread
    out = await client.runs.wait(copy, "build", command={"resume": {"approve": True}}, context=asking)
    assert (out["verdict"], out["run"]) == ("PASS", copy)
    assert Path(out["workspace"]).parent.name == copy
    original = await client.threads.get_state(thread)
    assert (original["next"], original["values"]["run"]) == (["approve_plan"], thread)


async def test_its_mcp_endpoint_offers_the_graphs_with_what_goes_in_and_says_when_it_went_wrong(
    server: DevServer,
) -> None:
    async with MCPClient(f"{server.url}/mcp", mode="legacy") as outside:
        tools = {tool.name: tool for tool in (await outside.list_tools()).tools}
        answer = await outside.call_tool("build", {"goal": "!!"})
    assert {"build", "factory"} <= tools.keys()
    assert tools["build"].description.startswith("From a goal to verified software")
    assert tools["build"].input_schema["required"] == ["goal"]
    assert answer.is_error


ATTACKS = {
    "rebound host": {"host": "evil.example", "content-type": "application/json"},
    "host that begins like ours": {"host": "localhost.evil.example", "content-type": "application/json"},
    "foreign page": {"origin": "https://evil.example", "content-type": "application/json"},
    "foreign page as Studio": {
        "origin": "https://evil.example", "content-type": "application/json", "x-auth-scheme": "langsmith",
    },
    "simple request": {"origin": "https://evil.example", "content-type": "text/plain"},
    "file or sandboxed frame": {"origin": "null", "content-type": "application/json"},
    "form": {"content-type": "application/x-www-form-urlencoded"},
    "text without origin": {"content-type": "text/plain"},
    "page without origin": {"sec-fetch-site": "cross-site", "content-type": "application/json"},
}  # fmt: skip


@pytest.mark.parametrize("headers", ATTACKS.values(), ids=ATTACKS)
async def test_a_foreign_page_gets_403_and_runs_nothing(
    server: DevServer, model: OllamaServer, client: Any, headers: dict[str, str]
) -> None:
    thread = (await client.threads.create())["thread_id"]
    chats, threads = len(model.chats), await client.threads.count()
    run = json.dumps({"assistant_id": "build", "input": GOAL, "context": {"base_url": model.url}})
    paths = ["/mcp", "/runs/wait", "/runs/stream", f"/threads/{thread}/runs/wait", "/internal/truncate", "/deploy"]
    with httpx.Client(base_url=server.url, headers=headers) as web:
        assert [web.post(path, content=run).status_code for path in paths] == [403] * len(paths)
    assert (len(model.chats), await client.threads.count()) == (chats, threads)
    assert await client.runs.list(thread) == []


async def test_studio_is_let_in(server: DevServer) -> None:
    with httpx.Client(base_url=server.url, headers={"origin": STUDIO}) as studio:
        wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        asked = studio.options("/runs/stream", headers=wanted)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, STUDIO)
        found = studio.post("/assistants/search", json={})
        assert (found.status_code, found.headers["access-control-allow-origin"]) == (200, STUDIO)
        assert studio.get("/info").status_code == 200


async def test_a_killed_server_comes_back_with_its_threads_and_goes_on(
    client: Any, server: DevServer, scripts: Scripts, model: OllamaServer, context: dict[str, Any]
) -> None:
    scripts.reached.clear()
    scripts.holding.set()
    thread = (await client.threads.create())["thread_id"]
    run = (await client.runs.create(thread, "build", input=GOAL, context=context))["run_id"]
    await asyncio.to_thread(raise_if_late, scripts.reached.is_set, "the second developer was not asked")
    await asyncio.to_thread(server.saves)
    chats = len(model.chats)

    server.kill()
    scripts.holding.clear()
    await asyncio.to_thread(server.start, "--no-reload")

    assert (await client.runs.join(thread, run))["verdict"] == "PASS"
    again = [chat.messages[1]["content"] for chat in model.chats[chats:]]
    assert not [text for text in again if "Your assignment A1" in text]


async def test_a_server_killed_before_it_saved_its_catalogue_has_lost_no_checkpoint(
    client: Any, server: DevServer, context: dict[str, Any]
) -> None:
    asking = {**context, "approve": ["plan"]}
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "build", input=GOAL, context=asking)
    server.kill()
    shutil.rmtree(server.folder / ".langgraph_api")
    shutil.copy(REPOSITORY / ".env.example", server.folder / ".env")
    await asyncio.to_thread(server.start, "--no-reload")
    with pytest.raises(NotFoundError):
        await client.threads.get(thread)
    await client.threads.create(thread_id=thread, graph_id="build")
    assert (await client.threads.get_state(thread))["next"] == ["approve_plan"]
    out = await client.runs.wait(thread, "build", command={"resume": {"approve": True}}, context=asking)
    assert (out["verdict"], out["run"]) == ("PASS", thread)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:11434", "127.0.0.1:11434", "localhost", "http://localhost:8000/v1", "http://[::1]:1/",
        "https://127.3.2.1", "http://models.example.org:11434", "http://models.example.org:11434/",
    ],
)  # fmt: skip
def test_a_request_may_name_a_model_server_of_this_machine_or_the_servers_own(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "models.example.org")
    assert served.refusal({"base_url": address}) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example.org", "http://10.0.0.1:11434", "http://localhost.example.org", "http://[::2]", "",
        "http://127.0.0.1@example.org", "http://example.org\\@127.0.0.1", "http://127.0.0.1:80@example.org/",
        "http://127.0.0.1#@example.org", "file:///etc/passwd", "http://127.0.0.1\n.example.org", "http://[",
        "http://127.0.0.1.example.org", "http://0.0.0.0", "http://2130706433", "http://127.0.0.1/?x=http://y",
    ],
)  # fmt: skip
def test_a_request_may_name_no_other(address: str) -> None:
    assert "neither on this machine nor" in str(served.refusal({"base_url": address}))


def test_only_the_owner_of_the_server_lets_requests_turn_the_sandbox_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served.refusal({"sandbox": "require"}) is None
    assert "with all rights of this server" in str(served.refusal({"sandbox": "off"}))
    monkeypatch.setenv(served.ALLOW_UNCONFINED, "1")
    assert served.refusal({"sandbox": "off"}) is None


async def test_a_client_is_told_why_its_run_stops(client: Any) -> None:
    thread = (await client.threads.create())["thread_id"]
    gone = {"base_url": "http://127.0.0.1:9", "outage_seconds": 0}
    out = await client.runs.wait(thread, "build", input=GOAL, context=gone, raise_error=False)
    assert out["__error__"]["error"] == "RunStopped"
    assert "no Ollama server answers at" in out["__error__"]["message"]


def test_every_graph_of_the_server_is_served_so() -> None:
    for graph in json.loads((REPOSITORY / "langgraph.json").read_text())["graphs"].values():
        module, _, name = graph["path"].partition(":")
        assert isinstance(getattr(importlib.import_module(module), name), served.Served), graph["path"]


def request(method: str = "POST", *headers: tuple[str, str], kind: str = "http") -> dict[str, Any]:
    """The ASGI scope of a request."""
    return {"type": kind, "method": method, "headers": [(n.encode(), v.encode()) for n, v in headers]}


HERE = ("host", "localhost:2024")
BODY = ("content-length", "2")
JSON = ("content-type", "application/json; charset=utf-8")


@pytest.mark.parametrize(
    "headers",
    [
        [HERE, BODY, JSON],
        [("host", "127.0.0.1:2024"), BODY, JSON],
        [("host", "[::1]:2024"), BODY, JSON],
        [("host", "LocalHost"), BODY, JSON],
        [("host", "studio.example.org"), BODY, JSON],
        [HERE, ("origin", "http://localhost:2024"), BODY, JSON],
        [HERE, ("origin", STUDIO), ("sec-fetch-site", "cross-site"), BODY, JSON],
        [HERE, ("content-length", "0")],
        [HERE],
    ],
)
def test_who_may_come_in(monkeypatch: pytest.MonkeyPatch, headers: list[tuple[str, str]]) -> None:
    monkeypatch.setenv(HOSTS, "other.example.org, Studio.example.org")
    monkeypatch.setenv("LANGGRAPH_HTTP", json.dumps({"cors": {"allow_origins": [STUDIO]}}))
    assert refusal(request("POST", *headers)) is None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([BODY, JSON], "the host '' is not this machine"),
        ([("host", "evil.example"), BODY, JSON], "MILLWRIGHT_HOSTS"),
        ([HERE, ("host", "evil.example"), BODY, JSON], "is not this machine"),
        ([("host", "localhost@evil.example"), BODY, JSON], "is not this machine"),
        ([("host", "localhost."), BODY, JSON], "is not this machine"),
        ([("host", "2130706433"), BODY, JSON], "is not this machine"),
        ([HERE, ("origin", "http://localhost:3000"), BODY, JSON], "'http://localhost:3000' is not listed"),
        ([HERE, ("origin", STUDIO + ".evil.example"), BODY, JSON], "is not listed"),
        ([HERE, ("origin", STUDIO), ("origin", "null"), BODY, JSON], "'null' is not listed"),
        ([HERE, BODY], "of type ''"),
        ([HERE, BODY, ("content-type", "text/plain; application/json")], "of type 'text/plain'"),
        ([HERE, ("transfer-encoding", "chunked"), ("content-type", "text/plain")], "of type 'text/plain'"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_who_may_not(monkeypatch: pytest.MonkeyPatch, headers: list[tuple[str, str]], why: str, kind: str) -> None:
    monkeypatch.setenv("LANGGRAPH_HTTP", json.dumps({"cors": {"allow_origins": [STUDIO]}}))
    assert why in str(refusal(request("POST", *headers, kind=kind)))


async def test_a_websocket_of_a_foreign_page_is_closed_before_it_opens() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def within(*_: Any) -> None:
        raise AssertionError("the door was open")

    headers = [HERE, ("origin", "https://evil.example")]
    scope = {**request("GET", *headers, kind="websocket"), "path": "/threads/t/stream"}
    await Door(within)(scope, within, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
