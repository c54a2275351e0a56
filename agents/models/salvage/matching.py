"""Find the place that an edit means: exactly, but for white space, shifted in its indentation, or with lines left out.

The order is that of Aider's and Codex' appliers. A place must be the only one of its kind, or the one a hint singles
out: of two equal places none is taken.
"""

# ruff: noqa: RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TYPOGRAPHY = str.maketrans({
    **dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("‘’‚‛", "'"), **dict.fromkeys("“”„‟", '"'),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
})  # fmt: skip
_RUNGS: tuple[Callable[[str], str], ...] = (
    lambda line: line,
    lambda line: line.rstrip(),
    lambda line: line.rstrip().translate(_TYPOGRAPHY),
)
_NEAR = 200_000


class NoPlace(Exception):
    """The text to replace is not in the file, or not only once; the message says so to the model."""


@dataclass(frozen=True)
class Place:
    """Lines `start` to `end` of a file, and the indentation that its lines have beyond those of the edit."""

    start: int
    end: int
    indent: str = ""
    outdent: int = 0

    def shifted(self, lines: Sequence[str]) -> list[str]:
        """The replacement lines moved by the same indentation."""
        return [self.indent + line[self.outdent :] if line.strip() else line for line in lines]


def locate(
    whole: Sequence[str], part: Sequence[str], replacement: Sequence[str] = (), hint: int | None = None
) -> Place:
    """Where the lines of `part` stand in `whole`; `hint` (a line index) decides between equals. Raises NoPlace."""
    for normal in _RUNGS:
        starts = _starts([normal(line) for line in whole], [normal(line) for line in part])
        if starts:
            start = _only(starts, hint)
            return Place(start, start + len(part))
    outdent = _common_indent([*part, *replacement])
    starts = _starts([line.strip() for line in whole], [line.strip() for line in part])
    shifts = {start: _shift(whole[start : start + len(part)], part, outdent) for start in starts}
    fitting = [start for start, shift in shifts.items() if shift is not None]
    if fitting:
        start = _only(fitting, hint)
        return Place(start, start + len(part), shifts[start] or "", outdent)
    raise NoPlace(f"these lines are not in the file:\n{_shown(part)}{_nearest(whole, part)}")


def _starts(whole: list[str], part: list[str]) -> list[int]:
    """Every index at which the lines of `part` follow one another; linear by way of one joined search."""
    if not part or len(part) > len(whole):
        return []
    text, needle = "\n".join(["", *whole, ""]), "\n".join(["", *part, ""])
    starts, at, line, counted = [], text.find(needle), 0, 0
    while at >= 0:
        line += text.count("\n", counted, at)
        counted = at
        starts.append(line)
        if len(starts) > 50:
            break
        at = text.find(needle, at + 1)
    return starts


def _only(starts: list[int], hint: int | None) -> int:
    if len(starts) == 1:
        return starts[0]
    if hint is not None:
        by_distance = sorted(starts, key=lambda start: abs(start - hint))
        if abs(by_distance[0] - hint) < abs(by_distance[1] - hint):
            return by_distance[0]
    raise NoPlace(f"these lines are in the file {len(starts)} times; add lines around them to say which")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _common_indent(lines: Sequence[str]) -> int:
    return min((len(_indent(line)) for line in lines if line.strip()), default=0)


def _shift(actual: Sequence[str], part: Sequence[str], outdent: int) -> str | None:
    """The one indentation that all actual lines have beyond the part's; None if they differ."""
    shifts = set()
    for real, given in zip(actual, part, strict=True):
        if real.strip():
            rest = _indent(given)[outdent:]
            if not _indent(real).endswith(rest):
                return None
            shifts.add(_indent(real)[: len(_indent(real)) - len(rest)])
    return shifts.pop() if len(shifts) == 1 else None


def _shown(lines: Sequence[str]) -> str:
    shown = list(lines[:12]) + (["…"] if len(lines) > 12 else [])
    return "\n".join(shown)


def _nearest(whole: Sequence[str], part: Sequence[str]) -> str:
    """Did you mean: the passage of the file that shares most lines with the part, when one is near."""
    if not part or len(whole) * len(part) > _NEAR:
        return ""
    wanted = [line.strip() for line in part]
    best, at = 0.0, 0
    for start in range(max(1, len(whole) - len(part) + 1)):
        window = [line.strip() for line in whole[start : start + len(part)]]
        score = sum(left == right for left, right in zip(window, wanted, strict=False)) / len(wanted)
        if score > best:
            best, at = score, start
    if best < 0.5:
        close = difflib.get_close_matches(wanted[0], [line.strip() for line in whole[:2000]], n=1)
        return f"\nDid you mean the line\n{close[0]}" if close else ""
    return f"\nDid you mean lines {at + 1} to {at + len(part)}?\n{_shown(whole[at : at + len(part)])}"
