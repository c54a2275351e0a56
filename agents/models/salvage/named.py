"""Elements named after a tool, with a child for each parameter: `<read_file><path>a.py</path></read_file>`.

Cline and Roo Code ask for this form in their prompts, so models write it unasked. Values are verbatim, or CDATA.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.reader import Cut, Found, Span
from agents.models.salvage.tagged import unwrapped

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents.models.salvage.reader import Reader

_ANY_NAME = r"[A-Za-z_][\w.-]{0,127}"


def read(reader: Reader, opening: re.Match[str], tool: str, parameters: Collection[str]) -> Span | None:
    """The call that this element is, or None when the tag is only mentioned. Raises Cut.

    `parameters` are the tool's own; without any, each child is taken for one.
    """
    names = "|".join(map(re.escape, parameters)) or _ANY_NAME
    child_opens, closes = re.compile(rf"<({names})>"), f"</{tool}>"
    arguments: dict[str, Any] = {}
    at = reader.blank(opening.end())
    while not reader.text.startswith(closes, at):
        child = reader.match(child_opens, at)
        if child is None and not arguments:
            return None
        if child is None or child[1] in arguments:
            raise Cut
        arguments[child[1]], at = _value(reader, child, rf"(?=\s*(?:{re.escape(closes)}|<(?:{names})>))")
        at = reader.blank(at)
    found = Found(tool, arguments, "tool-element", textual=True)
    return Span(opening.start(), at + len(closes), (found,))


def _value(reader: Reader, child: re.Match[str], follows: str) -> tuple[str, int]:
    """A child's text: up to the closing tag that a further tag of the call follows, so that it may hold tags."""
    name = re.escape(child[1])
    if reader.text.startswith("<![CDATA[", reader.blank(child.end())):
        data = re.compile(rf"\s*<!\[CDATA\[([\s\S]*?)\]\]>\s*</{name}>{follows}").match(reader.text, child.end())
        reader.charge((data.end() if data else len(reader.text)) - child.end())
        if data is None:
            raise Cut
        return data[1], data.end()
    close = reader.balanced(
        child.end(), re.compile(f"</{name}>{follows}"), re.compile(f"<{name}>"), re.compile(f"</{name}>")
    )
    if close is None:
        raise Cut
    return unwrapped(reader.text[child.end() : close.start()]), close.end()
