# ruff: noqa: RUF001 - the tokens of DeepSeek have a wide bar in them
"""The right call in the wrong form: as text, in the dialect of one model family or another, or as a plain file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from millwright.gym.misbehaviour import CALLING, REGISTRY, WRITING, Misbehaviour, misbehaviour
from millwright.gym.script import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from millwright.gym.pupil import Moment

    Form = Callable[[str, dict[str, Any]], str]

FENCE = "```"


def _json(name: str, arguments: dict[str, Any], key: str = "arguments") -> str:
    return json.dumps({"name": name, key: arguments})


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _qwen_xml(name: str, arguments: dict[str, Any]) -> str:
    parts = "".join(f"<parameter={k}>\n{_value(v)}\n</parameter>\n" for k, v in arguments.items())
    return f"<tool_call>\n<function={name}>\n{parts}</function>\n</tool_call>"


def _anthropic_xml(name: str, arguments: dict[str, Any]) -> str:
    parts = "".join(f'<parameter name="{k}">{_value(v)}</parameter>\n' for k, v in arguments.items())
    return f'<function_calls>\n<invoke name="{name}">\n{parts}</invoke>\n</function_calls>'


def _glm(name: str, arguments: dict[str, Any]) -> str:
    parts = "".join(f"<arg_key>{k}</arg_key>\n<arg_value>{_value(v)}</arg_value>\n" for k, v in arguments.items())
    return f"<tool_call>{name}\n{parts}</tool_call>"


def _pythonic(name: str, arguments: dict[str, Any]) -> str:
    return f"[{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})]"


def _deepseek(name: str, arguments: dict[str, Any]) -> str:
    body = f"function<｜tool▁sep｜>{name}\n{FENCE}json\n{json.dumps(arguments)}\n{FENCE}"
    return f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{body}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"


def _deepseek_31(name: str, arguments: dict[str, Any]) -> str:
    body = f"{name}<｜tool▁sep｜>{json.dumps(arguments)}"
    return f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{body}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"


def _kimi(name: str, arguments: dict[str, Any]) -> str:
    body = f"functions.{name}:0<|tool_call_argument_begin|>{json.dumps(arguments)}"
    return f"<|tool_calls_section_begin|><|tool_call_begin|>{body}<|tool_call_end|><|tool_calls_section_end|>"


def _harmony(name: str, arguments: dict[str, Any]) -> str:
    return f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{json.dumps(arguments)}<|call|>"


def _minimax(name: str, arguments: dict[str, Any]) -> str:
    parts = "".join(f'<parameter name="{k}">{_value(v)}</parameter>\n' for k, v in arguments.items())
    return f'<minimax:tool_call>\n<invoke name="{name}">\n{parts}</invoke>\n</minimax:tool_call>'


def _command_r(name: str, arguments: dict[str, Any]) -> str:
    return f"Action: {FENCE}json\n{json.dumps([{'tool_name': name, 'parameters': arguments}])}\n{FENCE}"


FORMS: dict[str, tuple[str, Form]] = {
    "bare_json_call": ("writes the call as bare JSON text", _json),
    "fenced_json_call": (
        "writes the call as a fenced JSON block",
        lambda n, a: f"{FENCE}json\n{_json(n, a)}\n{FENCE}",
    ),
    "hermes_call": (
        "writes the call in the tags of Hermes and Qwen",
        lambda n, a: f"<tool_call>\n{_json(n, a)}\n</tool_call>",
    ),
    "hermes_call_unclosed": ("leaves the closing tag out", lambda n, a: f"<tool_call>\n{_json(n, a)}"),
    "qwen_xml_call": ("writes the call in the XML of Qwen-Coder", _qwen_xml),
    "anthropic_xml_call": ("writes the call in the XML of Anthropic", _anthropic_xml),
    "glm_call": ("writes the call in the tags of GLM", _glm),
    "mistral_call": (
        "writes the call after [TOOL_CALLS]",
        lambda n, a: f"[TOOL_CALLS][{_json(n, a)}]",
    ),
    "mistral_args_call": (
        "writes the call as [TOOL_CALLS]name[ARGS]",
        lambda n, a: f"[TOOL_CALLS]{n}[ARGS]{json.dumps(a)}",
    ),
    "pythonic_call": ("writes the call as a list of Python calls", _pythonic),
    "llama_call": (
        "writes the call after Llama's python tag",
        lambda n, a: f"<|python_tag|>{_json(n, a, 'parameters')}",
    ),
    "deepseek_call": ("writes the call in the tokens of DeepSeek V3", _deepseek),
    "deepseek_31_call": ("writes the call in the tokens of DeepSeek V3.1", _deepseek_31),
    "kimi_call": ("writes the call in the tokens of Kimi", _kimi),
    "harmony_call": ("writes the call in a channel of gpt-oss", _harmony),
    "minimax_call": ("writes the call in the tags of MiniMax", _minimax),
    "command_r_call": ("writes the call as an action of Command-R", _command_r),
    "granite_call": ("writes the call after Granite's token", lambda n, a: f"<|tool_call|>[{_json(n, a)}]"),
    "functionary_call": ("writes the call after >>>", lambda n, a: f">>>{n}\n{json.dumps(a)}"),
    "explained_call": (
        "explains itself, then writes the call as text",
        lambda n, a: f"Sure! I will do that now.\n\n<tool_call>\n{_json(n, a)}\n</tool_call>",
    ),
    "thought_then_call": (
        "thinks in tags, then writes the call as text",
        lambda n, a: f"<think>\nI could call finish() now.\n</think>\n<tool_call>\n{_json(n, a)}\n</tool_call>",
    ),
}


def _as_text(form: Form) -> Callable[[Moment], Reply]:
    def play(moment: Moment) -> Reply:
        return replace(moment.good, content=form(*moment.called), tool_calls=())

    return play


for _name, (_about, _form) in FORMS.items():
    REGISTRY[_name] = Misbehaviour(_name, _about[0].upper() + _about[1:], CALLING, _as_text(_form), harmless=True)


@misbehaviour(WRITING, harmless=True)
def markdown_file(moment: Moment) -> Reply:
    """Answers with the file in a fence below its path, and calls nothing."""
    return Reply(f"Here is the file:\n\n{moment.path}\n{FENCE}\n{moment.text}{FENCE}\n")


@misbehaviour(WRITING, harmless=True)
def path_in_the_fence(moment: Moment) -> Reply:
    """Answers with the file in a fence that names it."""
    return Reply(f"{FENCE}{moment.path.rpartition('.')[2]}:{moment.path}\n{moment.text}{FENCE}\n")


@misbehaviour(CALLING)
def python_dict_call(moment: Moment) -> Reply:
    """Writes the call as a Python dictionary instead of JSON."""
    name, arguments = moment.called
    return Reply(repr({"name": name, "arguments": arguments}))


@misbehaviour(CALLING)
def smart_quotes_call(moment: Moment) -> Reply:
    """Writes the call as JSON with typographic quotes."""
    return Reply(_json(*moment.called).replace('"', "\u201d"))


@misbehaviour(CALLING, harmless=True)
def native_call_and_thoughts(moment: Moment) -> Reply:
    """Calls as it should, with unclosed thinking in the content."""
    return replace(moment.good, content="<think>Wait. Should I? Yes.", thinking="Hm.")
