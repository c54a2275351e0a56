"""Whatever is written in a format is read back byte for byte, with prose around it, and never from a cut reply."""

# ruff: noqa: E501, RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models.salvage import salvage

TOOLS = {
    "write_file": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
        "additionalProperties": False,
    },
    "count_lines": {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "limit": {"type": "integer"},
            "deep": {"type": "boolean"},
            "weights": {"type": "array", "items": {"type": "number"}},
            "options": {"type": "object"},
        },
        "required": ["path"],
    },
    "list_all": {"type": "object", "properties": {}},
}
COUNT = (
    "count_lines",
    {"path": "src/mühle.py", "limit": 12, "deep": True, "weights": [1, 2.5], "options": {"a": {"b": "}"}}},
)
WRITE = ("write_file", {"path": "notes/a.txt", "content": 'He said "{hello}"\n\tand \\n [left].\n'})
LIST = ("list_all", {})
Calls = list[tuple[str, dict]]


def dumps(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_json(name, arguments, key="arguments") -> str:
    return dumps({"name": name, key: arguments})


def plain(value) -> str:
    return value if isinstance(value, str) else dumps(value)


def each(template):
    return lambda calls: "".join(template(name, arguments) for name, arguments in calls)


def as_list(before, after="", key="arguments", name="name"):
    return lambda calls: before + dumps([{name: tool, key: arguments} for tool, arguments in calls]) + after


def as_python(before, after, joint=", ", prefix=""):
    def write(calls):
        texts = [
            f"{prefix}{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
            for name, arguments in calls
        ]
        return before + joint.join(texts) + after

    return write


def as_parameters(opening, parameter, closing, before="", after=""):
    def one(name, arguments):
        inner = "".join(parameter.format(key=key, value=plain(value)) for key, value in arguments.items())
        return opening.format(name=name) + inner + closing

    return lambda calls: before + "".join(one(name, arguments) for name, arguments in calls) + after


def as_dsml(calls):
    def parameter(key, value):
        text = "true" if isinstance(value, str) else "false"
        return f'<｜DSML｜parameter name="{key}" string="{text}">{plain(value)}</｜DSML｜parameter>\n'

    invokes = [
        f'<｜DSML｜invoke name="{name}">\n'
        + "".join(parameter(*pair) for pair in arguments.items())
        + "</｜DSML｜invoke>\n"
        for name, arguments in calls
    ]
    return "<｜DSML｜function_calls>\n" + "".join(invokes) + "</｜DSML｜function_calls>"


def as_gemma(value) -> str:
    if isinstance(value, str):
        return f'<|"|>{value}<|"|>'
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{as_gemma(item)}" for key, item in value.items()) + "}"
    return "[" + ",".join(map(as_gemma, value)) + "]" if isinstance(value, list) else dumps(value)


def as_kimi_k3(name, arguments):
    kinds = {str: "string", bool: "boolean", int: "number", list: "array", dict: "object"}
    inner = "".join(
        f'<|open|>argument key="{key}" type="{kinds[type(value)]}"<|sep|>{plain(value)}<|close|>argument<|sep|>'
        for key, value in arguments.items()
    )
    return f'<|open|>call tool="{name}" index="1"<|sep|>{inner}<|close|>call<|sep|>'


def as_minimax_m3(calls):
    mark = "]<]minimax[>["

    def element(key, value):
        if isinstance(value, dict):
            inner = "".join(element(*pair) for pair in value.items())
        elif isinstance(value, list):
            inner = "".join(element("item", item) for item in value)
        else:
            inner = plain(value)
        return f"{mark}<{key}>{inner}{mark}</{key}>"

    invokes = [
        f'{mark}<invoke name="{name}">'
        + "".join(element(*pair) for pair in arguments.items())
        + f"{mark}</invoke>\n"
        for name, arguments in calls
    ]
    return f"{mark}<tool_call>\n" + "".join(invokes) + f"{mark}</tool_call>"


