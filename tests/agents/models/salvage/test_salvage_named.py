"""Calls as Cline and Roo write them: an element named after the tool, a child for each parameter."""

from __future__ import annotations

import pytest

from agents.models.salvage import examine, salvage
from agents.models.salvage.reader import Reader, Tangled
from agents.models.salvage.scan import Scanner

TOOLS = {
    "write_to_file": {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "content": {"type": "string"},
            "line_count": {"type": "integer"},
        },
        "required": ["path", "content"],
    },
    "read_file": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    "list_all": {"type": "object", "properties": {}},
    "anything": {},
}
READ = "<read_file><path>a.py</path></read_file>"
WRITE = (
    "<write_to_file>\n<path>a.py</path>\n<content>\n{}\n</content>\n<line_count>3</line_count>\n</write_to_file>"
)
CONTENTS = {
    "plain": "x = 1",
    "operators": "if a < b and c > d:\n    print('<b>')",
    "html": "<html><path>x</path><content-type/></html>",
    "its own closing tag": "ends with </content> here",
    "a call of the tool": WRITE.format("inner"),
    "another format": '<tool_call>{"name": "read_file", "arguments": {"path": "b"}}</tool_call>',
    "a fence": "```python\nx\n```",
    "indented": "    four",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_the_content_is_taken_verbatim(content):
    [call] = salvage(f"I write the file now.\n\n{WRITE.format(content)}\n", TOOLS)
    assert call.name == "write_to_file"
    assert call.arguments == {"path": "a.py", "content": content, "line_count": 3}
    assert call.format == "tool-element"


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_cut_element_is_no_call(content):
    text = WRITE.format(content)
    for end in range(len(text) - 1):
        assert salvage(text[:end], TOOLS) == [], text[:end]


def test_character_data_may_hold_every_tag():
    data = "</content></write_to_file>"
    [call] = salvage(f"<write_to_file><path>a</path><content><![CDATA[{data}]]></content></write_to_file>", TOOLS)
    assert call.arguments["content"] == data


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (READ, ["read_file"]),
        (f"{READ}\n{READ.replace('a.py', 'b.py')}", ["read_file", "read_file"]),
        (f"<thinking>which?</thinking>\n{READ}", ["read_file"]),
        (f"```xml\n{READ}\n```", ["read_file"]),
        (f"<tool_call>\n{READ}\n</tool_call>", ["read_file"]),
        (f"Now {READ} follows.", ["read_file"]),
        ("<list_all></list_all>", ["list_all"]),
        ("<anything>\n<a>1</a>\n<b>x</b>\n</anything>", ["anything"]),
    ],
)
def test_an_element_of_an_offered_tool_is_its_call(text, names):
    assert [call.name for call in salvage(text, TOOLS)] == names


@pytest.mark.parametrize(
    "text",
    [
        "The <read_file> tool reads, <write_to_file> writes, <list_all> lists.",
        f"For example: {READ}",
        f"You can use the tool like this:\n{READ}",
        f"Write `{READ}` to read.",
        f"<thinking>{READ}</thinking>I need more.",
        f"```html\n{READ}\n```",
        "I would say <write_to_file><path>a</path><content>b</content></write_to_file> does it.",
        "Then <write_to_file><path>a</path><content>b</content></write_to_file> follows.",
        "<read_file>a.py</read_file>",
        "<Read_File><path>a</path></Read_File>",
        "<remove_file><path>a</path></remove_file>",
        "<read_file><file>a</file></read_file>",
        "<read_file><path>a</path><path>b</path></read_file>",
        "<read_file><path>a</path></write_to_file>",
    ],
)
def test_what_only_looks_like_one_is_no_call(text):
    assert salvage(text, TOOLS) == []


def test_a_missing_parameter_is_named():
    outcome = examine("<write_to_file><path>a</path></write_to_file>", TOOLS)
    assert outcome.calls == ()
    assert "'content'" in outcome.refusals[0]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "<read_file>",
        "<read_file><path>",
        "<path>",
        "</path>",
        "</path></read_file>",
        "</path><content>",
        "<![CDATA[",
        "]]></path>",
    ],
)
def test_a_megabyte_of_elements_is_bounded_work(piece):
    for head in ("", "<read_file><path>", "<write_to_file><path><![CDATA["):
        reader = Reader("\n" + head + piece * (1_000_000 // len(piece)))
        try:
            Scanner(reader, TOOLS).run()
        except Tangled:
            continue
        assert reader.spent <= 1_000_000 + 4 * len(reader.text)


def test_a_megabyte_of_content_is_read():
    content = "if a < b: print('<b>')\n" * 45_000
    [call] = salvage(WRITE.format(content), TOOLS)
    assert call.arguments["content"] == content
