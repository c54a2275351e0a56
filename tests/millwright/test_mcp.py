"""The tools over MCP: the real command as a process, and the protocol's own client, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import shelved
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from millwright.mcp_server import SkillServer
from millwright.shelf import opened
from tools.memory.records import SkillState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MILLWRIGHT = str(Path(sys.executable).with_name("millwright"))
TOKEN = "a-token-that-is-long-enough"
PATIENCE = 30.0
UNRULY = '''
import os


def unruly(how: str) -> str:
    """Do what a tool must not do."""
    if how == "crash":
        os._exit(3)
    if how == "flood":
        print("x" * 100_000_000)
    if how == "nan":
        return float("nan")
    if how == "write":
        with open(os.path.expanduser("~/was_here"), "w") as file:
            file.write("x")
    return "done"
'''


@pytest.fixture
def takt() -> Any:
    return shelved.admit(shelved.takt())


def over_stdio(home: Path, *options: str) -> StdioServerParameters:
    """The server as a client starts it."""
    return StdioServerParameters(
        command=MILLWRIGHT, args=["tools", "serve", *options], env={"MILLWRIGHT_HOME": str(home)}
    )


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over HTTP, which has one tool."""
    home = tmp_path_factory.mktemp("home")
    shelved.library(home).admit(shelved.takt(), key="1")
    environment = {**os.environ, "MILLWRIGHT_HOME": str(home), "MILLWRIGHT_TOKEN": TOKEN}
    command = [MILLWRIGHT, "tools", "serve", "--http", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.terminate()


def here() -> SkillServer:
    """The server in this process, where a client needs no wire."""
    return SkillServer(opened("mcp"))


@contextlib.asynccontextmanager
async def over_http(url: str, mode: str = "auto") -> AsyncIterator[Client]:
    """A client that brings the token."""
    async with (
        create_mcp_http_client({"Authorization": f"Bearer {TOKEN}"}) as web,
        Client(streamable_http_client(url, http_client=web), mode=mode) as client,
    ):
        yield client


async def test_a_client_over_stdio_lists_the_active_tools_and_calls_one(home: Path, takt: Any) -> None:
    async with Client(over_stdio(home), mode="legacy") as client:
        (tool,) = (await client.list_tools()).tools
        answer = await client.call_tool("takt_time", {"available_minutes": 480, "demand": 100})
    assert (tool.name, tool.input_schema["required"]) == ("takt_time", ["available_minutes", "demand"])
    assert tool.output_schema == {
        "type": "object", "properties": {"result": {"type": "number"}}, "required": ["result"],
    }  # fmt: skip
    assert (tool.meta or {})["millwright/skill"] == takt.id
    assert (answer.is_error, answer.structured_content, answer.content[0].text) == (False, {"result": 4.8}, "4.8")
    assert shelved.library().skill(takt.id).uses == 1


@pytest.mark.usefixtures("takt")
async def test_what_a_tool_raises_or_refuses_is_a_result_and_an_unknown_tool_an_error() -> None:
    async with Client(here().protocol) as client:
        raised = await client.call_tool("takt_time", {"available_minutes": 480, "demand": 0})
        refused = await client.call_tool("takt_time", {"available_minutes": "much"})
        with pytest.raises(MCPError, match="there is no tool 'takt'"):
            await client.call_tool("takt", {})
    assert (raised.is_error, raised.content[0].text) == (True, "ValueError: demand must be positive, got 0")
    assert refused.is_error
    assert "'demand' is missing" in refused.content[0].text


async def test_a_tool_that_misbehaves_harms_nobody() -> None:
    shelved.admit(shelved.new_skill(UNRULY))
    async with Client(here().protocol) as client:
        answers = {
            how: await client.call_tool("unruly", {"how": how})
            for how in ("hang", "crash", "flood", "nan", "write")
        }
        assert (await client.call_tool("unruly", {"how": "behave"})).structured_content == {"result": "done"}
    assert {how for how, answer in answers.items() if answer.is_error} >= {"crash", "nan"}
    assert all(len(answer.content[0].text) < 10_000 for answer in answers.values())
    assert not Path("~/was_here").expanduser().exists()
    outcomes = shelved.library().database.read("SELECT outcome, count(*) FROM uses GROUP BY outcome")
    assert dict(map(tuple, outcomes))["stopped"] >= 1


@pytest.mark.usefixtures("takt")
async def test_an_admitted_and_a_suspended_tool_are_seen_without_a_restart(home: Path) -> None:
    async with Client(over_stdio(home)) as client, client.listen(tools_list_changed=True) as changes:
        names = [tool.name for tool in (await client.list_tools()).tools]
        second = shelved.admit(shelved.new_skill(shelved.LINES, shelved.LINES_TESTS, requires=("takt_time-1",)))
        async with asyncio.timeout(PATIENCE):
            await anext(aiter(changes))
        more = [tool.name for tool in (await client.list_tools()).tools]
        answer = await client.call_tool("stations", {"available_minutes": 480, "demand": 100, "work_minutes": 9.6})
        shelved.library().change_state(second.id, SkillState.SUSPENDED, "it regressed", key="1")
        fewer = [tool.name for tool in (await client.list_tools()).tools]
        with pytest.raises(MCPError):
            await client.call_tool("stations", {"available_minutes": 480, "demand": 100, "work_minutes": 9.6})
    assert (names, more, fewer) == (["takt_time"], ["stations", "takt_time"], ["takt_time"])
    assert answer.structured_content == {"result": 2.0}


async def test_many_tools_come_in_pages() -> None:
    library = shelved.library()
    for number in range(205):
        code = shelved.TAKT.replace("takt_time", f"tool_{number:03}")
        library.admit(shelved.new_skill(code), key=str(number))
    async with Client(here().protocol) as client:
        pages, cursor = [], None
        while not pages or cursor:
            page = await client.list_tools(cursor=cursor)
            pages.append([tool.name for tool in page.tools])
            cursor = page.next_cursor
    assert [len(page) for page in pages] == [100, 100, 5]
    assert [name for page in pages for name in page] == [f"tool_{number:03}" for number in range(205)]


@pytest.mark.usefixtures("takt")
def test_standard_output_carries_the_protocol_alone_and_the_end_of_input_ends_the_server(home: Path) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    ended = subprocess.run(
        [MILLWRIGHT, "tools", "serve"],
        input=json.dumps(hello) + "\nnot a message\n", capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "MILLWRIGHT_HOME": str(home)},
    )  # fmt: skip
    messages = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0, ended.stderr
    assert messages[0]["result"]["serverInfo"]["name"] == "millwright"
    assert messages[0]["result"]["capabilities"]["tools"] == {"listChanged": True}
    assert all(message["jsonrpc"] == "2.0" for message in messages)