JSON_FORMATS = {
    "hermes": each(lambda name, arguments: f"<tool_call>\n{as_json(name, arguments)}\n</tool_call>\n"),
    "hermes-unclosed": each(lambda name, arguments: f"<tool_call>{as_json(name, arguments)}"),
    "llama-python-tag": lambda calls: (
        "<|python_tag|>" + "; ".join(as_json(*call, "parameters") for call in calls) + "<|eom_id|>"
    ),
    "mistral-list": as_list("[TOOL_CALLS] "),
    "mistral-args": each(lambda name, arguments: f"[TOOL_CALLS]{name}[ARGS]{dumps(arguments)}"),
    "mistral-id": each(lambda name, arguments: f"[TOOL_CALLS]{name}[CALL_ID]a1B2c3D4e[ARGS]{dumps(arguments)}"),
    "deepseek-v3": each(
        lambda name, arguments: (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>"
            f"{name}\n```json\n{dumps(arguments)}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        )
    ),
    "deepseek-v3.1": each(
        lambda name, arguments: f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{dumps(arguments)}<｜tool▁call▁end｜>\n"
    ),
    "command-r": as_list("<|START_ACTION|>", "<|END_ACTION|>", "parameters", "tool_name"),
    "granite-3": as_list("<|tool_call|> "),
    "granite-20b": each(lambda name, arguments: f"<function_call> {as_json(name, arguments)}\n"),
    "functionary": each(lambda name, arguments: f"<function={name}>{dumps(arguments)}</function>"),
    "functionary-v3.2": lambda calls: "\n>>>".join(f"{name}\n{dumps(arguments)}" for name, arguments in calls),
    "internlm": each(
        lambda name, arguments: (
            f"<|action_start|><|plugin|>\n{as_json(name, arguments, 'parameters')}<|action_end|>\n"
        )
    ),
    "kimi-k2": lambda calls: (
        "<|tool_calls_section_begin|>"
        + "".join(
            f"<|tool_call_begin|>functions.{name}:{at} <|tool_call_argument_begin|> {dumps(arguments)} <|tool_call_end|>"
            for at, (name, arguments) in enumerate(calls)
        )
        + "<|tool_calls_section_end|>"
    ),
    "minimax-m1": lambda calls: "<tool_calls>\n" + "\n".join(as_json(*call) for call in calls) + "\n</tool_calls>",
    "harmony": lambda calls: "".join(
        f"<|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{dumps(arguments)}<|call|>"
        for name, arguments in calls
    ),
    "harmony-first": each(
        lambda name, arguments: (
            f"<|start|>assistant to=functions.{name}<|channel|>analysis<|message|>{dumps(arguments)}<|call|>"
        )
    ),
    "json-fence": lambda calls: (
        "```json\n" + dumps([{"name": name, "arguments": arguments} for name, arguments in calls]) + "\n```"
    ),
    "json-fences": each(lambda name, arguments: f"```\n{as_json(name, arguments)}\n```\n"),
    "bare-json": lambda calls: "\n".join(as_json(*call) for call in calls),
    "bare-json-tool": lambda calls: "\n".join(
        dumps({"tool": name, "args": arguments}) for name, arguments in calls
    ),
    "bare-list": as_list(""),
    "openai-message": lambda calls: dumps(
        {
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": n, "arguments": dumps(a)}} for n, a in calls
            ]
        }
    ),
    "tool-calls-tag": as_list("<tool_calls>", "</tool_calls>"),
    "nemotron": as_list("<TOOLCALL>", "</TOOLCALL>"),
    "functools": as_list("functools"),
    "longcat": each(lambda name, arguments: f"<longcat_tool_call>{as_json(name, arguments)}</longcat_tool_call>\n"),
    "gigachat": each(
        lambda name, arguments: f"<|message_sep|>\n\nfunction call<|role_sep|>\n{as_json(name, arguments)}"
    ),
    "apertus": lambda calls: "<|tools_prefix|>" + dumps([{n: a} for n, a in calls]) + "<|tools_suffix|>",
    "solar": each(
        lambda name, arguments: (
            f"<|tool_calls|><|tool_call:begin|>a1b2<|tool_call:name|>{name}"
            f"<|tool_call:args|>{dumps(arguments)}<|tool_call:end|><|calls|>"
        )
    ),
    "lm-studio": each(lambda name, arguments: f"[TOOL_REQUEST]\n{as_json(name, arguments)}\n[END_TOOL_REQUEST]\n"),
    "react": each(lambda name, arguments: f"Action: {name}\nAction Input: {dumps(arguments)}\n"),
    "inkling": each(
        lambda name, arguments: (
            f"<|message_model|>{name}<|content_invoke_tool_json|>{as_json(name, arguments, 'args')}<|end_message|>"
        )
    ),
}
TEXT_FORMATS = {
    "qwen-coder": as_parameters(
        "<tool_call>\n<function={name}>\n",
        "<parameter={key}>\n{value}\n</parameter>\n",
        "</function>\n</tool_call>\n",
    ),
    "qwen-coder-bare": as_parameters(
        "<function={name}>\n", "<parameter={key}>\n{value}\n</parameter>\n", "</function>\n"
    ),
    "seed": as_parameters(
        "<seed:tool_call>\n<function={name}>\n",
        "<parameter={key}>\n{value}\n</parameter>\n",
        "</function>\n</seed:tool_call>",
    ),
    "anthropic": as_parameters(
        '<invoke name="{name}">\n',
        '<parameter name="{key}">\n{value}\n</parameter>\n',
        "</invoke>\n",
        "<function_calls>\n",
        "</function_calls>",
    ),
    "minimax-m2": as_parameters(
        '<invoke name="{name}">\n',
        '<parameter name="{key}">\n{value}\n</parameter>\n',
        "</invoke>\n",
        "<minimax:tool_call>\n",
        "</minimax:tool_call>",
    ),
    "step": as_parameters(
        '<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="{name}">',
        '<steptml:parameter name="{key}">\n{value}\n</steptml:parameter>',
        "</steptml:invoke><｜tool_call_end｜>",
        "<｜tool_calls_begin｜>",
        "<｜tool_calls_end｜>",
    ),
    "minicpm": as_parameters(
        '<function name="{name}">', '<param name="{key}">\n{value}\n</param>', "</function>\n"
    ),
    "glm": as_parameters(
        "<tool_call>{name}\n", "<arg_key>{key}</arg_key>\n<arg_value>\n{value}\n</arg_value>\n", "</tool_call>\n"
    ),
    "hunyuan": as_parameters(
        "<tool_call:ab12>{name}<tool_sep>\n",
        "<arg_key:ab12>{key}</arg_key:ab12>\n<arg_value:ab12>\n{value}\n</arg_value:ab12>\n",
        "</tool_call:ab12>\n",
        "<tool_calls:ab12>\n",
        "</tool_calls:ab12>",
    ),
    "longcat-pairs": as_parameters(
        "<longcat_tool_call>{name}\n",
        "<longcat_arg_key>{key}</longcat_arg_key>\n<longcat_arg_value>\n{value}\n</longcat_arg_value>\n",
        "</longcat_tool_call>\n",
    ),
    "dsml": as_dsml,
    "kimi-k3": each(as_kimi_k3),
    "minimax-m3": as_minimax_m3,
    "gemma4": each(lambda name, arguments: f"<|tool_call>call:{name}{as_gemma(arguments)}<tool_call|>"),
}
PYTHON_FORMATS = {
    "pythonic": as_python("[", "]"),
    "llama4": as_python("<|python_start|>[", "]<|python_end|>"),
    "lfm2": as_python("<|tool_call_start|>[", "]<|tool_call_end|>"),
    "olmo": as_python("<function_calls>", "</function_calls>", "\n"),
    "tool-code": as_python("```tool_code\n", "\n```", "\n"),
    "tool-code-list": as_python("```tool_code\n[", "]\n```"),
    "tool-code-api": as_python("```tool_code\n", "\n```", "\n", prefix="default_api."),
    "tool-code-api-list": as_python("```tool_code\n[", "]\n```", prefix="default_api."),
}
FORMATS = {**JSON_FORMATS, **TEXT_FORMATS, **PYTHON_FORMATS}


