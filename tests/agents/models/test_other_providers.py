"""OpenAI's and Anthropic's own libraries, against local servers that speak their protocols: safe as Ollama's is."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from servers.anthropic import AnthropicServer, Said
from servers.ollama import OllamaProcess, OllamaServer, Reply

from agents.models.budget import Budget
from agents.models.caller import Caller, Patience
from agents.models.journal import Journal
from agents.models.providers import open_model
from tools.errors import ModelFault, ModelUnavailable
from tools.runs.lineage import Position
from tools.runs.run import create_run

if TYPE_CHECKING:
    from agents.models.caller import Ask

pytest.importorskip("langchain_openai")
pytest.importorskip("langchain_anthropic")

PLACE = Position(0, 0)
ASKED = [HumanMessage("Write it.")]
ENDLESS = "I will write the file now. " * 4000


@tool
def write_file(path: str, content: str) -> str:
    """Write a file."""
    return path + content


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "none")


async def asking(name: str, url: str, seconds: float = 60.0) -> tuple[Ask, Budget]:
    model = await open_model(name, base_url=url, options={"max_retries": 0})
    run = create_run(f"called-{id(model)}", goal="x")
    budget = Budget()
    journal = Journal(run.root / "cassette.jsonl", run.lineage)
    caller = Caller(model, name, journal, budget, run.events, 4, Patience(seconds, 0.0))
    return caller.at(PLACE), budget


async def openai(server: OllamaServer, seconds: float = 60.0) -> tuple[Ask, Budget]:
    return await asking("openai:qwen2.5-coder:7b", f"{server.url}/v1", seconds)


def body(message: str, kind: str | None = None, code: str | None = None) -> list[str]:
    return [json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})]


OPENAI = [
    (Reply(status=401, lines=body("bad key", "invalid_request_error", "invalid_api_key")), "auth"),
    (Reply(status=403, lines=body("not here", "request_forbidden")), "auth"),
    (Reply(status=404, lines=body("no such model", "invalid_request_error", "model_not_found")), "model_missing"),
    (Reply(status=408, lines=body("slow")), "timeout"),
    (Reply(status=409, lines=body("conflict")), "transient"),
    (Reply(status=413, lines=["<html>413 Request Entity Too Large</html>"]), "context_overflow"),
    (Reply(status=429, lines=body("slow down", "tokens", "rate_limit_exceeded")), "rate_limit"),
    (Reply(status=429, lines=body("no money", "insufficient_quota", "insufficient_quota")), "quota"),
    (Reply(status=500, lines=body("oops", "server_error")), "internal"),
    (Reply(status=503, lines=["no healthy upstream"]), "overloaded"),
    (Reply(status=400, lines=body("This model's maximum context length is 8 tokens", code="context_length_exceeded")),
     "context_overflow"),
    (Reply(status=400, lines=body("the request exceeds the available context size, try increasing it")),
     "context_overflow"),
    (Reply(status=400, lines=body("filtered", None, "content_filter")), "refused"),
    (Reply(status=400, lines=body("Unknown parameter", "invalid_request_error")), "config"),
    (Reply("half", error="overloaded"), "overloaded"),
    (Reply("half a reply", cut_connection_after=2), "unreachable"),
    (Reply("", cut_connection_after=0), "unreachable"),
    (Reply(lines=["{]", "garbage"]), "transient"),
    (Reply(lines=['{"a": 1}']), "transient"),
    (Reply("", eval_count=1), "empty"),
    (Reply("", eval_count=300), "discarded"),
    (Reply("half", done_reason="length"), "cut"),
    (Reply("no", done_reason="content_filter"), "refused"),
    (Reply(ENDLESS, chunks=900), "repetition"),
]  # fmt: skip
ANTHROPIC = [
    (Said(status=401, kind="authentication_error"), "auth"),
    (Said(status=403, kind="permission_error"), "auth"),
    (Said(status=404, kind="not_found_error"), "model_missing"),
    (Said(status=408, kind="timeout_error"), "timeout"),
    (Said(status=409, kind="conflict_error"), "transient"),
    (Said(status=413, kind="request_too_large"), "context_overflow"),
    (Said(status=429, kind="rate_limit_error"), "rate_limit"),
    (Said(status=500, kind="api_error"), "internal"),
    (Said(status=503, raw=b"no healthy upstream"), "overloaded"),
    (Said(status=529, kind="overloaded_error"), "overloaded"),
    (Said(status=400, kind="invalid_request_error", message="prompt is too long: 9 > 8"), "context_overflow"),
    (Said(status=400, kind="invalid_request_error", message="Your credit balance is too low"), "quota"),
    (Said(status=400, kind="invalid_request_error"), "config"),
    (Said("half", error="overloaded_error"), "overloaded"),
    (Said("half a reply", breaks=True), "transient"),
    (Said(raw=b"{]"), "transient"),
    (Said(""), "discarded"),
    (Said("", tokens=1), "empty"),
    (Said("half", stop="max_tokens"), "cut"),
    (Said("no", stop="refusal"), "refused"),
    (Said("half", stop="model_context_window_exceeded"), "cut"),
    (Said(ENDLESS, pieces=900), "repetition"),
]


@pytest.mark.parametrize(("reply", "kind"), OPENAI, ids=lambda value: value if isinstance(value, str) else "")
async def test_every_failure_of_openais_library_has_its_kind(reply: Reply, kind: str) -> None:
    with OllamaServer(lambda _: reply) as server:
        ask, _ = await openai(server)
        with pytest.raises((ModelFault, ModelUnavailable)) as caught:
            await ask("s", 0, ASKED)
    assert caught.value.kind == kind


@pytest.mark.parametrize(("said", "kind"), ANTHROPIC, ids=lambda value: value if isinstance(value, str) else "")
async def test_every_failure_of_anthropics_library_has_its_kind(said: Said, kind: str) -> None:
    with AnthropicServer(said) as server:
        ask, _ = await asking("anthropic:claude", server.url)
        with pytest.raises((ModelFault, ModelUnavailable)) as caught:
            await ask("s", 0, ASKED)
    assert caught.value.kind == kind


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("name", ["openai:qwen2.5-coder:7b", "anthropic:claude"])
async def test_a_server_that_is_away_is_waited_for(name: str, closed_port: int) -> None:
    ask, _ = await asking(name, f"http://127.0.0.1:{closed_port}")
    with pytest.raises(ModelUnavailable) as caught:
        await ask("s", 0, ASKED)
    assert (caught.value.kind, caught.value.retryable) == ("unreachable", True)


async def test_endless_repetition_is_given_up_while_it_streams() -> None:
    with AnthropicServer(Said(ENDLESS, pieces=3000)) as server:
        ask, _ = await asking("anthropic:claude", server.url)
        with pytest.raises(ModelFault, match="again and again") as caught:
            await ask("s", 0, ASKED)
        assert len(str(getattr(caught.value.reply, "text", ""))) < len(ENDLESS) / 4
    assert server.events < 3000


async def test_a_call_ends_at_its_limit_of_time() -> None:
    with OllamaServer(lambda _: Reply("word " * 400, chunks=400, pause=0.2)) as server:
        ask, _ = await openai(server, seconds=0.6)
        with pytest.raises(ModelFault) as caught:
            await ask("s", 0, ASKED)
    assert caught.value.kind == "time_limit"
    assert caught.value.seconds >= 0.5


@pytest.mark.parametrize("name", ["openai:qwen2.5-coder:7b", "anthropic:claude"])
async def test_a_server_that_hangs_is_no_fault_of_the_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.models.providers.ANSWER_SECONDS", 0.5)
    with OllamaProcess("faults.servers_at_fault:hangs") as away:
        os.kill(away.process.pid, signal.SIGSTOP)
        ask, _ = await asking(name, away.url, seconds=0.5)
        with pytest.raises(ModelUnavailable) as caught:
            await ask("s", 0, ASKED)
    assert caught.value.kind == "timeout"


async def test_the_temperature_of_a_retry_is_sent() -> None:
    with OllamaServer(lambda _: Reply("yes")) as server, AnthropicServer(Said("yes")) as other:
        for ask in ((await openai(server))[0], (await asking("anthropic:claude", other.url))[0]):
            await ask("s", 0, ASKED, temperature=0.8)
        assert server.chats[0].body["temperature"] == 0.8
        assert other.bodies[0]["temperature"] == 0.8


async def test_a_model_that_takes_no_temperature_is_asked_without_one() -> None:
    told = "Unsupported value: 'temperature' does not support 0.8 with this model."
    with OllamaServer(
        lambda r: Reply(status=400, lines=body(told)) if "temperature" in r.body else Reply("yes")
    ) as server:
        ask, _ = await openai(server)
        for turn in range(2):
            assert (await ask("s", turn, ASKED, temperature=0.8)).text == "yes"
        assert ["temperature" in chat.body for chat in server.chats] == [True, False, False]


async def test_arguments_that_are_cut_or_broken_are_never_mended_into_a_call() -> None:
    broken = '{"path": "a.py", "content": "import os\\n'
    calls: list[Any] = [{"name": "write_file", "arguments": broken}]
    with (
        OllamaServer(lambda _: Reply(tool_calls=calls)) as server,
        AnthropicServer(Said(calls=[("write_file", broken)], stop="tool_use")) as other,
    ):
        for ask in ((await openai(server))[0], (await asking("anthropic:claude", other.url))[0]):
            message = await ask("s", 0, ASKED, tools=[write_file])
            assert message.tool_calls == []
            assert [call["args"] for call in message.invalid_tool_calls] == [broken]


async def test_whole_calls_text_and_counts_come_through() -> None:
    arguments = {"path": "a.json", "content": '{"a": [1, 2]}\n'}
    said = Said("Here.", calls=[("write_file", arguments)], stop="tool_use")
    reply = Reply("Here.", tool_calls=[{"name": "write_file", "arguments": arguments}])
    with OllamaServer(lambda _: reply) as server, AnthropicServer(said) as other:
        for ask, budget in (await openai(server), await asking("anthropic:claude", other.url)):
            message = await ask("s", 0, ASKED, tools=[write_file])
            assert message.text == "Here."
            assert [(call["name"], call["args"]) for call in message.tool_calls] == [("write_file", arguments)]
            assert budget.tokens > 10
