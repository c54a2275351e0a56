"""One marker, then a call: Hermes, Qwen, Granite, Functionary, GLM, Gemma, InternLM, Command-R, Apertus, Phi, …

The markers differ, the bodies come from a small set: JSON objects or lists, Python calls, a name with `<arg_key>`
pairs (GLM), a name with JSON, a bare name, Gemma's `call:name{…}`. So the body decides, not the marker.
"""

# ruff: noqa: RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage import pythonic
from agents.models.salvage.literals import literal_at, value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.shapes import arguments_of, calls_in

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

OPENS = re.compile(
    r"(?:[\w.]+[_:])?(?:tool[_-]?calls?|function[_-]?calls?|tool_use|tools?|tool_code|tool_request|tool_calls?_start"
    r"|start_function_call|tools_prefix|start_action|action_start|plugin|interpreter|python_start|python_tag"
    r"|role_sep|content_invoke_tool_json)(?::[0-9a-zA-Z]{1,16})?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][\w.:-]{0,127}")
_SEPARATOR = re.compile(r"\s*(?:<[|｜]?(?:tool|arg|function)_?sep[|｜]?>)?\s*")
_PAIR = re.compile(
    r"\s*<(?:longcat_)?arg_key(:\w+)?>\s*([^<]{1,200}?)\s*</(?:longcat_)?arg_key(?::\w+)?>"
    r"\s*<(?:longcat_)?arg_value(?::\w+)?>"
)
_VALUE_OPEN = re.compile(r"<(?:longcat_)?arg_value(?::\w+)?>")
_VALUE_END = re.compile(r"</(?:longcat_)?arg_value(?::\w+)?>")
_PAIR_CLOSE = re.compile(
    r"</(?:longcat_)?arg_value(?::\w+)?>(?=\s*(?:<(?:longcat_)?arg_key|</?[\w|:]*(?:tool|function)_?calls?\b))"
)
_CLOSE = re.compile(
    r"\s*(?:</[^<>\n]{1,60}>|<[^<>\n]{1,60}\|>|<\|/[^<>\n]{1,60}>|<end_function_call>|\[END_TOOL_REQUEST\])"
)
_GEMMA = re.compile(r"\s*(?:call)?:\s*([A-Za-z_][\w.-]*)\s*(?=\{)")
_GEMMA_BARE = re.compile(r"\s*(?:call)?:\s*([^{}<>\n]{1,80}?)\s*<tool_call\|>")
_FENCE_OPEN = re.compile(r"```(?:json|tool_call|tool_code|python)?\s*(?=[\[{])")
_ROLE_SEP = re.compile(r"function call<\|role_sep\|>\Z")


def name_of(tag: str) -> str:
    """The marker's own name, for the audit trail: `|tool_call_start|` is `tool_call_start`."""
    return tag.strip("|｜/").replace("▁", "_").replace(" ", "_").lower()


def read(reader: Reader, opening: re.Match[str], tag: str) -> Span | None:
    """What follows the marker, or None when it only mentions or wraps another one. Raises Cut."""
    if tag == "role_sep" and not _ROLE_SEP.search(reader.text, max(0, opening.start() - 14), opening.end()):
        return None
    try:
        found, end = body(reader, opening.end(), tag)
    except Malformed:
        raise Cut from None
    return Span(opening.start(), end, found) if found or end > opening.end() else None


