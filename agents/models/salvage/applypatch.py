"""Codex' apply_patch: `*** Begin Patch` … `*** End Patch`, in a heredoc, a fence or bare.

The grammar is that of Codex' parser: a section per file, hunks that `@@ context` lines place, `*** End of File`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.models.salvage.matching import NoPlace, Place, locate
from agents.models.salvage.reader import Cut

if TYPE_CHECKING:
    from agents.models.salvage.edits import Draft

BEGIN = re.compile(r"^[ \t]*\*\*\* Begin Patch[ \t]*$", re.MULTILINE)
_END = re.compile(r"^[ \t]*\*\*\* End Patch[ \t]*$", re.MULTILINE)
_FILE = re.compile(r"\s*\*\*\* (Add|Delete|Update) File: (.+?)\s*\Z")
_MOVE = re.compile(r"\s*\*\*\* Move to: (.+?)\s*\Z")
_EOF = re.compile(r"\s*\*\*\* End of File\s*\Z")
_HEREDOC = re.compile(r"<<-?[ \t]*(?:'(\w+)'|\"(\w+)\"|(\w+))[ \t]*\Z")
_HEREDOC_LIKE = re.compile(r"<<-?[ \t]*[\"']?\w+[\"']?[ \t]*\Z")


@dataclass
class _Chunk:
    context: str | None = None
    lines: list[str] = field(default_factory=list)
    at_end: bool = False

    def side(self, sign: str) -> list[str]:
        return [line[1:] for line in self.lines if line[:1] in (" ", sign)]


def read(text: str, draft: Draft) -> None:
    """Apply every patch of the reply. Raises Cut for one that does not end, NoPlace for one that does not fit."""
    at = 0
    while (begin := BEGIN.search(text, at)) is not None:
        end = _END.search(text, begin.end())
        if end is None:
            raise Cut
        _check_heredoc(text[text.rfind("\n", 0, max(0, begin.start() - 1)) + 1 : begin.start()])
        draft.charge(end.end() - begin.start())
        _patch(text[begin.end() : end.start()].strip("\n").split("\n"), draft)
        at = end.end()


def _check_heredoc(before: str) -> None:
    line = before.rstrip("\n")
    if _HEREDOC_LIKE.search(line) and not _HEREDOC.search(line):
        raise NoPlace(f"{line.strip()!r} opens a heredoc with quotes that do not match.")


def _patch(lines: list[str], draft: Draft) -> None:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        section = _FILE.match(lines[at])
        if section is None:
            raise NoPlace(
                f"{lines[at]!r} is no file section: '*** Add File: ', '*** Update File: ' or '*** Delete File: '."
            )
        end = next((one for one in range(at + 1, len(lines)) if _FILE.match(lines[one])), len(lines))
        _section(section[1], section[2], lines[at + 1 : end], draft)
        at = end


def _section(operation: str, path: str, lines: list[str], draft: Draft) -> None:
    if operation == "Add":
        if any(line and not line.startswith("+") for line in lines):
            raise NoPlace(f"{path}: every line of an added file begins with '+'.")
        draft.put(path, "".join(line[1:] + "\n" for line in lines if line), "apply-patch")
        return
    path = draft.resolve(path)
    content = draft.content(path)
    if content is None:
        raise NoPlace(f"{path}: there is no such file.")
    if operation == "Delete":
        if any(line.strip() for line in lines):
            raise NoPlace(f"{path}: a deletion has no lines.")
        draft.put(path, None, "apply-patch")
        return
    move = _MOVE.match(lines[0]) if lines else None
    chunks = _chunks(path, lines[1:] if move else lines)
    draft.charge(len(content) * len(chunks))
    if not chunks and not move:
        raise NoPlace(f"{path}: the update is empty.")
    try:
        draft.put(path, applied(content, chunks), "apply-patch", move[1] if move else None)
    except NoPlace as problem:
        raise NoPlace(f"{path}: {problem}") from problem


def _chunks(path: str, lines: list[str]) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    for line in lines:
        if line.startswith("@@"):
            chunks.append(_Chunk(line[2:].strip() or None))
        elif _EOF.match(line) and chunks:
            chunks[-1].at_end = True
        elif line[:1] in ("", " ", "+", "-"):
            if not chunks:
                if not line:
                    continue
                chunks.append(_Chunk())
            chunks[-1].lines.append(line or " ")
        else:
            raise NoPlace(f"{path}: {line!r} begins with none of ' ', '+', '-' and '@@'.")
    for chunk in chunks:
        while chunk.lines and not chunk.lines[-1].strip():
            chunk.lines.pop()
    if any(not chunk.lines for chunk in chunks[:-1] if chunk.context is None) or (chunks and not chunks[-1].lines):
        raise NoPlace(f"{path}: a hunk is empty.")
    return chunks


def applied(content: str, chunks: list[_Chunk]) -> str:
    """The content after all chunks, each searched below the one before. Raises NoPlace."""
    whole = content.removesuffix("\n").split("\n") if content else []
    floor = 0
    for chunk in chunks:
        if chunk.context is not None:
            floor = _below(whole, chunk.context, floor)
        old, new = chunk.side("-"), chunk.side("+")
        if not chunk.lines:
            continue
        place = _place(whole, chunk, old, new, floor)
        lines = place.shifted(new)
        whole[place.start : place.end] = lines
        floor = place.start + len(lines)
    return "\n".join(whole) + "\n" if whole else ""


def _below(whole: list[str], context: str, floor: int) -> int:
    for at in range(floor, len(whole)):
        if whole[at].strip() == context.strip():
            return at + 1
    raise NoPlace(f"the context line {context!r} is not in the file")


def _place(whole: list[str], chunk: _Chunk, old: list[str], new: list[str], floor: int) -> Place:
    if not old:
        at = floor if chunk.context is not None else len(whole)
        return Place(at, at)
    # The first place below the context counts, as in Codex; at the end when the chunk says so.
    place = locate(whole[floor:], old, new, hint=len(whole) if chunk.at_end else -1)
    return Place(place.start + floor, place.end + floor, place.indent, place.outdent)
