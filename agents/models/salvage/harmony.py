"""gpt-oss' harmony channels, and the same header with Muse's recipients: `to=name<|message|>body`.

A message is addressed: to a tool it is a call, to anyone else it is talk, whatever it quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.models.salvage.literals import value_at
from agents.models.salvage.reader import Cut, Found, Malformed, Span
from agents.models.salvage.shapes import arguments_of

if TYPE_CHECKING:
    from agents.models.salvage.reader import Reader

OPENS = re.compile(r"message")
_BREAK = re.compile(r"<\|(?:start|end|call|return|eom|eot|message)\|>")
_RECIPIENT = re.compile(r"(?:^|[\s>])to=([\w.:-]+)")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")
_TALK = ("user", "self", "assistant", "all", "none")
_END = re.compile(r"<\|(?:end|call|return|eom|eot|start|channel)\|>|\Z")


def read(reader: Reader, opening: re.Match[str], _tag: str) -> Span | None:
    """The message that begins here: a call, talk to pass over, or None when its body is another format. Raises Cut."""
    header = reader.text[max(0, opening.start() - 300) : opening.start()]
    header = header[max((hit.end() for hit in _BREAK.finditer(header)), default=0) :]
    recipients = _RECIPIENT.findall(header)
    channel = _CHANNEL.search(header)
    tools = [one for one in recipients if one.lower() not in _TALK]
    if not tools:
        return _talk(reader, opening) if recipients or channel else None
    at = reader.blank(opening.end())
    if not reader.text.startswith("{", at):
        if reader.text.startswith("<", at):
            return None
        raise Cut
    try:
        value, end = value_at(reader, at)
    except Malformed:
        raise Cut from None
    arguments = arguments_of(value)
    if arguments is None:
        raise Cut
    return Span(opening.start(), end, (Found(tools[-1].removeprefix("functions."), arguments, "harmony"),))


def _talk(reader: Reader, opening: re.Match[str]) -> Span:
    end = _END.search(reader.text, opening.end())
    reader.charge((end.start() if end else len(reader.text)) - opening.end())
    return Span(opening.start(), end.start() if end else len(reader.text))
