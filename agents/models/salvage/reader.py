"""A reply under the reader's finger: searching that stays linear, and a limit on how often one may try."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import re

_ATTEMPT = 1000
_ALLOWANCE = 1_000_000


class Cut(Exception):
    """The reply ends before the call that began in it does."""


class Malformed(Exception):
    """What stands here is not of the grammar that its marker announced.

    Where a call had begun, nothing after it can be told from its arguments: its reader then raises Cut.
    """


class Tangled(Exception):
    """The reply holds more beginnings of calls than any honest one; reading on would take too long."""


@dataclass(frozen=True)
class Found:
    """One call as it stands in the text, before it is checked against the offered tools."""

    name: str
    arguments: dict[str, Any]
    format: str
    textual: bool = False
    """The values are text without types (XML), to be read by the tool's schema."""
    sources: dict[str, str] = field(default_factory=dict)
    """The text of values that were read as nested elements, for parameters that take a string."""


@dataclass(frozen=True)
class Span:
    """A stretch of the reply that was understood, and the calls in it (none, if it only had to be passed over)."""

    start: int
    end: int
    found: tuple[Found, ...] = ()
    marked: bool = True
    """A marker of the format announced it; without one, more care is needed."""


@dataclass
class Reader:
    """The text of a reply with searches that remember, so that many failed attempts cost what one costs."""

    text: str
    spent: int = 0
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def charge(self, characters: int = 0) -> None:
        """Account for one attempt that looked at so many characters. Raises Tangled beyond the allowance."""
        self.spent += _ATTEMPT + characters
        if self.spent > _ALLOWANCE + 4 * len(self.text):
            raise Tangled

    def find(self, needle: str, start: int) -> int:
        """Like `str.find`, but linear over all calls with growing `start`."""
        known = self._seen.get(needle)
        if known is not None and known[0] <= start and (known[1] < 0 or known[1] >= start):
            return known[1]
        at = self.text.find(needle, start)
        self._seen[needle] = (start, at)
        return at

    def balanced(
        self, start: int, close: re.Pattern[str], opening: re.Pattern[str], closing: re.Pattern[str]
    ) -> re.Match[str] | None:
        """The first match of `close` before which no more tags were opened than closed: the value may quote calls."""
        for match in close.finditer(self.text, start):
            self.charge(match.end() - start)
            opened = sum(1 for _ in opening.finditer(self.text, start, match.start()))
            if opened <= sum(1 for _ in closing.finditer(self.text, start, match.start())):
                return match
        self.charge(len(self.text) - start)
        return None

    def blank(self, at: int) -> int:
        """The first position from `at` on that is no white space."""
        text, end = self.text, len(self.text)
        while at < end and text[at].isspace():
            at += 1
        return at

    def match(self, pattern: re.Pattern[str], at: int) -> re.Match[str] | None:
        """The pattern anchored at this position."""
        return pattern.match(self.text, at)
