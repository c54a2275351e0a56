"""Markers that are no tags: Mistral's `[TOOL_CALLS]` in its forms, LM Studio's `[TOOL_REQUEST]`, Phi's `functools[`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.models.salvage.literals import value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.shapes import arguments_of, calls_in

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

_NAMED = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\])?\s*(?=\{)")
_BEFORE_ARGS = re.compile(r"([A-Za-z_][\w.-]{0,80})(?:\[CALL_ID\]\w{1,40})?\Z")
_REQUEST_END = "[END_TOOL_REQUEST]"


def tool_calls(reader: Reader, opening: re.Match[str]) -> Span | None:
    """`[TOOL_CALLS]` with a JSON list, or with names and `[ARGS]`. Raises Cut."""
    at = reader.blank(opening.end())
    try:
        if reader.text[at : at + 1] in ("[", "{"):
            value, end = value_at(reader, at)
            return Span(opening.start(), end, calls_in(value, "mistral"))
        found, end = _named(reader, at)
    except Malformed:
        # No marker closes this format, so nothing after a broken body can be told from its arguments.
        raise Cut from None
    return Span(opening.start(), end, found) if found else None


def _named(reader: Reader, at: int) -> tuple[tuple[Found, ...], int]:
    found: list[Found] = []
    while (head := reader.match(_NAMED, at)) is not None:
        value, at = value_at(reader, head.end())
        arguments = arguments_of(value)
        if arguments is None:
            raise Malformed
        found.append(Found(head[1], arguments, "mistral-args"))
    return tuple(found), at


def args(reader: Reader, opening: re.Match[str]) -> Span | None:
    """`name[ARGS]{…}` whose `[TOOL_CALLS]` was lost on the way. Raises Cut."""
    name = _BEFORE_ARGS.search(reader.text, max(0, opening.start() - 130), opening.start())
    at = reader.blank(opening.end())
    if name is None or not reader.text.startswith("{", at):
        return None
    try:
        found, end = _named(reader, name.start())
    except Malformed:
        raise Cut from None
    return Span(name.start(), end, found) if found else None


def tool_request(reader: Reader, opening: re.Match[str]) -> Span | None:
    """`[TOOL_REQUEST]{…}[END_TOOL_REQUEST]`. Raises Cut."""
    at = reader.blank(opening.end())
    if reader.text[at : at + 1] not in ("[", "{"):
        return None
    try:
        value, after = value_at(reader, at)
    except Malformed:
        raise Cut from None
    after = reader.blank(after)
    if not reader.text.startswith(_REQUEST_END, after):
        raise Cut
    return Span(opening.start(), after + len(_REQUEST_END), calls_in(value, "lm-studio"))


def functools(reader: Reader, opening: re.Match[str]) -> Span | None:
    """`functools[{…}, …]`. Raises Cut."""
    try:
        value, end = value_at(reader, opening.end() - 1)
    except Malformed:
        raise Cut from None
    return Span(opening.start(), end, calls_in(value, "functools"))
