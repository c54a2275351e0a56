"""What a finishing message claims, compared with the ledger: files written, how many, commands run, tests passed.

Only claims about what the speaker did are taken ("I created 3 files", "ran pytest", "all tests pass"); a path that is
merely mentioned, a plan or a wish is none. The patterns are narrow on purpose: a false alarm would make the rate useless.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 20_000
"""So many characters of a message are read."""

_NUMBERS = {
    word: n
    for n, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
}
_DID = r"(?:created?|wrote|written|added|generated|implemented|made|saved|updated|changed|edited|fixed|produced)"
_PATH = r"`?((?:[\w-]+/)*[\w-]+\.[A-Za-z]\w{0,9})`?"
_COUNT = re.compile(
    rf"\b{_DID}\s+(?:all\s+|the\s+|a\s+total\s+of\s+)?(\d+|{'|'.join(_NUMBERS)})\s+(?:\w+\s+){{0,2}}?files?\b",
    re.IGNORECASE,
)
_WROTE = re.compile(
    rf"\b{_DID}\s+(?:the\s+|a\s+|new\s+|file\s+)*{_PATH}((?:(?:,|,? and)\s+{_PATH})*)", re.IGNORECASE
)
_ONE = re.compile(_PATH)
_RAN = re.compile(
    r"\b(?:ran|run|executed|tested\s+with|verified\s+with)\s+(?:the\s+)?`?((?:python\d?|pytest|mypy|ruff|make|npm|bash)\b[^`.,;\n]*)",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"\b(?:all\s+(?:of\s+the\s+|the\s+|\d+\s+)?(?:unit\s+)?tests?\s+(?:now\s+)?(?:pass(?:ed|es|ing)?|are\s+(?:passing|green)|succeed(?:ed)?)"
    r"|tests?\s+(?:have\s+|all\s+)?passed|the\s+tests\s+pass|i\s+(?:have\s+)?(?:ran|run)\s+(?:all\s+)?(?:the\s+)?tests?)\b",
    re.IGNORECASE,
)
# A sentence or an item of a list that says outright that a file was written, and of what comes next nothing that
# makes the path a part of something else ("Added config.py support").
_OUTRIGHT = re.compile(
    r"(?:^|[.!;:]\s+|\n)[ \t]*(?:[-*+]\s+|\d+[.)]\s+)?"
    r"(?:(?:I|we)(?:'ve|\s+have)?\s+)?(?:successfully\s+|also\s+|then\s+|now\s+|just\s+)?"
    r"(?:created|wrote|written|saved|updated|edited|changed)\s+(?:the\s+|a\s+|new\s+|file\s+)*"
    rf"{_PATH}(?=[.!]?\s*$|[.!]\s|[,;:]|\s+(?:with|and|to|that|which|containing|in)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_PRODUCT = re.compile(
    r"(?:(?:node|vue|react|next|nuxt|three|d3|express|chart)\.js|(?:asp|vb)\.net|socket\.io)", re.IGNORECASE
)
# Not a claim: what should be, would be, or was not.
_UNREAL = re.compile(
    r"(?:\b(?:should|would|could|will|shall|must|may|might|can|to|not|never|unable|if|when|once|until|please)|n't)\s+(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Claim:
    """One claim: what kind, in which words, and whether the ledger bears it out."""

    kind: str
    words: str
    true: bool


def judged(text: str, written: Iterable[str], commands: Iterable[str]) -> list[Claim]:
    """Every claim in a finishing message, judged by the paths that were written and the commands that exited with 0."""
    text, paths, ran = text[:LONGEST], set(written), list(commands)
    return [*_counts(text, paths), *_writes(text, paths), *_commands(text, ran), *_tests(text, ran)]


def outright(text: str) -> list[str]:
    """The paths that a message says outright were written, each once; fewer than `judged` finds, and surer."""
    found = (match[1] for match in _OUTRIGHT.finditer(text[:LONGEST]))
    return list(dict.fromkeys(path for path in found if not _PRODUCT.fullmatch(path)))


def _real(text: str, at: int) -> bool:
    return _UNREAL.search(text[max(0, at - 60) : at]) is None


def _counts(text: str, paths: set[str]) -> Iterator[Claim]:
    for match in _COUNT.finditer(text):
        if _real(text, match.start()):
            number = _NUMBERS.get(match[1].lower())
            claimed = int(match[1]) if number is None else number
            yield Claim("count", match[0], claimed == len(paths))


def _writes(text: str, paths: set[str]) -> Iterator[Claim]:
    for match in _WROTE.finditer(text):
        if not _real(text, match.start()):
            continue
        for path in [match[1], *_ONE.findall(match[2] or "")]:
            known = any(path == p or p.endswith("/" + path) for p in paths)
            yield Claim("path", path, known)


def _commands(text: str, ran: list[str]) -> Iterator[Claim]:
    for match in _RAN.finditer(text):
        command = " ".join(match[1].split())
        if _real(text, match.start()):
            program = command.split()[0].lower()
            yield Claim("command", match[0].strip(), any(program in done.lower() for done in ran))


def _tests(text: str, ran: list[str]) -> Iterator[Claim]:
    for match in _TESTS.finditer(text):
        if _real(text, match.start()):
            yield Claim("tests", match[0], any("pytest" in done or "test" in done for done in ran))
