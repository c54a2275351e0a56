"""MiniMax M3's marked elements: children are an object, or text where the parameter takes a string."""

from __future__ import annotations

import pytest

from agents.models.salvage import salvage
from agents.models.salvage.reader import Reader, Tangled
from agents.models.salvage.scan import Scanner

MARK = "]<]minimax[>["
OBJECT = {"type": "object", "properties": {"text": {"type": "string"}}}
TOOLS = {
    "show": {
        "type": "object",
        "properties": {
            "either": {"oneOf": [{"type": "string"}, OBJECT]},
            "plain": {"type": "string"},
            "maybe": {"type": ["string", "null"]},
            "object": OBJECT,
            "limit": {"oneOf": [{"type": "integer"}, {"type": "object"}]},
            "open": {},
        },
    },
}
NESTED = f"{MARK}<text>hi{MARK}</text>"


def reply(**parameters):
    inner = "".join(f"{MARK}<{name}>{value}{MARK}</{name}>" for name, value in parameters.items())
    return f'{MARK}<tool_call>\n{MARK}<invoke name="show">{inner}{MARK}</invoke>\n{MARK}</tool_call>'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("either", NESTED),
        ("plain", NESTED),
        ("maybe", NESTED),
        ("object", {"text": "hi"}),
        ("limit", {"text": "hi"}),
        ("open", {"text": "hi"}),
    ],
)
def test_children_are_text_where_a_string_may_stand(name, value):
    [call] = salvage(reply(**{name: NESTED}), TOOLS)
    assert call.arguments == {name: value}


def test_text_without_children_is_read_by_its_type():
    [call] = salvage(reply(either="7", limit="7", plain="\n7", open="7"), TOOLS)
    assert call.arguments == {"either": "7", "limit": 7, "plain": "\n7", "open": 7}


def test_no_parameters_give_no_arguments():
    assert salvage(reply(), TOOLS)[0].arguments == {}


@pytest.mark.parametrize("text", [reply(either=NESTED, limit="7"), reply(plain=reply(plain="x"))])
def test_a_cut_block_is_no_call(text):
    for end in range(len(text)):
        assert salvage(text[:end], TOOLS) == []


@pytest.mark.parametrize(
    "text",
    [
        f"For example: {reply(plain='x')}",
        f"Write `{reply(plain='x')}` to show it.",
        f"The mark {MARK} begins every tag.",
        reply(plain=f"{MARK}</object>"),
        reply(plain="x").replace("</plain>", "</other>"),
    ],
)
def test_a_mention_or_a_broken_block_is_no_call(text):
    assert salvage(text, TOOLS) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [f"{MARK}<plain>", f"{MARK}</plain>", NESTED, reply()[:-1], f"{MARK}<tool_call>"])
def test_a_megabyte_is_bounded_work(piece):
    head = f'{MARK}<tool_call>{MARK}<invoke name="show">'
    reader = Reader("\n" + head + piece * (1_000_000 // len(piece)))
    try:
        Scanner(reader, TOOLS).run()
    except Tangled:
        return
    assert reader.spent <= 1_000_000 + 4 * len(reader.text)
