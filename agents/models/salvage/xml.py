"""Calls whose parameters are elements: Qwen-Coder, Seed, Anthropic, MiniMax M2, DeepSeek DSML, Step, MiniCPM, Llama.

`<function=name><parameter=key>value</parameter></function>`, `<invoke name="…"><parameter name="…">…`, with any
name-space prefix (`antml:`, `｜DSML｜`), `<function name="…"><param name="…">…`, and `<function=name>{JSON}</function>`.
"""

# ruff: noqa: RUF001, RUF002  # the look-alike characters are those of the formats

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.literals import value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.schema import parse_text
from agents.models.salvage.shapes import arguments_of
from agents.models.salvage.tagged import unwrapped

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

_PREFIX = r"(?P<prefix>[\w-]+:|｜\w+｜)?"
# Some detokenisers lose the blank before `name` or leave its byte-level stand-in, Ġ.
OPENS = re.compile(
    _PREFIX
    + r"(?:(?P<tag>function|invoke|tool_call|tool|call|function_call)[\sĠ]*+name\s*=\s*[\"']?(?P<name>[\w.:/-]+)[\"']?[^>]*"
    r"|(?P<eq>function|tool)\s*=\s*[\"']?(?P<eqname>[\w.:/-]+)[\"']?|(?P<old>invoke))"
)
_PARAMETER = (
    r"<(?:[\w-]+:|｜\w+｜)?(?:parameter|param|argument|arg)"
    r"(?:\s*=\s*[\"']?(?P<eqkey>[\w.:/-]+)[\"']?|[\sĠ]*+name\s*=\s*[\"']?(?P<key>[\w.:/-]+)[\"']?(?P<rest>[^>]*))\s*>"
)
_PARAMETER_OPEN = re.compile(_PARAMETER)
_NEXT_PARAMETER = re.compile(r"\n[ \t]*+(?=<parameter=[\w.:/-]+>)")
_PARAMETER_CLOSE = r"</(?:[\w-]+:|｜\w+｜)?(?:parameter|param|argument|arg)>"
_CALL_CLOSE = r"</(?:[\w-]+:|｜\w+｜)?(?:function|invoke|tool_call|tool|call|function_call)>"
_CALL_CLOSE_HERE = re.compile(_CALL_CLOSE)
_VALUE_CLOSE = re.compile(
    _PARAMETER_CLOSE
    + rf"(?=\s*(?:{_CALL_CLOSE}|<(?:[\w-]+:|｜\w+｜)?(?:parameter|param|argument|arg)(?:[\sĠ=]|name=)))"
)
_PARAMETER_END = re.compile(_PARAMETER_CLOSE)
_INNER = re.compile(_PARAMETER_CLOSE + r"|<[\w:-]*(?:tool_call|function|invoke)[\s=>]")
_CDATA = re.compile(r"\s*<!\[CDATA\[([\s\S]*?)\]\]>(?=\s*</)")
_OLD = re.compile(r"\s*<tool_name>\s*([\w.:-]+)\s*</tool_name>\s*<(?:parameters|arguments)>")
_OLD_CHILD = re.compile(r"\s*<([A-Za-z_][\w.-]*)>")
_OLD_CLOSE = re.compile(r"\s*</(?:parameters|arguments)>\s*</invoke>")


def read(reader: Reader, opening: re.Match[str], tag: re.Match[str]) -> Span | None:
    """The call that this element opens, or None when the tag is only mentioned. Raises Cut."""
    if tag["old"]:
        return _old_anthropic(reader, opening)
    name = tag["name"] or tag["eqname"]
    at = reader.blank(opening.end())
    try:
        if reader.text.startswith("{", at):
            arguments, end = _json_arguments(reader, at)
            return Span(opening.start(), end, (Found(name, arguments, "function-json"),))
        arguments, end = _parameters(reader, at)
    except Malformed:
        raise Cut from None
    if tag["tag"] == "function" and set(arguments) == {"properties"}:
        # MiniCPM puts all parameters into one when it forgets their names.
        spread = parse_text(arguments["properties"])
        arguments = spread if isinstance(spread, dict) else arguments
    return Span(
        opening.start(),
        end,
        (Found(name, arguments, _format_of(tag), textual=True),),
    )


def _format_of(tag: re.Match[str]) -> str:
    if tag["eq"]:
        return "qwen-coder-xml"
    return "minicpm-xml" if tag["tag"] == "function" else f"{(tag['prefix'] or '').strip('｜:').lower()}invoke-xml"


def _json_arguments(reader: Reader, at: int) -> tuple[dict[str, Any], int]:
    value, end = value_at(reader, at)
    arguments = arguments_of(value)
    if arguments is None:
        raise Malformed
    close = reader.match(_CALL_CLOSE_HERE, reader.blank(end))
    return arguments, close.end() if close else end


def _parameters(reader: Reader, at: int) -> tuple[dict[str, Any], int]:
    """The parameters up to the call's closing tag. Raises Cut or Malformed."""
    arguments: dict[str, Any] = {}
    while (close := reader.match(_CALL_CLOSE_HERE, at)) is None:
        parameter = reader.match(_PARAMETER_OPEN, at)
        if parameter is None:
            raise Cut if at >= len(reader.text) else Malformed
        key = parameter["eqkey"] or parameter["key"]
        if key in arguments:
            raise Malformed
        value, at = _value(reader, parameter.end())
        arguments[key] = parse_text(value) if _says_typed(parameter["rest"]) else value
        at = reader.blank(at)
    return arguments, close.end()


def _says_typed(attributes: str | None) -> bool:
    return attributes is not None and 'string="false"' in attributes


def _value(reader: Reader, start: int) -> tuple[str, int]:
    """A parameter's text: up to the closing tag that a further tag of the call follows, so that it may hold tags."""
    cdata = reader.match(_CDATA, start)
    close = reader.balanced(cdata.end() if cdata else start, _VALUE_CLOSE, _PARAMETER_OPEN, _PARAMETER_END)
    if cdata is not None and close is not None and not reader.text[cdata.end() : close.start()].strip():
        return cdata[1], close.end()
    following = _NEXT_PARAMETER.search(reader.text, start, close.start() if close else len(reader.text))
    if following is not None and not _INNER.search(reader.text, start, following.start()):
        return unwrapped(reader.text[start : following.start() + 1]), following.end()
    if close is not None:
        return unwrapped(reader.text[start : close.start()]), close.end()
    end = _CALL_CLOSE_HERE.search(reader.text, start)
    if end is None:
        raise Cut
    if _INNER.search(reader.text, start, end.start()):
        # The closing tag may belong to what the value quotes, and the reply may be cut inside the value.
        raise Cut
    return unwrapped(reader.text[start : end.start()]), end.start()


def _old_anthropic(reader: Reader, opening: re.Match[str]) -> Span | None:
    head = reader.match(_OLD, opening.end())
    if head is None:
        return None
    arguments: dict[str, Any] = {}
    at = head.end()
    while (close := reader.match(_OLD_CLOSE, at)) is None:
        child = reader.match(_OLD_CHILD, at)
        if child is None or child[1] in arguments:
            raise Cut
        end = reader.find(f"</{child[1]}>", child.end())
        if end < 0:
            raise Cut
        arguments[child[1]] = unwrapped(reader.text[child.end() : end])
        at = end + len(child[1]) + 3
    return Span(opening.start(), close.end(), (Found(head[1], arguments, "anthropic-old-xml", textual=True),))
