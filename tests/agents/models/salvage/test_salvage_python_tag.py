"""After Llama's `<|python_tag|>` a call of an offered tool is a call, and a program is none."""

from __future__ import annotations

import pytest

from agents.models.salvage import examine, salvage
from agents.models.salvage.reader import Reader, Tangled
from agents.models.salvage.scan import Scanner

TAG = "<|python_tag|>"
TOOLS = {
    "write_file": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
    "read_file": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
READ = ("read_file", {"path": "a"})
JSON = '{"name": "read_file", "arguments": {"path": "a"}}'


def calls(text):
    return [(call.name, call.arguments) for call in salvage(text, TOOLS)]


@pytest.mark.parametrize(
    "body",
    [
        'read_file(path="a")',
        "read_file(path='a')<|eom_id|>",
        'read_file.call(path="a")',
        ' read_file.call( path = "a" )<|eot_id|>',
        'read_file(path="""a""")',
        '[read_file(path="a")]',
        JSON,
    ],
)
def test_a_call_of_an_offered_tool_is_read(body):
    assert calls(TAG + body) == [READ]
    assert calls(f"I read it.\n{TAG}{body}") == [READ]


def test_several_calls_are_read_in_order():
    assert calls(f'{TAG}read_file(path="a"); read_file.call(path="b")\nread_file(path="c")') == [
        ("read_file", {"path": path}) for path in "abc"
    ]


@pytest.mark.parametrize("quote", ['"""', "'''"])
def test_a_file_in_triple_quotes_is_read(quote):
    content = 'def f():\n    return "x" + \'y\'\n\n# read_file(path="b")\n'
    assert calls(f'{TAG}write_file(path="a.py", content={quote}{content}{quote})') == [
        ("write_file", {"path": "a.py", "content": content})
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import os\nprint(os.listdir())",
        'read_file(path="a").strip()',
        'read_file(path="a") + "b"',
        'text = read_file(path="a")',
        'read_file(path="a")\nx = 1',
        'print(sep="")\nread_file(path="a")',
        'for path in "ab":\n    read_file(path=path)',
        'read_file(path=f"{name}")',
        'read_file("a")',
        "read_file(path=name)",
        f"import json\nprint({JSON})",
        f"call = {JSON}\n\n[read_file(path='a')]",
        "import os\nos.system('<tool_call>" + JSON + "</tool_call>')",
    ],
)
def test_a_program_is_no_call(code):
    assert calls(TAG + code) == []


def test_a_call_after_the_program_counts():
    assert calls(f"{TAG}import os<|eom_id|>\n{JSON}") == [READ]


def test_a_broken_call_is_told():
    assert examine(f'{TAG}read_file("a")', TOOLS).refusals


@pytest.mark.parametrize("body", ['write_file(path="a", content="x")', "write_file(path='a', content='''x\ny''')"])
def test_a_cut_call_is_none(body):
    for end in range(len(body)):
        assert calls(TAG + body[:end]) == []


@pytest.mark.parametrize(
    "text",
    [
        f'The token {TAG} begins a call such as read_file(path="a").',
        f'For example: {TAG}read_file(path="a")',
        f'Write `{TAG}read_file(path="a")` to read.',
    ],
)
def test_a_mention_is_no_call(text):
    assert calls(text) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["x = 1\n", TAG, "read_file(path=", 'read_file(path="a")\n', '"""', f"{TAG}x\n"])
def test_a_megabyte_is_bounded_work(piece):
    reader = Reader("\n" + TAG + piece * (1_000_000 // len(piece)))
    try:
        Scanner(reader, TOOLS).run()
    except Tangled:
        return
    assert reader.spent <= 1_000_000 + 4 * len(reader.text)
