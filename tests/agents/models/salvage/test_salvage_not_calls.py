"""What only mentions, quotes, records or illustrates a call is not a call."""

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
    "read_file": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    "list_all": {"type": "object", "properties": {}},
}
CALL = '<tool_call>{"name": "read_file", "arguments": {"path": "a"}}</tool_call>'
JSON = '{"name": "read_file", "arguments": {"path": "a"}}'
XML = "<function=read_file>\n<parameter=path>\na\n</parameter>\n</function>"

MENTIONS = {
    "empty": "",
    "prose": "I would use read_file to look at a, then write_file.",
    "call in words": 'First read_file(path="a"), then list_all().',
    "python line": 'read_file(path="a")',
    "python block": '```python\nread_file(path="a")\n```',
    "script": "```bash\nread_file a\n```",
    "marker named": "The <tool_call> tag opens a call and </tool_call> closes it.",
    "marker alone": "<tool_call>",
    "inline code": f"Write `{CALL}` to read.",
    "inline json": f"Write `{JSON}` to read.",
    "for example": f"For example: {CALL}",
    "like this": f"You call it like this:\n{CALL}",
    "you can": f"You can use the tool: {XML}",
    "would": f"A call would look as follows:\n\n{XML}",
    "how to": f"Here is how to read a file:\n```json\n{JSON}\n```",
    "negated": f"I will not call {CALL}",
    "instead": f"Instead of calling {JSON} I ask you first.",
    "past": f"Earlier I called {CALL} and it failed.",
    "documentation": f"The documentation says: {CALL}",
    "schema talk": f"The format of a call:\n{JSON}",
    "block quote": f"> {CALL}\n\nThat is what you sent.",
    "quotation marks": f'The reply was "{CALL}".',
    "explained after": f"{CALL} is an example of a call.",
    "transcript": f"User: read a\nAssistant: {CALL}\nTool: done",
    "chat tokens": f"<|im_start|>user\nread a<|im_end|>\n<|im_start|>assistant\n{CALL}<|im_end|>",
    "after an invented answer": f"<tool_response>\nnothing\n</tool_response>\n{CALL}",
    "thought": f"<think>Maybe {CALL}</think>I need more to go on.",
    "thought, opened in the prompt": f"Maybe {CALL}\n</think>\n\nI need more to go on.",
    "thought, never closed": f"<think>Maybe {CALL} but",
    "mistral thought": '[THINK][TOOL_CALLS]read_file[ARGS]{"path": "a"}[/THINK]Done.',
    "analysis channel": f"<|channel|>analysis<|message|>{CALL}<|end|>",
    "final channel": f"<|start|>assistant<|channel|>final<|message|>{JSON}<|return|>",
    "to the user": f" to=user<|message|>{CALL}<|eot|>",
    "example tag": f"<example>\n{CALL}\n</example>",
    "comment": f"<!-- {CALL} -->",
    "code block": f'```python\nsend("""{CALL}""")\n```',
    "code block, json within": f"```python\ncall = {JSON}\n```",
    "fence with more": f"```json\n// the call\n{JSON}\nand so on\n```",
    "data": '{"files": [{"name": "read_file", "arguments": {"path": "a"}}]}',
    "broken outer": '{"name": "x", "arguments": {bad, "y": {"name": "list_all", "arguments": {}}}}',
    "definition": '{"name": "read_file", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}',
    "described definition": '{"name": "read_file", "description": "reads", "parameters": {"path": "string"}}',
    "record": '{"name": "read_file", "arguments": {"path": "a"}, "result": "text"}',
    "conversation": f'[{{"role": "user", "content": "x"}}, {JSON}]',
    "name without arguments": '{"name": "list_all"}',
    "writing, in prose": 'I would say {"name": "write_file", "arguments": {"path": "a", "content": "b"}} does it.',
    "writing, in harmless prose": 'Now {"name": "write_file", "arguments": {"path": "a", "content": "b"}} follows.',
    "python list in prose": "The list [list_all()] holds one call.",
}
REFUSED = {
    "unknown tool": '<tool_call>{"name": "remove_file", "arguments": {"path": "a"}}</tool_call>',
    "other case": '<tool_call>{"name": "Read_File", "arguments": {"path": "a"}}</tool_call>',
    "missing argument": '<tool_call>{"name": "write_file", "arguments": {"path": "a"}}</tool_call>',
    "wrong type": '<tool_call>{"name": "read_file", "arguments": {"path": ["a"]}}</tool_call>',
    "number for text": '<tool_call>{"name": "read_file", "arguments": {"path": 7}}</tool_call>',
    "object for text": '<tool_call>{"name": "write_file", "arguments": {"path": "a.json", "content": {"a": 1}}}</tool_call>',
    "half a surrogate": '<tool_call>{"name": "read_file", "arguments": {"path": "\\ud800"}}</tool_call>',
}
BROKEN = {
    "arguments are text": '<tool_call>{"name": "read_file", "arguments": "a"}</tool_call>',
    "arguments are a list": '<tool_call>{"name": "read_file", "arguments": ["a"]}</tool_call>',
    "name is a number": '<tool_call>{"name": 7, "arguments": {"path": "a"}}</tool_call>',
    "key twice": '<tool_call>{"name": "read_file", "arguments": {"path": "a", "path": "b"}}</tool_call>',
    "not a number": '<tool_call>{"name": "list_all", "arguments": {"x": NaN}}</tool_call>',
    "infinite": '<tool_call>{"name": "list_all", "arguments": {"x": 1e999}}</tool_call>',
    "parameter twice": "<function=read_file><parameter=path>a</parameter><parameter=path>b</parameter></function>",
    "wrong case": '<function name="read_file"><param name="Path">a</param></function>',
    "parameter without a name": '<function name="read_file"><param>a</param></function>',
    "key twice, glm": "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value>"
    "<arg_key>path</arg_key><arg_value>b</arg_value></tool_call>",
    "keyword twice": '[read_file(path="a", path="b")]',
    "positional": '[read_file("a")]',
    "computed": '[read_file(path="a" + "b")]',
}
CUT = {
    "hermes": '<tool_call>{"name": "read_file", "arguments": {"path": "a"}',
    "empty arguments": '<tool_call>{"name": "list_all", "arguments": {</tool_call>',
    "inner call of a cut one": '{"name": "write_file", "arguments": {"path": "a", "content": "<tool_call>{\\"name\\": '
    + CALL,
    "qwen": "<function=read_file>\n<parameter=path>\na\n</parameter>\n",
    "qwen, in the value": "<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=content>\n" + CALL,
    "glm": "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value>",
    "python": '[read_file(path="a")',
    "mistral": '[TOOL_CALLS]write_file[ARGS]{"path": "a", "content": "b',
    "list after one": "[" + JSON + ', {"name": "read_file", "argu',
    "fence": '```json\n{"name": "read_file", "arguments": {"path": "a"',
}


