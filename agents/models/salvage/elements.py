"""Two formats of nested special tokens: Kimi K3's `<|open|>call …<|sep|>` and MiniMax M3's marked elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.schema import parse_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.models.salvage.reader import Reader

KIMI_OPENS = re.compile(r"open")
_CALL = re.compile(r"call\s+tool=\"([^\"]+)\"[^<]*<\|sep\|>")
_ARGUMENT = re.compile(r"\s*<\|open\|>argument\s+key=\"([^\"]+)\"(?:\s+type=\"(\w+)\")?[^<]*<\|sep\|>")
_ARGUMENT_CLOSE = "<|close|>argument<|sep|>"
_CALL_CLOSE = re.compile(r"\s*<\|close\|>call<\|sep\|>")

MINIMAX_OPENS = re.compile(r"\]minimax\[")
_MARK = "]<]minimax[>["
_TAG = re.compile(re.escape(_MARK) + r"<(/?)([A-Za-z_][\w.-]*)(?:\s+name=\"([^\"]*)\")?>")
_DEPTH = 40


def kimi(reader: Reader, opening: re.Match[str], _tag: str) -> Span | None:
    """One `call` block with its typed arguments; other blocks give None. Raises Cut."""
    head = reader.match(_CALL, opening.end())
    if head is None:
        return None
    arguments: dict[str, Any] = {}
    at = head.end()
    while (close := reader.match(_CALL_CLOSE, at)) is None:
        argument = reader.match(_ARGUMENT, at)
        end = reader.find(_ARGUMENT_CLOSE, argument.end()) if argument else -1
        if argument is None or end < 0 or argument[1] in arguments:
            raise Cut
        value = reader.text[argument.end() : end]
        arguments[argument[1]] = value if argument[2] in (None, "string") else parse_text(value)
        at = end + len(_ARGUMENT_CLOSE)
    return Span(opening.start(), close.end(), (Found(head[1], arguments, "kimi-k3", textual=True),))


def minimax(reader: Reader, opening: re.Match[str], _tag: str) -> Span | None:
    """The whole block from `<tool_call>` to its end. Raises Cut."""
    tags = _TAG.finditer(reader.text, opening.start() - 1)
    first = next(tags, None)
    if first is None or first.start() != opening.start() - 1:
        return None
    if (first[1], first[2]) == ("/", "tool_call"):
        return Span(first.start(), first.end())
    if first[2] != "tool_call":
        return None
    found: list[Found] = []
    for tag in tags:
        if (tag[1], tag[2]) == ("/", "tool_call"):
            return Span(first.start(), tag.end(), tuple(found))
        if tag[2] != "invoke" or not tag[3]:
            break
        try:
            found.append(_invoke(reader, tag, tags))
        except Malformed:
            break
    reader.charge(len(reader.text) - opening.end())
    raise Cut


def _invoke(reader: Reader, opening: re.Match[str], tags: Iterator[re.Match[str]]) -> Found:
    arguments: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for tag in tags:
        if tag[1]:
            if tag[2] != "invoke":
                raise Malformed
            return Found(opening[3], arguments, "minimax-m3", textual=True, sources=sources)
        if tag[2] in arguments:
            raise Malformed
        arguments[tag[2]], end = _element(reader, tag, tags, 0)
        sources[tag[2]] = reader.text[tag.end() : end]
    raise Cut


def _element(reader: Reader, opening: re.Match[str], tags: Iterator[re.Match[str]], depth: int) -> tuple[Any, int]:
    """An element's value, its text or its children as an object or a list of items, and where its end tag begins."""
    if depth > _DEPTH:
        raise Malformed
    pairs: dict[str, Any] = {}
    items: list[Any] = []
    for tag in tags:
        if tag[1]:
            if tag[2] != opening[2]:
                raise Malformed
            return items or pairs or reader.text[opening.end() : tag.start()], tag.start()
        value, _ = _element(reader, tag, tags, depth + 1)
        if tag[2] == "item":
            items.append(value)
        elif tag[2] in pairs:
            raise Malformed
        else:
            pairs[tag[2]] = value
    raise Cut
