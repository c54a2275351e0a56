"""Fenced blocks with what stands above them, nested fences included."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.models.salvage.matching import NoPlace
from agents.models.salvage.reader import Cut

_MOST = 1000
_FENCE = re.compile(r"[ ]{0,3}(`{3,40}|~{3,40})(?!`)[ \t]*([^\n`]*)\Z")
_PATH = re.compile(r"[\w.@+~-][\w.@+~ /\\-]*\Z")
_LABEL = re.compile(
    r"(?:(?:new |updated? |modified |create |creating |edit |write )?(?:file ?name|file ?path|file|path))\s*:?\s+",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"\b(?:path|file|filename|filepath|title|name)\s*[=:]\s*[\"']?([^\"'\s,}\]]+)[\"']?", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[A-Za-z][\w+#-]*\Z")
_SUFFIX = re.compile(r"[^.]\.[A-Za-z][\w+-]{0,15}\Z")
_DOTFILE = re.compile(r"\.[A-Za-z][\w.-]*\Z")
_KNOWN_BARE = {
    "Makefile",
    "Dockerfile",
    "LICENSE",
    "Procfile",
    "README",
    "Justfile",
    "Gemfile",
    "Rakefile",
    "Jenkinsfile",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: the line above it, its info string, its lines, and the index of its opening line."""

    above: str
    info: str
    lines: tuple[str, ...]
    at: int

    @property
    def path(self) -> str | None:
        """The path that its info string or the line above it names."""
        return path_in_info(self.info) or path_of(self.above)


def fence_of(line: str) -> str | None:
    """The fence that a line opens or closes; None for any other line."""
    mark = _FENCE.match(line)
    return None if mark is None else mark[1]


def unfinished(lines: list[str]) -> Block | None:
    """The block that is still open at the end; None when there is none."""
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if opening is None:
            at += 1
            continue
        end = _end(lines, at + 1, opening[1])
        if end is None:
            return Block(_above(lines, at), opening[2].strip(), tuple(lines[at + 1 :]), at)
        at = end + 1
    return None


def blocks(lines: list[str]) -> list[Block]:
    """All fenced blocks of a reply. Raises Cut when one with a path is never closed, NoPlace beyond 1000 blocks.

    A fence with an info string inside a block opens a nested one, so that a Markdown file may hold code blocks.
    """
    found: list[Block] = []
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if opening is None:
            at += 1
            continue
        if len(found) >= _MOST:
            raise NoPlace(f"the reply holds more than {_MOST} fenced blocks; send fewer files at a time.")
        end = _end(lines, at + 1, opening[1])
        above = _above(lines, at)
        if end is None:
            if path_of(above) or path_in_info(opening[2]):
                raise Cut
            break
        found.append(Block(above, opening[2].strip(), tuple(lines[at + 1 : end]), at))
        at = end + 1
    return found


def _end(lines: list[str], start: int, fence: str) -> int | None:
    nested: list[str] = []
    for at in range(start, len(lines)):
        mark = _FENCE.match(lines[at])
        if mark is None or (len(mark[1]) < len(fence) and not nested) or mark[1][0] != fence[0]:
            continue
        if mark[2].strip():
            nested.append(mark[1])
        elif nested:
            nested.pop()
        else:
            return at
    return None


def _above(lines: list[str], at: int) -> str:
    """The line before a fence; one blank line between them is allowed."""
    for line in reversed(lines[max(0, at - 2) : at]):
        if line.strip():
            return line
    return ""


def path_of(line: str) -> str | None:
    """The path that a line consists of, without the decoration models put around it; None for any other line."""
    line = line.strip().replace("**", "")
    line = re.sub(r"^(?:#{1,6}\s+|[-*]\s+|\d+[.)]\s+)", "", line)
    line = line.strip("*_ ").rstrip(":").strip("* ")
    line = _LABEL.sub("", line, count=1) if _LABEL.match(line) else line
    line = re.sub(
        r"\s+\((?:new|new file|updated|modified|full(?: file)?|complete)\)$", "", line, flags=re.IGNORECASE
    )
    return plain_path(line.strip("*_: "))


def plain_path(text: str) -> str | None:
    """A path out of its quotes, if it looks like the path of a file."""
    spaced = " " in text.strip() and text.strip().rstrip(":")[-1:] not in ("`", '"', "'")
    text = text.strip().strip("`\"'<>").rstrip(":").strip("`\"' ")
    if not text or len(text) > 250 or not _PATH.match(text) or text.startswith("..."):
        return None
    name = re.split(r"[/\\]", text)[-1]
    named = _SUFFIX.search(name) or _DOTFILE.match(name) or name in _KNOWN_BARE or ("/" in text and name)
    # Unquoted words with a path among them are a sentence about a file.
    if not named or text.endswith(".") or spaced:
        return None
    return text.replace("\\", "/").removeprefix("./")


def path_in_info(info: str) -> str | None:
    """The path that a fence's info string names: `python path=a.py`, `python:a.py`, `a.py`, `py a.py`."""
    info = info.strip()
    attribute = _ATTRIBUTE.search(info)
    if attribute:
        return plain_path(attribute[1])
    language, colon, rest = info.partition(":")
    if colon and _LANGUAGE.match(language) and plain_path(rest):
        return plain_path(rest)
    words = info.split()
    for word in words[:2]:
        if ("." in word or "/" in word) and not word.startswith("{") and plain_path(word):
            return plain_path(word)
    return None