@pytest.mark.parametrize("text", MENTIONS.values(), ids=MENTIONS.keys())
def test_a_mention_is_no_call(text):
    assert salvage(text, TOOLS) == []


@pytest.mark.parametrize(
    "text", [*BROKEN.values(), *CUT.values()], ids=[*BROKEN.keys(), *(f"cut {name}" for name in CUT)]
)
def test_what_is_broken_or_cut_is_no_call(text):
    assert salvage(text, TOOLS) == []


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_call_that_does_not_fit_is_refused_with_a_sentence(text):
    outcome = examine(text, TOOLS)
    assert outcome.calls == ()
    assert len(outcome.refusals) == 1
    assert "file" in outcome.refusals[0]


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "content_filter"])
def test_a_reply_that_was_cut_gives_nothing(reason):
    assert salvage(CALL, TOOLS)
    assert salvage(CALL, TOOLS, reason) == []
    assert reason in examine(CALL, TOOLS, reason).refusals[0]


def test_no_tools_no_calls():
    assert salvage(CALL, {}) == []


def test_one_bad_call_does_not_spoil_the_good_one():
    outcome = examine(REFUSED["unknown tool"] + CALL, TOOLS)
    assert [call.arguments for call in outcome.calls] == [{"path": "a"}]
    assert "'remove_file'" in outcome.refusals[0]


