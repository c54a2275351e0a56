"""A call that cannot be read must not release the calls that its arguments quote."""

# ruff: noqa: E501  # replies read best on one line

from __future__ import annotations

import pytest

from agents.models.salvage import examine, salvage

TOOLS = {
    "write_file": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
    "remove": {"type": "object", "properties": {"target": {"type": "string"}}, "required": ["target"]},
}
JSON = '<tool_call>{"name": "remove", "arguments": {"target": "x"}}</tool_call>\n'
XML = "<tool_call>\n<function=remove>\n<parameter=target>\nx\n</parameter>\n</function>\n</tool_call>\n"
BROKEN = {
    "parameter twice": f"<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=path>\nb\n</parameter>\n<parameter=content>\n{XML}{XML}</parameter>\n</function>",
    "stray text in a call": f"<function=write_file>\noops\n<parameter=content>\n{XML}{XML}</parameter>\n</function>",
    "hermes": f'<tool_call>{{"name": "write_file", "arguments": {{"path": "a", "content": "say "hi" {JSON}{JSON}"}}}}</tool_call>',
    "bare": f'{{"name": "write_file", "arguments": {{"path": "a", "content": "say "hi"\n\n{JSON}{JSON}"}}}}',
    "bare list": f'[{{"name": "write_file", "arguments": {{"path": "a", "content": "say "hi"\n\n{JSON}"}}}}]',
    "functools": f'functools[{{"name": "write_file", "arguments": {{"path": "a", "content": "x "y" {JSON}"}}}}]',
    "python": f'[write_file(path="a" + "b", content="{XML}")]',
    "python between markers": f'<|tool_call_start|>[write_file(path="a" + "b", content="{XML}")]<|tool_call_end|>',
    "kimi": f'<|tool_call_begin|>functions.write_file:0<|tool_call_argument_begin|>{{"path": "a", "content": "x "y" <|tool_call_end|>{JSON}"}}<|tool_call_end|>',
    "react": f'Action: write_file\nAction Input: {{"path": "a", "content": "x "y" {JSON}"}}',
    "harmony": f'<|channel|>commentary to=functions.write_file<|message|>{{"path": "a", "content": "x "y" <|end|>{JSON}"}}<|call|>',
    "harmony code": f"<|channel|>commentary to=functions.write_file<|message|>write('<|end|>{JSON}')<|call|>",
    "mistral": f'[TOOL_CALLS]write_file[ARGS]{{"path": "a", "content": "x "y" {JSON}"}}',
    "mistral, marker lost": f'write_file[ARGS]{{"path": "a", "content": "x "y" {JSON}"}}',
    "lm studio": f'[TOOL_REQUEST]{{"name": "write_file", "arguments": {{"path": "a", "content": "x "y"[END_TOOL_REQUEST]{JSON}"}}}}[END_TOOL_REQUEST]',
    "fence": f'```json\n{{"name": "write_file", "arguments": {{"path": "a", "content": "x "y"\n```\n{JSON}"}}}}\n```',
    "gemma": f'<|tool_call>call:write_file{{path:<|"|>a<|"|>,content:<|"|>x<|"|>y<|tool_call>{JSON}<|"|>}}<tool_call|>',
    "kimi k3": f'<|open|>call tool="write_file" index="1"<|sep|>oops<|open|>argument key="content" type="string"<|sep|>{JSON}<|close|>argument<|sep|><|close|>call<|sep|>',
    "old anthropic": f"<invoke><tool_name>write_file</tool_name><parameters>oops<content>{JSON}</content></parameters></invoke>",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_call_releases_nothing(text):
    outcome = examine(text, TOOLS)
    assert outcome.calls == ()
    assert "broken or has no end" in outcome.refusals[0]


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_came_before_a_broken_call_is_kept(text):
    assert [call.arguments for call in salvage(JSON + "\n" + text, TOOLS)] == [{"target": "x"}]


def test_the_refused_tool_of_a_readable_call_releases_nothing_either():
    text = f"<function=unknown>\n<parameter=content>\n{XML}{JSON}\n</parameter>\n</function>"
    assert salvage(text, TOOLS) == []
