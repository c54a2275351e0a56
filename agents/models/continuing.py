"""Going on with a file that was cut at the length limit: what is kept, what is asked, and whether the joint fits.

A joint is taken only when it is certain. The model has to begin with the last lines that it wrote; those lines stand
only once in what there is, so there is one place where the rest can go. Anything else is refused and asked for smaller.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.models.salvage.fences import fence_of, path_of, unfinished
from agents.models.salvage.searchreplace import HEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import AIMessage

ANCHOR = 3
"""So many lines, at least, have to be repeated; more, until they stand only once in what there is."""

LONGEST_ANCHOR = 24
FEWEST_LINES = 2
CONTINUATIONS = 6
"""So often one file is gone on with."""

ASK = """\
Your answer was cut at its length limit. Everything up to its last complete line was kept, so do not write it again.
Output only the rest of {path}: a line of {fence}, then these last lines exactly as they are,
{anchor}
then directly everything that follows them, and at the end a line of {fence}."""

# A call whose JSON ends inside the content; the names are those of write_file.
_CUT_CALL = re.compile(
    r'\{\s*"(?:path|file_path|filename)"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"content"\s*:\s*"((?:[^"\\]|\\.)*)\\?\Z',
    re.DOTALL,
)
_ESCAPED_END = re.compile(r"(?<!\\)(?:\\\\)*\\n")


@dataclass(frozen=True)
class Unfinished:
    """A reply that ends inside a file, up to its last line that is whole and not blank."""

    text: str
    path: str
    fence: str
    lines: tuple[str, ...]
    """What there is of the file."""

    @property
    def anchor(self) -> tuple[str, ...]:
        """The last lines, as many as it takes to stand only once; none when there is no such end."""
        for count in range(min(ANCHOR, len(self.lines)), min(LONGEST_ANCHOR, len(self.lines)) + 1):
            end = self.lines[-count:]
            if end[0].strip() and _times(self.lines, end) == 1:
                return end
        return ()

    @property
    def request(self) -> str:
        """What the model is told."""
        return ASK.format(path=self.path, fence=self.fence, anchor="\n".join(self.anchor))


def unfinished_file(reply: AIMessage, paths: Sequence[str], expected: str = "") -> Unfinished | None:
    """The file that a cut reply ends in, when it can be gone on with.

    It must be one of `paths`; a fence without a path is the file `expected`, if one was asked for alone.
    """
    text = _as_fence(reply, paths)
    return None if text is None else unfinished_text(text, paths, expected)


def unfinished_text(text: str, paths: Sequence[str], expected: str = "") -> Unfinished | None:
    """The same for a reply that is text."""
    whole = text.replace("\r\n", "\n").split("\n")[:-1]
    while whole and not whole[-1].strip():
        whole.pop()
    block = unfinished(whole)
    if block is None or HEAD.search("\n".join(block.lines)):
        return None
    path, fence = block.path or expected, fence_of(whole[block.at])
    if path not in paths or fence is None or sum(bool(line.strip()) for line in block.lines) < FEWEST_LINES:
        return None
    found = Unfinished("\n".join(whole), path, fence, block.lines)
    return found if found.anchor else None


def joined(before: Unfinished, reply: str) -> str | None:
    """The whole text, or None when the reply does not go on exactly where the text before it ends."""
    lines = reply.replace("\r\n", "\n").split("\n")
    given, known = ([line.rstrip() for line in text] for text in (lines, before.lines))
    least = len(before.anchor)
    for start in _starts(lines, before):
        for count in range(least, min(len(known), len(given) - start) + 1):
            if given[start : start + count] == known[-count:]:
                rest = start + count
                # The same lines once more: nobody can tell whether they belong there.
                twice = given[rest : rest + least] == known[-least:]
                return None if twice else "\n".join([before.text, *lines[rest:]])
    return None


def _starts(lines: Sequence[str], before: Unfinished) -> list[int]:
    """Where the repeated lines may begin: at the first line, below a path, or in the first fence."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    starts = [first, first + 1] if path_of(lines[first]) == before.path else [first]
    return [*starts, *[at + 1 for at, line in enumerate(lines) if fence_of(line) == before.fence][:1]]


def _as_fence(reply: AIMessage, paths: Sequence[str]) -> str | None:
    """A reply as text in which the file that it ends in stands in a fence; None when it holds no such file."""
    calls = [*reply.tool_calls, *reply.invalid_tool_calls]
    if len(calls) > 1:
        return None
    if calls:
        return _from_call(calls[0]["args"], paths)
    cut = _CUT_CALL.search(reply.text)
    return reply.text if cut is None else _fenced(_string(cut[1]), _cut_string(cut[2]))


def _from_call(arguments: Any, paths: Sequence[str]) -> str | None:
    if isinstance(arguments, dict):
        path, content = arguments.get("path"), arguments.get("content")
        # A path that is the beginning of another one may be cut itself.
        sure = isinstance(path, str) and sum(other.startswith(path) for other in paths) == 1
        return _fenced(path, content) if sure and isinstance(content, str) else None
    cut = _CUT_CALL.match((arguments or "").lstrip())
    return None if cut is None else _fenced(_string(cut[1]), _cut_string(cut[2]))


def _fenced(path: Any, content: str | None) -> str | None:
    """A content that is cut, in a fence that is longer than any in it."""
    if not isinstance(path, str) or content is None:
        return None
    longest = max((len(m) for m in re.findall(r"^ *(`{3,})", content, re.MULTILINE)), default=2)
    return f"{path}\n{'`' * max(3, longest + 1)}\n{content}"


def _cut_string(escaped: str) -> str | None:
    """What a JSON string holds up to its last line end; its own end may be inside an escape."""
    last = next((m.end() for m in reversed(list(_ESCAPED_END.finditer(escaped)))), 0)
    return _string(f'"{escaped[:last]}"')


def _string(literal: str) -> str | None:
    try:
        found = json.loads(literal, strict=False)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def _times(lines: Sequence[str], piece: Sequence[str]) -> int:
    """How often some lines stand in a row in others."""
    known, wanted = [line.rstrip() for line in lines], [line.rstrip() for line in piece]
    return sum(known[at : at + len(wanted)] == wanted for at in range(len(known) - len(wanted) + 1))
