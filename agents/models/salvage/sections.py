"""Name, separator, JSON: DeepSeek V3, R1 and V3.1, Kimi K2, and Solar Open."""

# ruff: noqa: RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.models.salvage.literals import value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.shapes import arguments_of

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

OPENS = re.compile(r"tool_call[_:]begin")
_HEAD = re.compile(
    r"\s*(?:function\s*<[|｜]tool[_▁ ]sep[|｜]>\s*|[\w-]{0,64}<\|tool_call:name\|>\s*)?"
    r"(?:functions\.)?(?P<name>[A-Za-z_][\w.-]*)\s*(?::\d+)?\s*"
    r"(?:<[|｜]tool[_▁ ](?:sep|call(?:[_▁ ]argument[_▁ ]begin|:args))[|｜]>)?\s*(?P<fence>```(?:json)?)?\s*(?=\{)"
)
_TAIL = re.compile(r"\s*(?:```)?\s*(?:<[|｜]tool[_▁ ]call[_▁ :]end[|｜]>)?")


def read(reader: Reader, opening: re.Match[str], _tag: str) -> Span | None:
    """The call in this section, or None when the section holds another format (Step). Raises Cut."""
    head = reader.match(_HEAD, opening.end())
    if head is None:
        return None
    try:
        value, end = value_at(reader, head.end())
        arguments = arguments_of(value)
    except Malformed:
        raise Cut from None
    if arguments is None:
        raise Cut
    tail = reader.match(_TAIL, end)
    format_id = "deepseek" if "｜" in opening[0] else "solar" if ":" in opening[0] else "kimi-k2"
    return Span(opening.start(), tail.end() if tail else end, (Found(head["name"], arguments, format_id),))