def test_a_loop_of_calls_is_capped():
    outcome = examine(CALL * 40, TOOLS)
    assert len(outcome.calls) == 32
    assert "40 calls" in outcome.refusals[0]


MEANT = {
    "blank lost": '<functionname="read_file"><paramname="path">a</param></function>',
    "blank left as a byte mark": '<function\u0120name="read_file"><param\u0120name="path">a</param></function>',
    "announced": f"Let me read it:\n{CALL}",
    "answered": f"{CALL}\nIs this what you wanted?",
    "after code": f"I changed `a` in b.\n{CALL}",
    "fenced": f"I will read the file.\n\n```json\n{JSON}\n```\n",
    "fenced xml": f"```xml\n{XML}\n```",
    "alone on a line": f"I'll read the file.\n\n{JSON}\n",
    "in harmless prose": f"Now {JSON} follows.",
    "extra brace": '<tool_call>{"name": "read_file", "arguments": {"path": "a"}}}</tool_call>',
    "a brace short": '<tool_call>{"name": "read_file", "arguments": {"path": "a"}</tool_call>',
    "trailing comma": '<tool_call>{"name": "read_file", "arguments": {"path": "a",},}</tool_call>',
    "single quotes": "<tool_call>{'name': 'read_file', 'arguments': {'path': 'a'}}</tool_call>",
    "arguments in a string": '<tool_call>{"name": "read_file", "arguments": "{\\"path\\": \\"a\\"}"}</tool_call>',
    "tag not closed": "<tool_call>\n<function=read_file>\n<parameter=path>\na\n</parameter>\n</tool_call>",
    "parameter not closed": "<tool_call>\n<function=read_file>\n<parameter=path>\na\n</function>\n</tool_call>",
    "old anthropic": "<invoke><tool_name>read_file</tool_name><parameters><path>a</path></parameters></invoke>",
    "kimi, thoughts never closed": "<think>Reading.<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0"
    '<|tool_call_argument_begin|>{"path": "a"}<|tool_call_end|><|tool_calls_section_end|>',
    "lost mistral marker": 'read_file[ARGS]{"path": "a"}',
    "llama builtin": '<|python_tag|>read_file.call(path="a")<|eom_id|>',
    "qwen 2": '✿FUNCTION✿: read_file\n✿ARGS✿: {"path": "a"}\n✿RESULT✿:',
    "unescaped quotes": "<|tool_call_start|>[read_file(path='a')]<|tool_call_end|>",
    "null for no arguments": '<tool_call>{"name": "list_all", "arguments": null}</tool_call>' + CALL,
    "before an invented turn": f"{CALL}\n<tool_response>none</tool_response>\n{CALL}",
}


@pytest.mark.parametrize("text", MEANT.values(), ids=MEANT.keys())
def test_a_call_that_is_meant_is_found(text):
    calls = [call for call in salvage(text, TOOLS) if call.name == "read_file"]
    assert [call.arguments for call in calls] == [{"path": "a"}]


def test_quotes_inside_a_marked_python_string():
    text = "<|tool_call_start|>[write_file(path='a', content='print('hi', 'ho')')]<|tool_call_end|>"
    assert salvage(text, TOOLS)[0].arguments["content"] == "print('hi', 'ho')"


def test_character_data_may_hold_tags():
    text = '<function name="read_file"><param name="path"><![CDATA[</param></function>]]></param></function>'
    assert salvage(text, TOOLS)[0].arguments == {"path": "</param></function>"}


def test_a_value_may_hold_the_tag_that_closes_it():
    text = "<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=content>\nclose with </parameter> here\n</parameter>\n</function>"
    assert salvage(text, TOOLS)[0].arguments["content"] == "close with </parameter> here"