def body(reader: Reader, start: int, tag: str) -> tuple[tuple[Found, ...], int]:
    """The calls that stand after a marker, and where they end. Raises Cut or Malformed."""
    at = reader.blank(start)
    fence = reader.match(_FENCE_OPEN, at)
    at = fence.end() if fence else at
    text = reader.text
    if text[at : at + 1] in ("{", "["):
        if reader.match(pythonic.LIST_OPENS, at):
            found, end = pythonic.call_list(reader, at, f"pythonic:{tag}", loose=True)
            return found, _closed(reader, end)
        return _json(reader, at, tag)
    if tag == "role_sep" or text[at : at + 1] == "<":
        return (), start
    if (gemma := reader.match(_GEMMA, at) or reader.match(_GEMMA_BARE, at)) is not None:
        return _gemma(reader, gemma)
    if reader.match(pythonic.CALL_OPENS, at):
        found, end = pythonic.call_lines(reader, at, f"pythonic:{tag}")
        return found, _closed(reader, end)
    return _named(reader, at, tag) or ((), start)


def _json(reader: Reader, at: int, tag: str) -> tuple[tuple[Found, ...], int]:
    found: list[Found] = []
    end = at
    while reader.text[at : at + 1] in ("{", "["):
        try:
            value, end = value_at(reader, at)
        except (Cut, Malformed):
            value, end = _one_brace_short(reader, at, tag)
        found += calls_in(value, f"json:{tag}", keyed=tag == "tools_prefix")
        at = reader.blank(end)
        if reader.text[at : at + 1] in (",", ";"):
            at = reader.blank(at + 1)
    return tuple(found), _closed(reader, end)


def _one_brace_short(reader: Reader, at: int, tag: str) -> tuple[Any, int]:
    """An object that the closing marker ends one brace too early: the end was seen, and only one value is possible."""
    close = reader.find(f"</{tag}>", at)
    if close < 0:
        raise Cut
    source = reader.text[at:close].rstrip()
    reader.charge(len(source))
    if not source.endswith("}"):
        raise Malformed
    try:
        return json.loads(source + "}", strict=False), close
    except (ValueError, RecursionError) as error:
        raise Malformed from error


def _gemma(reader: Reader, opening: re.Match[str]) -> tuple[tuple[Found, ...], int]:
    if opening.re is _GEMMA_BARE:
        return (Found(opening[1], {}, "gemma"),), opening.end()
    arguments, end = literal_at(reader, opening.end(), barewords=True)
    if not isinstance(arguments, dict):
        raise Malformed
    return (Found(opening[1], arguments, "gemma"),), _closed(reader, end)


def _named(reader: Reader, at: int, tag: str) -> tuple[tuple[Found, ...], int] | None:
    """A name alone, with JSON, or with GLM's `<arg_key>` pairs; the closing marker must be there."""
    name = reader.match(_NAME, at)
    if name is None:
        return None
    at = _SEPARATOR.match(reader.text, name.end()).end()  # type: ignore[union-attr]  # the pattern matches always
    if reader.text.startswith("{", at):
        value, end = value_at(reader, at)
        arguments = arguments_of(value)
        if arguments is None:
            raise Malformed
        return (Found(name[0], arguments, f"named:{tag}"),), _closed(reader, end)
    if at >= len(reader.text):
        raise Cut
    arguments = {}
    while (pair := reader.match(_PAIR, at)) is not None:
        close = reader.balanced(pair.end(), _PAIR_CLOSE, _VALUE_OPEN, _VALUE_END)
        if close is None:
            raise Cut
        if pair[2] in arguments:
            raise Malformed
        arguments[pair[2]] = unwrapped(reader.text[pair.end() : close.start()])
        at = reader.blank(close.end())
    if not re.compile(r"</[\w|:.]*call").match(reader.text, at):
        if arguments:
            raise Cut
        return None
    return (Found(name[0], arguments, f"arg_key:{tag}", textual=True),), _closed(reader, at)


def unwrapped(value: str) -> str:
    """A value without the one line break on each side that stands for the tags' own lines."""
    if value.startswith("\n"):
        return value[1:].removesuffix("\n")
    return value


def _closed(reader: Reader, end: int) -> int:
    """The position after the closing marker, if it follows."""
    close = reader.match(_CLOSE, reader.blank(end))
    return close.end() if close and not close[0].lstrip().startswith("<|tool_call") else end