async def test_over_http_a_client_with_the_token_lists_and_calls(http: str) -> None:
    for mode in ("auto", "legacy"):
        async with over_http(http, mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["takt_time"]
            answers = await asyncio.gather(
                *(client.call_tool("takt_time", {"available_minutes": 480, "demand": n}) for n in range(8))
            )
        assert [answer.is_error for answer in answers] == [True] + [False] * 7
        assert answers[5].structured_content == {"result": 96.0}


ATTACKS = {
    "no token": ({"authorization": ""}, 401),
    "another token": ({"authorization": "Bearer something-else-entirely"}, 401),
    "rebound host": ({"host": "evil.example"}, 421),
    "foreign page": ({"origin": "https://evil.example"}, 403),
    "form": ({"content-type": "text/plain"}, 400),
}


@pytest.mark.parametrize(("headers", "status"), ATTACKS.values(), ids=ATTACKS)
def test_over_http_nobody_else_is_let_in(http: str, headers: dict[str, str], status: int) -> None:
    usual = {
        "authorization": f"Bearer {TOKEN}", "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }  # fmt: skip
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    assert httpx.post(http, content=json.dumps(call), headers={**usual, **headers}).status_code == status


HANGING = '''
def hanging() -> int:
    """Never end."""
    while True:
        pass
'''


async def test_when_the_client_goes_away_the_server_and_what_it_runs_end(home: Path) -> None:
    shelved.admit(shelved.new_skill(HANGING))
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "hanging", "arguments": {}}},
    ]
    command = [MILLWRIGHT, "tools", "serve"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "MILLWRIGHT_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(*command, **pipes, env=environment)
    assert process.stdin is not None
    try:
        process.stdin.write("".join(json.dumps(message) + "\n" for message in messages).encode())
        async with asyncio.timeout(PATIENCE):
            while not (started := _below(process.pid)):
                await asyncio.sleep(0.05)
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    assert shelved.library().skill("hanging").uses == 0


def _below(pid: int) -> list[str]:
    """The processes that a process, in any of its threads, has started."""
    return [child for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
