"""Noticing, while a reply streams in, that the model repeats itself and would go on until its token limit."""

from __future__ import annotations

SPAN = 4096
"""So many characters at the end of a text must be one piece again and again."""

TIMES = 16
"""So often at least; a long table or a list of zeros in a real file is seldom as regular over the whole span."""

_STEP = 1024
_PROBE = 48


class RepetitionWatch:
    """Watches one reply; the cost is a few passes over the last `SPAN` characters per `_STEP` new ones."""

    def __init__(self) -> None:
        """Start with an empty text."""
        self._tail = ""
        self._unread = 0

    def feed(self, text: str) -> str:
        """Take the next piece; return what is repeated, or an empty text as long as nothing is."""
        self._tail = (self._tail + text)[-SPAN:]
        self._unread += len(text)
        if self._unread < _STEP or len(self._tail) < SPAN:
            return ""
        self._unread = 0
        return repeated(self._tail)


def repeated(tail: str) -> str:
    """The piece that a text consists of when it is the same one at least `TIMES` times; else an empty text."""
    before = tail.rfind(tail[-_PROBE:], 0, len(tail) - 1)
    if before < 0:
        return ""
    period = len(tail) - _PROBE - before
    regular = tail[period:] == tail[:-period]
    return tail[-period:] if regular and period * TIMES <= len(tail) else ""
