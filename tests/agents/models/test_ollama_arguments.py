"""What a model writes into a tool call arrives as it was written, by every way of calling."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from servers.ollama import OllamaServer, Reply, call

from agents.models.ollama import OllamaChat
from agents.models.ollama_reply import tool_calls

NAME = "qwen2.5-coder:7b"
TRICKY = [
    '# c\n{"a": 1}',
    '{"b": 2, "a": 1, "a": 3}',
    "[1, 2, 3]",
    "['it''s']",
    "None",
    "1e5",
    ' {"x": 1}\n',
    "{'python': True}",
    "next line:\u0085 and separators \u2028 \u2029",
    "tab\tcr\r\nnul-free \x01 \U0001f600",
    "",
]


@tool
def write_file(path: str, content: str) -> str:
    """Write a file."""
    return f"{path}: {len(content)}"


async def _streamed(model, prompt):
    return [chunk async for chunk in model.astream(prompt)]


def _four_ways(model, prompt):
    """The same call: invoke, stream, ainvoke, astream."""
    yield model.invoke(prompt)
    first, *rest = list(model.stream(prompt))
    yield first + rest
    yield asyncio.run(model.ainvoke(prompt))
    first, *rest = asyncio.run(_streamed(model, prompt))
    yield first + rest


@pytest.mark.parametrize("content", TRICKY)
def test_a_string_argument_keeps_every_byte(content):
    arguments = {"path": "a.json", "content": content, "functionName": "write_file"}
    with OllamaServer(lambda _: Reply(tool_calls=[call("write_file", **arguments)])) as server:
        model = OllamaChat(model=NAME, base_url=server.url).bind_tools([write_file])
        for message in _four_ways(model, "go"):
            assert [c["args"] for c in message.tool_calls] == [arguments]
            assert message.invalid_tool_calls == []


def test_content_that_is_not_streamed_arrives_the_same():
    with OllamaServer(lambda _: Reply("one\u0085two", tool_calls=[call("f", text=TRICKY[0])])) as server:
        model = OllamaChat(model=NAME, base_url=server.url).bind(stream=False)
        message = model.invoke("go")
    assert message.content == "one\u0085two"
    assert message.tool_calls[0]["args"] == {"text": TRICKY[0]}


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_arguments_are_kept_or_filed_as_invalid_never_changed(value):
    found = tool_calls([{"function": {"name": "f", "arguments": value}}])
    message = AIMessage("", **_split(found))
    if isinstance(value, dict):
        assert message.tool_calls[0]["args"] == value
    elif message.tool_calls:
        assert message.tool_calls[0]["args"] == json.loads(value)
    else:
        assert json.loads(message.invalid_tool_calls[0]["args"]) == value


def _split(chunks):
    merged = AIMessageChunk("", tool_call_chunks=chunks)
    return {"tool_calls": merged.tool_calls, "invalid_tool_calls": merged.invalid_tool_calls}


@pytest.mark.parametrize(
    ("wire", "valid", "invalid"),
    [
        ({"function": {"name": "f", "arguments": '{"a": "[1]"}'}}, {"a": "[1]"}, None),
        ({"function": {"name": "f", "arguments": '{"path": "a'}}, None, '{"path": "a'),
        ({"function": {"name": "f", "arguments": '["a"]'}}, None, '["a"]'),
        ({"function": {"name": "f", "arguments": None}}, None, None),
        ({"function": {"name": "f", "arguments": ["a"]}}, None, ["a"]),
        ({"function": {"name": "f", "arguments": ""}}, None, ""),
        ({"function": {"name": None, "arguments": {"a": 1}}}, {"a": 1}, None),
        ({"name": "f", "parameters": {"a": 1}}, {"a": 1}, None),
        ({"function": {"name": "f", "arguments": '{"a": NaN}'}}, None, '{"a": NaN}'),
        ("f(1)", None, "f(1)"),
    ],
)
def test_odd_shapes_from_the_server_are_read_or_kept(wire, valid, invalid):
    line = {
        "message": {"role": "assistant", "content": "", "tool_calls": [wire]},
        "done": True,
        "done_reason": "stop",
    }
    with OllamaServer([Reply(lines=[json.dumps(line)])]) as server:
        message = OllamaChat(model=NAME, base_url=server.url).invoke("go")
    if valid is not None:
        assert [c["args"] for c in message.tool_calls] == [valid]
    else:
        assert message.tool_calls == []
        assert [json.loads(c["args"]) for c in message.invalid_tool_calls] == [invalid]


def test_a_call_that_could_not_be_read_goes_back_as_text_with_its_answer():
    history = [
        HumanMessage("go"),
        AIMessage(
            "",
            invalid_tool_calls=[
                {"type": "invalid_tool_call", "name": "f", "args": "null", "id": "1", "error": None}
            ],
        ),
        ToolMessage("arguments must be an object", tool_call_id="1", name="f"),
        AIMessage("", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "2"}]),
        ToolMessage("done", tool_call_id="2", name="f"),
    ]
    with OllamaServer([Reply("fine")]) as server:
        OllamaChat(model=NAME, base_url=server.url).invoke(history)
        sent = server.chats[0].messages
    assert sent[1] == {"role": "assistant", "content": "f null"}
    assert sent[2] == {"role": "user", "content": "arguments must be an object"}
    assert sent[3]["tool_calls"][0]["function"] == {"name": "f", "arguments": {"a": 1}}
    assert sent[4] == {"role": "tool", "content": "done", "tool_call_id": "2", "tool_name": "f"}