def read(text, **options) -> Calls:
    return [(call.name, call.arguments) for call in salvage(text, TOOLS, **options)]


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS.keys())
@pytest.mark.parametrize(
    "calls", [[COUNT], [WRITE], [COUNT, WRITE], [WRITE, COUNT, COUNT]], ids=["typed", "text", "two", "three"]
)
def test_read_back(write, calls):
    assert read(write(calls)) == calls


@pytest.mark.parametrize("name", FORMATS.keys())
@pytest.mark.parametrize(
    "around",
    ["I will read it now.\n\n{}", "{}\nThank you!\n", "<think>\nMaybe {{x}}.\n</think>\n\n{}", "Hm.</think>{}"],
)
def test_words_around_do_not_matter(name, around):
    if name == "functionary-v3.2" and not around.startswith("{}"):
        pytest.skip("a name line is a call only where the reply begins")
    assert read(around.format(FORMATS[name]([COUNT]))) == [COUNT]


@pytest.mark.parametrize("name", FORMATS.keys())
def test_a_cut_reply_gives_whole_calls_or_none(name):
    calls = [WRITE, COUNT]
    text = FORMATS[name](calls)
    for end in range(len(text)):
        got = read(text[:end])
        assert got == calls[: len(got)], text[:end]
    assert read(text, finish_reason="length") == []


