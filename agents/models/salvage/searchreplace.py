"""SEARCH/REPLACE blocks, as Aider and Cline write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.models.salvage.fences import path_in_info, path_of
from agents.models.salvage.matching import NoPlace, locate
from agents.models.salvage.reader import Cut

if TYPE_CHECKING:
    from agents.models.salvage.edits import Draft

HEAD = re.compile(r"^[ \t]*(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?[ \t]*$", re.MULTILINE)
_DIVIDER = re.compile(r"[ \t]*={5,9}[ \t]*\Z")
_UPDATED = re.compile(r"[ \t]*(?:>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)[ \t]*\Z")
_DOTS = re.compile(r"\s*(?:\.\.\.|…)\s*\Z")


def read(text: str, draft: Draft) -> None:
    """Apply every block in order. Raises Cut for one that does not end, NoPlace for one that does not fit."""
    lines = text.split("\n")
    path: str | None = None
    at = 0
    while at < len(lines):
        if not HEAD.match(lines[at]):
            at += 1
            continue
        path = _path_above(lines, at) or path
        divider = _next(lines, at + 1, _DIVIDER)
        end = _next(lines, divider + 1, _UPDATED)
        if path is None:
            raise NoPlace("A SEARCH/REPLACE block has no path; write the file's path alone on the line above it.")
        path = draft.resolve(path)
        _apply(draft, path, lines[at + 1 : divider], lines[divider + 1 : end])
        at = end + 1


def _next(lines: list[str], start: int, mark: re.Pattern[str]) -> int:
    for at in range(start, len(lines)):
        if mark.match(lines[at]):
            return at
        if HEAD.match(lines[at]):
            break
    raise Cut


def _path_above(lines: list[str], head: int) -> str | None:
    """The path on one of the three lines above, past the opening fence."""
    for line in reversed(lines[max(0, head - 3) : head]):
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            if (path := path_in_info(stripped.lstrip("`~"))) is not None:
                return path
        elif _UPDATED.match(line):
            return None
        elif stripped:
            return path_of(line)
    return None


def _apply(draft: Draft, path: str, search: list[str], replacement: list[str]) -> None:
    content = draft.content(path)
    if not any(line.strip() for line in search):
        # An empty SEARCH makes a file, or adds to the end of one.
        existing = content or ""
        gap = "" if not existing or existing.endswith("\n") else "\n"
        draft.put(path, existing + gap + "".join(line + "\n" for line in replacement), "search-replace")
        return
    if content is None:
        raise NoPlace(f"{path}: there is no such file; to make it, leave the SEARCH part empty.")
    draft.charge(len(content))
    try:
        draft.put(path, replaced(content, search, replacement), "search-replace")
    except NoPlace as problem:
        raise NoPlace(f"{path}: {problem}") from problem


def replaced(content: str, search: list[str], replacement: list[str]) -> str:
    """The content with the searched lines replaced, by the ladder of `matching` and then by elision. Raises NoPlace."""
    whole = content.split("\n")
    try:
        return "\n".join(_replaced(whole, search, replacement))
    except NoPlace:
        trimmed = _trimmed(search)
        if trimmed != search:
            try:
                return "\n".join(_replaced(whole, trimmed, _trimmed(replacement)))
            except NoPlace:
                pass
        pieces = _elided(search, replacement)
        if pieces is None:
            raise
    for part, new in pieces:
        whole = _replaced(whole, part, new) if part else [*whole, *new]
    return "\n".join(whole)


def _replaced(whole: list[str], search: list[str], replacement: list[str]) -> list[str]:
    place = locate(whole, search, replacement)
    return whole[: place.start] + place.shifted(replacement) + whole[place.end :]


def _trimmed(lines: list[str]) -> list[str]:
    """Without blank lines at both ends, which models add for looks."""
    kept = [at for at, line in enumerate(lines) if line.strip()]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def _elided(search: list[str], replacement: list[str]) -> list[tuple[list[str], list[str]]] | None:
    """The pairs of pieces between `...` lines, when both sides leave out the same number of passages."""
    parts, news = _pieces(search), _pieces(replacement)
    if len(parts) == 1 or len(parts) != len(news):
        return None
    return [(part, new) for part, new in zip(parts, news, strict=True) if part or new]


def _pieces(lines: list[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for line in lines:
        if _DOTS.match(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces
