"""Every way in which a call to Ollama ends badly has a kind, by every way of calling."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from langchain_core.messages import AIMessage
from servers.ollama import Model, OllamaServer, Reply, call

from agents.models.ollama import OllamaChat
from tools.errors import ModelFault, ModelUnavailable

NAME = "qwen2.5-coder:7b"
BUSY = "server busy, please try again.  maximum pending requests exceeded"
XML = "XML syntax error on line 7: element <parameter> closed by </function>"
PARSING = 'error parsing tool call: raw=\'{"content": "does not support tools"\', err=unexpected end of JSON input'
MEMORY = "model requires more system memory (12.3 GiB) than is available (7.1 GiB)"
CRASH = "model runner has unexpectedly stopped, this may be due to resource limitations"

FAULTS = [
    (Reply(status=500, error=PARSING), "format_fault"),
    (Reply("I write", error=XML), "format_fault"),
    (Reply(error="invalid character ']' after object key:value pair"), "format_fault"),
    (Reply("def f(", done_reason="length"), "cut"),
    (Reply(tool_calls=[call("write", content="def f(")], done_reason="length"), "cut"),
    (Reply("", eval_count=1), "empty"),
    (Reply(" \n", eval_count=1), "empty"),
    (Reply("", eval_count=300), "discarded"),
    (Reply("", thinking="hm"), "reasoning_only"),
    (Reply("<think>and so on"), "reasoning_only"),
]
OUTAGES = [
    (Reply(lines=['{"message": {"content": NaN}, "done": true}']), "transient", True),
    (Reply(status=503, error=BUSY), "overloaded", True),
    (Reply(status=500, error=MEMORY), "resources", False),
    (Reply("half", error=CRASH), "transient", True),
    (Reply("half of it", cut_connection_after=1), "transient", True),
    (Reply("half of it", cut_connection_after=0), "transient", True),
    (Reply(lines=['{"message": {"content": "a"}, "done": false}']), "transient", True),
    (Reply(lines=['{"message": {"content": "a']), "transient", True),
    (Reply(lines=["[]"]), "config", False),
    (Reply("", done_reason="load"), "load", True),
    (Reply(status=401, error="unauthorized"), "auth", False),
    (Reply(status=400, error="invalid character 'x' looking for beginning of value"), "config", False),
]


async def _astream(model):
    async for _ in model.astream("go"):
        pass


WAYS = {
    "invoke": lambda model: model.invoke("go"),
    "stream": lambda model: list(model.stream("go")),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("go")),
    "astream": lambda model: asyncio.run(_astream(model)),
    "whole": lambda model: model.bind(stream=False).invoke("go"),
}


def _ends(reply, way, error, **options):
    with OllamaServer(lambda _: reply) as server, pytest.raises(error) as caught:
        WAYS[way](OllamaChat(model=NAME, base_url=server.url, **options))
    return caught.value


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
@pytest.mark.parametrize(("reply", "kind"), FAULTS)
def test_what_the_model_did_wrong_is_a_fault_of_the_model(reply, kind, way):
    assert _ends(reply, way, ModelFault).kind == kind


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
@pytest.mark.parametrize(("reply", "kind", "retryable"), OUTAGES)
def test_what_the_server_did_wrong_makes_the_model_unavailable(reply, kind, retryable, way):
    error = _ends(reply, way, ModelUnavailable)
    assert (error.kind, error.retryable) == (kind, retryable)


@pytest.mark.parametrize("depth", [100, *range(800, 1000, 20), 100_000])
def test_arguments_nested_without_end_are_a_call_or_a_fault(depth):
    arguments = '{"a":' * depth + "1" + "}" * depth
    wire = '{"function": {"name": "f", "arguments": ' + arguments + "}}"
    line = '{"message": {"content": "", "tool_calls": [' + wire + ']}, "done": true, "done_reason": "stop"}'
    with OllamaServer([Reply(lines=[line])]) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        try:
            message = model.invoke("go")
            ending = len(message.tool_calls) + len(message.invalid_tool_calls)
        except ModelFault as fault:
            ending = fault.kind
    assert ending in (1, "format_fault")


def test_an_answer_that_is_not_streamed_fails_in_the_same_kinds():
    assert _ends(FAULTS[0][0], "whole", ModelFault).kind == "format_fault"
    assert _ends(FAULTS[3][0], "whole", ModelFault).kind == "cut"
    assert _ends(OUTAGES[3][0], "whole", ModelUnavailable).kind == "transient"


def test_the_reply_and_its_cost_come_with_the_fault():
    fault = _ends(Reply("def f(", done_reason="length", eval_count=99), "ainvoke", ModelFault)
    assert isinstance(fault.reply, AIMessage)
    assert fault.reply.content == "def f("
    assert fault.reply.usage_metadata["output_tokens"] == 99
    assert "num_predict" in str(fault)


def test_a_prompt_that_cannot_fit_is_refused_and_not_cut():
    with OllamaServer([Reply("fine")], [Model(NAME, context_length=2048)]) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        with pytest.raises(ModelFault) as caught:
            model.invoke("word " * 4000)
        assert caught.value.kind == "context_overflow"


def test_a_model_without_tools_is_a_fault_that_names_the_way_out():
    with OllamaServer([Reply("fine")], [Model(NAME, capabilities=["completion"])]) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        with pytest.raises(ModelFault, match="textual") as caught:
            model.bind(tools=[{"type": "function", "function": {"name": "f"}}]).invoke("go")
        assert caught.value.kind == "no_tools"


def test_a_model_that_is_gone_and_a_server_that_is_gone():
    with OllamaServer(models=[]) as server, pytest.raises(ModelUnavailable) as caught:
        OllamaChat(model=NAME, base_url=server.url).invoke("go")
    assert (caught.value.kind, caught.value.retryable) == ("model_missing", False)
    for way in ("invoke", "ainvoke"):
        with pytest.raises(ModelUnavailable) as caught:
            WAYS[way](OllamaChat(model=NAME, base_url=server.url))
        assert (caught.value.kind, caught.value.retryable) == ("unreachable", True)


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
def test_a_call_ends_at_its_limit_whether_the_server_is_silent_or_endless(way):
    silent = _ends(Reply("late", delay=30), way, ModelUnavailable, seconds=0.3)
    assert silent.kind == "timeout"
    endless = _ends(Reply("a" * 1000, chunks=1000, pause=0.05), way, ModelFault, seconds=0.3)
    assert endless.kind == "time_limit"


def test_a_server_that_falls_silent_in_mid_answer_is_left():
    for way in ("invoke", "ainvoke"):
        fault = _ends(Reply("half an answer", pause=30), way, ModelFault, seconds=0.3)
        assert fault.kind == "time_limit"


async def test_a_cancelled_call_leaves_the_server_at_once():
    with OllamaServer(lambda _: Reply("a" * 1000, chunks=1000, pause=0.05)) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        running = asyncio.ensure_future(model.ainvoke("go"))
        while not server.chats:
            await asyncio.wait([running], timeout=0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await model.facts()


def test_a_peer_that_closes_at_once_is_transient():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            for _ in range(2):
                listener.accept()[0].close()

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(ModelUnavailable) as caught:
            OllamaChat(model=NAME, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}").invoke("go")
        with socket.create_connection(listener.getsockname()):
            thread.join()
    assert caught.value.kind == "transient"
