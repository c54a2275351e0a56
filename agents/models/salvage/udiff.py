"""Unified diffs, with true, wrong or no line numbers (Aider's `@@ ... @@`): applied by their context."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.models.salvage.fences import plain_path
from agents.models.salvage.matching import NoPlace, Place, locate
from agents.models.salvage.reader import Cut

if TYPE_CHECKING:
    from agents.models.salvage.edits import Draft

_BEGINS = re.compile(r"^--- \S[^\n]*\n\+\+\+ \S[^\n]*$|^rename from \S[^\n]*\nrename to \S", re.MULTILINE)
_NUMBERS = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_RENAME = re.compile(r"rename (from|to) (.+)")
_FENCE = re.compile(r"[ ]{0,3}```")


@dataclass
class _Hunk:
    numbers: re.Match[str] | None
    lines: list[str] = field(default_factory=list)

    def side(self, sign: str) -> list[str]:
        return [line[1:] for line in self.lines if line[:1] in (" ", sign)]

    def is_short(self) -> bool:
        """Whether fewer lines came than the header promised on both sides: the reply was cut inside."""
        if self.numbers is None:
            return False
        promised = [int(count) if count is not None else 1 for count in (self.numbers[2], self.numbers[4])]
        return len(self.side("-")) < promised[0] and len(self.side("+")) < promised[1]


def begins(text: str) -> bool:
    """Whether the reply holds a diff's two header lines, or a rename."""
    return bool(_BEGINS.search(text))


def read(text: str, draft: Draft) -> None:
    """Apply every file's hunks in order. Raises Cut for a diff that does not end, NoPlace for one that does not fit."""
    lines = text.rstrip().split("\n")
    fenced, renamed, at = False, "", 0
    while at < len(lines):
        if _FENCE.match(lines[at]):
            fenced = not fenced
        rename = _RENAME.match(lines[at])
        if rename is not None:
            renamed = _rename(draft, rename, renamed)
        if lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            old, new = _path(lines[at]), _path(lines[at + 1])
            hunks, at = _hunks(lines, at + 2, fenced=fenced)
            _apply(draft, old, new, hunks)
            continue
        at += 1


def _path(header: str) -> str | None:
    """The path of a `---` or `+++` line without git's a/ and b/; None for /dev/null."""
    path = header[4:].split("\t")[0].strip()
    if path == "/dev/null":
        return None
    if path.startswith(("a/", "b/")):
        path = path[2:]
    return plain_path(path) or path


def _rename(draft: Draft, line: re.Match[str], earlier: str) -> str:
    if line[1] == "from":
        return line[2].strip()
    content = draft.content(earlier)
    if content is None:
        raise NoPlace(f"{earlier}: there is no such file to rename.")
    draft.put(earlier, content, "udiff", line[2].strip())
    return ""


def _hunks(lines: list[str], at: int, *, fenced: bool) -> tuple[list[_Hunk], int]:
    hunks: list[_Hunk] = []
    while at < len(lines):
        line = lines[at]
        if line.startswith("@@"):
            hunks.append(_Hunk(_NUMBERS.match(line)))
        elif _FENCE.match(line) or (line.startswith(("diff --git ", "--- ")) and _is_header(lines, at)):
            break
        elif line[:1] in (" ", "+", "-", "\\") and hunks:
            if not line.startswith("\\"):
                hunks[-1].lines.append(line)
        elif line == "" and hunks and (fenced or _goes_on(lines, at)):
            # An empty context line whose one blank was trimmed on the way.
            hunks[-1].lines.append(" ")
        else:
            break
        at += 1
    if at >= len(lines) and (fenced or (hunks and hunks[-1].is_short())):
        raise Cut
    return hunks, at


def _is_header(lines: list[str], at: int) -> bool:
    return lines[at].startswith("diff ") or (at + 1 < len(lines) and lines[at + 1].startswith("+++ "))


def _goes_on(lines: list[str], at: int) -> bool:
    following = lines[at + 1] if at + 1 < len(lines) else ""
    return following[:1] in (" ", "+", "-", "@") and not following.startswith("--- ")


def _apply(draft: Draft, old: str | None, new: str | None, hunks: list[_Hunk]) -> None:
    if new is None:
        if old is None or draft.content(old) is None:
            raise NoPlace(f"{old}: there is no such file to delete.")
        draft.put(old, None, "udiff")
        return
    source = draft.edits[old] if old in draft.edits and draft.edits[old].move_to == new else None
    path = new if old is None else draft.resolve(old)
    content = source.content if source else draft.content(path)
    if content is None:
        if any(hunk.side("-") and any(line.strip() for line in hunk.side("-")) for hunk in hunks):
            raise NoPlace(f"{path}: there is no such file.")
        content = ""
    draft.charge(len(content) * max(1, len(hunks)))
    try:
        result = applied(content, hunks)
    except NoPlace as problem:
        raise NoPlace(f"{path}: {problem}") from problem
    moved = new if old is not None and draft.resolve(new) != path and not path.endswith("/" + new) else None
    draft.put(old if source and old else path, result, "udiff", moved)


def applied(content: str, hunks: list[_Hunk]) -> str:
    """The content after all hunks. Raises NoPlace."""
    whole = content.split("\n") if content else []
    drift = 0
    for hunk in hunks:
        old, new = hunk.side("-"), hunk.side("+")
        if old == new:
            continue
        hint = int(hunk.numbers[1]) - 1 + drift if hunk.numbers else None
        place = _place(whole, old, new, hint)
        whole[place.start : place.end] = (
            place.shifted(new) if place.indent or place.outdent else _kept(whole, place, hunk)
        )
        drift += len(new) - len(old)
    text = "\n".join(whole)
    return text if content or not text or text.endswith("\n") else text + "\n"


def _place(whole: list[str], old: list[str], new: list[str], hint: int | None) -> Place:
    if old:
        trimmed = old
        try:
            return locate(whole, old, new, hint)
        except NoPlace:
            while trimmed and not trimmed[-1].strip():
                trimmed = trimmed[:-1]
            if not trimmed or trimmed == old:
                raise
            return locate(whole, trimmed, new, hint)
    at = len(whole) - 1 if whole and whole[-1] == "" else len(whole)
    if hint is not None and 0 < hint < len(whole):
        at = hint + 1
    return Place(at, at)


def _kept(whole: list[str], place: Place, hunk: _Hunk) -> list[str]:
    """The new lines with context lines as the file has them, not as the model recalled them."""
    kept: list[str] = []
    at = place.start
    for line in hunk.lines:
        if line.startswith("+"):
            kept.append(line[1:])
            continue
        if line.startswith(" ") and at < place.end:
            kept.append(whole[at])
        at += 1
    return kept
