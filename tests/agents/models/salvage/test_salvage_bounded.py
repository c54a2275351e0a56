"""Whatever the text, salvage returns: quickly, and without an exception."""

# ruff: noqa: E501, RUF001  # a table of pieces; the look-alike characters are those of the formats

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models.salvage import Call, Edit, examine, examine_edits, salvage, salvage_edits
from agents.models.salvage.reader import Reader, Tangled
from agents.models.salvage.scan import Scanner

TOOLS = {
    "f": {},
    "write_file": {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]},
}
FILES = {"a.py": "x = 1\n" * 300, "b/c.md": "text\n"}
PIECES = [
    "<", ">", "[", "]", "{", "}", "(", ")", '"', "'", "`", "\\", "\n", "\n\n", "\t", ",", ";", ":", "=", "|", "a", "f", "7", "…",
    "\x00", "\x1b", "\ud800", "\u202e", "é", "😀", "<tool_call>", "</tool_call>", '{"name": "f", "arguments": {', "}}",
    '{"name": "f", "arguments": {}}', "<function=f>", "</function>", "<parameter=content>", "</parameter>", '<invoke name="f">',
    "</invoke>", "<invoke>", '<param name="a">', "<![CDATA[", "]]>", "<think>", "</think>", "[THINK]", "[/THINK]", "[TOOL_CALLS]",
    "[ARGS]", "[TOOL_REQUEST]", "functools[", "<|python_tag|>", "<|tool_call>call:f{", "<tool_call|>", '<|"|>', "<arg_key>",
    "</arg_key>", "<arg_value>", "</arg_value>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<｜tool▁call▁begin｜>f",
    "<｜tool▁sep｜>", "<|message|>", "<|channel|>commentary", " to=functions.f", "<|start|>", "<|end|>", "<|open|>", "<|sep|>",
    'call tool="f"', 'argument key="a"', "]<]minimax[>[<tool_call>", ']<]minimax[>[<invoke name="f">', "]<]minimax[>[</a>",
    "[f(", "a=", "f()", ">>>", "Action: f\n", "Action Input: ", "✿FUNCTION✿: f ", "✿ARGS✿: ", "\n```json\n", "\n```\n", "```",
    "User:", "<example>", "<!--", "-->", "for example ", "*** Begin Patch\n", "*** Update File: a.py\n", "*** End Patch\n", "@@\n",
    "-x = 1\n", "+y\n", " x = 1\n", "--- a/a.py\n+++ b/a.py\n", "--- a\n+++ b\n@@ @@\n", "a.py\n", "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "...\n",
]  # fmt: skip


@settings(deadline=None, max_examples=250)
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_gives_calls_or_nothing(text):
    assert all(isinstance(call, Call) and call.name in TOOLS for call in salvage(text, TOOLS))
    assert all(isinstance(edit, Edit) for edit in salvage_edits(text, FILES))


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=200), tools=st.dictionaries(st.text(max_size=3), st.just({})))
def test_any_text_with_any_tools(text, tools):
    assert all(call.name in tools for call in salvage(text, tools))


SIZES = [150_000, pytest.param(1_000_000, marks=pytest.mark.soak)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "shape",
    ["{0}", "f\n{0}", "<tool_call>{0}", "<function=f><parameter=a>{0}", '{{"name": "f", "arguments": {{"a": "{0}'],
)
def test_a_long_reply_of_anything_is_bounded_work(shape, size):
    for piece in PIECES:
        text = shape.format(piece * (size // len(piece)))
        reader = Reader(text)
        try:
            Scanner(reader, TOOLS).run()
        except Tangled:
            continue
        assert reader.spent <= 1_000_000 + 4 * len(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", SIZES)
def test_a_long_reply_of_edits_is_bounded_work(size):
    for piece in PIECES:
        outcome = examine_edits("a.py\n" + piece * (size // len(piece)), FILES)
        assert len(outcome.edits) <= 3


def test_deep_nesting_is_refused():
    for text in (
        '{"a":' * 100_000,
        "[{" * 100_000,
        '<tool_call>{"name": "f", "arguments": ' + '{"a":' * 5000 + "1" + "}" * 5001,
    ):
        assert examine(text, TOOLS).calls == ()


def test_a_long_honest_call_is_read():
    content = "line with {braces} and <tags>\n" * 30_000
    text = f"<function=write_file>\n<parameter=content>\n{content}\n</parameter>\n</function>"
    assert salvage(text, TOOLS)[0].arguments == {"content": content}
