"""Calls written as Python: `[get(a=1), put(b="x")]`, as Llama 4, LFM2, OLMo and Gemma write them."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.literals import literal_at, value_at
from agents.models.salvage.reader import Cut, Found, Malformed

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

_CALL = re.compile(r"([A-Za-z_][\w.-]*)\s*\(")
_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
_PRINT = re.compile(r"print\(\s*(?=[A-Za-z_][\w.]*\()")
LIST_OPENS = re.compile(r"\[\s*(?=[A-Za-z_][\w.-]*\()")
"""A bracket that may begin a list of calls."""
CALL_OPENS = re.compile(r"(?:print\(\s*)?[A-Za-z_][\w.-]*\(")
"""A name and a parenthesis."""


def call_list(reader: Reader, at: int, format_id: str, *, loose: bool = False) -> tuple[tuple[Found, ...], int]:
    """The calls of a bracketed list and the position after it. Raises Cut or Malformed.

    `loose` is for text between the format's own markers: there a string may hold its own quotes unescaped.
    """
    try:
        return _list(reader, at, format_id, loose=False)
    except (Cut, Malformed):
        if not loose:
            raise
        return _list(reader, at, format_id, loose=True)


def _list(reader: Reader, at: int, format_id: str, *, loose: bool) -> tuple[tuple[Found, ...], int]:
    found: list[Found] = []
    at = reader.blank(at + 1)
    while not reader.text.startswith("]", at):
        call, at = _call(reader, at, format_id, loose=loose)
        found.append(call)
        at = _after_comma(reader, at, "]")
    return tuple(found), at + 1


def call_lines(reader: Reader, at: int, format_id: str) -> tuple[tuple[Found, ...], int]:
    """One call after another without brackets, apart by white space, commas or semicolons; `print(…)` around is dropped."""
    found: list[Found] = []
    end = at
    while (opening := reader.match(CALL_OPENS, at)) is not None:
        wrapped = opening[0].startswith("print(") and reader.match(_PRINT, at)
        call, end = _call(reader, wrapped.end() if wrapped else at, format_id, loose=False)
        if wrapped:
            end = reader.blank(end)
            if not reader.text.startswith(")", end):
                raise Malformed
            end += 1
        found.append(call)
        at = reader.blank(end)
        if reader.text[at : at + 1] in (",", ";"):
            at = reader.blank(at + 1)
    return tuple(found), end


def _call(reader: Reader, at: int, format_id: str, *, loose: bool) -> tuple[Found, int]:
    opening = reader.match(_CALL, at)
    if opening is None:
        raise Cut if at >= len(reader.text) else Malformed
    arguments: dict[str, Any] = {}
    at = reader.blank(opening.end())
    while not reader.text.startswith(")", at):
        keyword = reader.match(_KEYWORD, at)
        if keyword is None:
            raise Cut if reader.blank(at) >= len(reader.text) else Malformed
        if keyword[1] in arguments:
            raise Malformed
        read = functools.partial(literal_at, loose=True) if loose else value_at
        arguments[keyword[1]], at = read(reader, reader.blank(keyword.end()))
        at = _after_comma(reader, at, ")")
    return Found(opening[1].removesuffix(".call"), arguments, format_id), at + 1


def _after_comma(reader: Reader, at: int, close: str) -> int:
    at = reader.blank(at)
    if reader.text.startswith(",", at):
        return reader.blank(at + 1)
    if at >= len(reader.text):
        raise Cut
    if not reader.text.startswith(close, at):
        raise Malformed
    return at
