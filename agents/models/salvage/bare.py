"""Calls without the marker of a format: JSON, a Python list, a name with JSON below it, `Action:` lines."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from agents.models.salvage import pythonic
from agents.models.salvage.literals import value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Reader, Span
from agents.models.salvage.shapes import arguments_of, calls_in

if TYPE_CHECKING:
    from collections.abc import Collection

_ALL = re.compile(r"all\n[^>]*+>>>")
_NAME_LINE = re.compile(r"(?:>>>)?([A-Za-z_][\w.-]{0,127}+)[ \t]*+\n\s*+(?=\{)")
_REACT = re.compile(r"[* ]*`?([A-Za-z_][\w.-]*)`?\s*\n\s*(?:\*\*)?Action Input:(?:\*\*)?\s*(?=\{)", re.IGNORECASE)
_QWEN2 = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*✿ARGS✿:\s*(?=\{)")
_LIKE_A_CALL = re.compile(
    r"[\[\s]*+\{\s*+[\"'](?:name|tool|tool_name|function|function_name|function_call|action|tool_calls?|arguments|parameters)[\"']"
)
_PARAGRAPH = re.compile(r"\n[ \t]*+\n|\Z")


def json_value(reader: Reader, opening: re.Match[str]) -> Span | None:
    """The JSON value that begins here with the calls it holds. Raises Cut when it runs into the end of the reply."""
    try:
        value, end = value_at(reader, opening.start())
    except Malformed:
        if reader.match(_LIKE_A_CALL, opening.start()):
            raise Cut from None
        # Its inner objects must not be taken for calls of their own.
        paragraph = _PARAGRAPH.search(reader.text, opening.end())
        end = paragraph.start() if paragraph else len(reader.text)
        reader.charge(end - opening.end())
        return Span(opening.start(), end, marked=False)
    found = calls_in(value, "bare-json", marked=False)
    return Span(opening.start(), end, found, marked=False)


def pythonic_list(reader: Reader, opening: re.Match[str]) -> Span | None:
    """A bracketed list of calls with keyword arguments; any other bracket gives None. Raises Cut."""
    try:
        found, end = pythonic.call_list(reader, opening.start(), "pythonic")
    except Malformed:
        return None
    return Span(opening.start(), end, found, marked=False)


def code_calls(reader: Reader) -> tuple[Found, ...]:
    """The calls of a `tool_code` block that holds nothing else: lines or a list, with or without Gemma's `default_api.`."""
    at = reader.blank(0)
    read = pythonic.call_list if reader.match(pythonic.LIST_OPENS, at) else pythonic.call_lines
    try:
        found, end = read(reader, at, "tool-code")
    except (Cut, Malformed):
        return ()
    if reader.blank(end) != len(reader.text):
        return ()
    return tuple(replace(call, name=call.name.removeprefix("default_api.")) for call in found)


def name_line(reader: Reader, offered: Collection[str]) -> Span | None:
    """Functionary v3.2: the reply begins with an offered tool's name and its JSON below. Raises Cut."""
    at = reader.blank(0)
    talk = reader.match(_ALL, at)
    head = reader.match(_NAME_LINE, talk.end() if talk else at)
    if head is None or head[1] not in offered:
        return None
    found: list[Found] = []
    end = 0
    while head is not None and head[1] in offered:
        try:
            value, end = value_at(reader, head.end())
        except Malformed:
            return Span(0, len(reader.text))
        arguments = arguments_of(value)
        if arguments is not None:
            found.append(Found(head[1], arguments, "functionary"))
        head = reader.match(_NAME_LINE, reader.blank(end))
    return Span(0, end, tuple(found))


def labelled(reader: Reader, opening: re.Match[str]) -> Span | None:
    """`Action: name` with `Action Input: {…}`, or Qwen 2's `✿FUNCTION✿: name ✿ARGS✿: {…}`. Raises Cut."""
    qwen = opening["labelled"].startswith("✿")
    head = reader.match(_QWEN2 if qwen else _REACT, opening.end())
    if head is None:
        return None
    try:
        value, end = value_at(reader, head.end())
    except Malformed:
        raise Cut from None
    arguments = arguments_of(value)
    if arguments is None:
        raise Cut
    return Span(opening.start(), end, (Found(head[1], arguments, "qwen2" if qwen else "react"),))
