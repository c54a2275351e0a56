"""Llama's `<|python_tag|>`: JSON calls, calls of tools as Python, or a program, which is no call.

Llama 3.1's own form is `<|python_tag|>tool.call(query="…")`; for a tool of the user's it is JSON or `tool(query="…")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.models.salvage import pythonic, tagged
from agents.models.salvage.reader import Cut, Malformed, Span

if TYPE_CHECKING:
    import re
    from collections.abc import Collection

    from agents.models.salvage.reader import Reader

TAG = "|python_tag|"


def read(reader: Reader, opening: re.Match[str], offered: Collection[str]) -> Span | None:
    """The calls after the tag, a program to pass over, or None when the tag is only mentioned. Raises Cut."""
    at = reader.blank(opening.end())
    head = reader.match(pythonic.CALL_OPENS, at)
    if head is None:
        span = tagged.read(reader, opening, tagged.name_of(TAG))
        return span if span or reader.text.startswith("<", at) else _program(reader, opening)
    try:
        found, end = pythonic.call_lines(reader, at, "pythonic:python_tag")
    except Malformed:
        if head[0].rstrip("( \t\n").removesuffix(".call") in offered:
            raise Cut from None
        return _program(reader, opening)
    after = reader.blank(end)
    if after < len(reader.text) and not reader.text.startswith("<", after):
        # What a program does with the results, a call cannot.
        raise Cut
    unknown = tuple(call for call in found if call.name not in offered)
    return Span(opening.start(), end, unknown or found)


def _program(reader: Reader, opening: re.Match[str]) -> Span | None:
    """The text up to the next special token; it is none of the model's talk, so no call is looked for in it."""
    line = reader.text[reader.text.rfind("\n", 0, opening.start()) + 1 : opening.start()].rstrip()
    if line and not line.endswith(">"):
        return None
    end = reader.find("<|", opening.end())
    end = end if end >= 0 else len(reader.text)
    reader.charge(end - opening.end())
    return Span(opening.start(), end)