@pytest.mark.parametrize("name", [*JSON_FORMATS, *PYTHON_FORMATS])
def test_a_call_inside_a_quoted_argument_stays_text(name):
    for inner in FORMATS.values():
        call = ("write_file", {"path": "a.md", "content": inner([COUNT])})
        assert read(FORMATS[name]([call])) == [call]


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_a_call_inside_untyped_text_stays_text(name):
    for quoted, inner in FORMATS.items():
        call = ("write_file", {"path": "a.md", "content": inner([COUNT])})
        got = read(FORMATS[name]([call]))
        # Two formats have no way to quote themselves: there nothing is read at all.
        assert got == ([] if name == quoted in ("kimi-k3", "gemma4") else [call]), quoted


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("quoted", ["qwen-coder", "hermes", "glm", "anthropic"])
def test_a_cut_reply_that_quotes_calls_makes_none_of_them(name, quoted):
    call = ("write_file", {"path": "a.md", "content": FORMATS[quoted]([COUNT, LIST])})
    text = FORMATS[name]([call])
    for end in range(0, len(text), 3):
        assert read(text[:end]) in ([], [call]), text[:end]


CONTENT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.text(
    "{}[]()\"'\\\n<>/`:=, aen|", max_size=60
)


@pytest.mark.parametrize("name", JSON_FORMATS.keys())
@settings(deadline=None, max_examples=12)
@given(content=CONTENT)
def test_json_strings_are_byte_exact(name, content):
    call = ("write_file", {"path": "a", "content": content})
    assert read(JSON_FORMATS[name]([call])) == [call]


@pytest.mark.parametrize("name", PYTHON_FORMATS.keys())
@settings(deadline=None, max_examples=12)
@given(content=CONTENT)
def test_python_strings_are_byte_exact(name, content):
    call = ("write_file", {"path": "a", "content": content})
    assert read(PYTHON_FORMATS[name]([call])) == [call]


@pytest.mark.parametrize("name", TEXT_FORMATS.keys())
@settings(deadline=None, max_examples=12)
@given(content=CONTENT)
def test_untyped_text_is_byte_exact(name, content):
    if "<" in content or ("\n" in content[:1] and name in ("dsml", "kimi-k3", "minimax-m3", "gemma4")):
        return
    call = ("write_file", {"path": "a", "content": content})
    assert read(TEXT_FORMATS[name]([call])) == [call]
