"""Finding what a model left out of a file: placeholders for the rest, definitions that were there, example text."""

from __future__ import annotations

import re

from tools.verification.parsing import definitions

_WHAT = (
    r"(?:code|implementation|functions?|methods?|class(?:es)?|file|content|logic|imports?|definitions?|part|lines?)"
)
_REST = (
    rf"(?:(?:the\s+)?(?:rest|remainder|remaining|existing|previous|original|other|same)\b(?:\s+of)?(?:\s+(?:the|your|this|our))?"
    rf"(?:\s+\w+)?\s+{_WHAT}\b(?:\s+(?:here|goes\s+here|unchanged|remains?(?:\s+\w+){{0,2}}|stays?(?:\s+\w+){{0,2}}|as\s+(?:before|above|is)|omitted.*))?"
    r"|(?:the\s+)?rest\s+(?:is\s+|remains\s+|stays\s+)?(?:unchanged|the\s+same|omitted|as\s+before)"
    r"|(?:same|unchanged)\s+(?:as\s+(?:before|above|previously)|from\s+before)"
    rf"|(?:keep|omitted|unchanged|your|insert|add)\s+(?:the\s+)?(?:existing\s+|remaining\s+|other\s+)?{_WHAT}\s*(?:here|unchanged|as\s+is|goes\s+here)"
    rf"|{_WHAT}\s+(?:unchanged|omitted|remains?\s+(?:unchanged|the\s+same))(?:\s+for\s+brevity)?"
    r"|omitted\s+for\s+brevity|and\s+so\s+on|continue[sd]?\s+here)"
)
_DOTS = r"(?:\.\.\.|…)"
_MARK = r"(?:\#+|//+|/\*+|<!--|--|;+|%+|\(|\[|\{/\*)"
# A comment that speaks of the rest, with or without dots; or dots that do, without a comment.
_PLACEHOLDER = re.compile(
    rf"^[ \t]*(?:{_MARK}[ \t]*(?:{_DOTS}[ \t]*)?(?:\(\s*)?{_REST}[ \t]*(?:\))?[ \t]*{_DOTS}?"
    r"[ \t]*(?:\*+/|-->|\)|\]|\*/\})?[ \t.]*"
    rf"|{_DOTS}[ \t]*(?:\(\s*)?{_REST}.*"
    rf"|{_MARK}[ \t]*{_DOTS}[ \t]*(?:\*/|-->|\]|\))?)[ \t]*$",
    re.IGNORECASE,
)
_LONGEST_PLACEHOLDER = 200
_PROSE = (".md", ".rst", ".txt")
_SPOKEN = re.compile(r"\.\.\.|…|unchanged|omitted|as before", re.IGNORECASE)
_SENTINEL_PATH = re.compile(
    r"^(?:path/(?:to|of)/.*|your[_-]?file.*|file[_-]?name(?:\.ext)?|\.\.\.|<.*>|package/module\.py)$", re.IGNORECASE
)
_SENTINEL_TEXT = re.compile(
    r"^\W*(?:\.\.\.|…|the (?:whole|complete|full|entire) (?:file )?content(?: of the file)?"
    r"|(?:file )?content(?: goes)? here)\W*$",
    re.IGNORECASE,
)


def placeholder(path: str, text: str, before: str | None) -> str:
    """The first line that stands for something left out and was not in the file before; empty when there is none."""
    known = set((before or "").splitlines())
    prose = path.lower().endswith(_PROSE)
    for line in text.splitlines():
        if len(line) > _LONGEST_PLACEHOLDER or line in known or _PLACEHOLDER.match(line) is None:
            continue
        # In prose a line such as "# Other files" is a heading.
        if not prose or _SPOKEN.search(line):
            return line.strip()
    return ""


def lost_definitions(path: str, before: str, after: str, task: str) -> list[str]:
    """Definitions that were in a Python file and are gone, unless the task speaks of them, sorted.

    A private name that nothing in the new text uses may go.
    """
    if not path.endswith(".py"):
        return []
    gone = definitions(before) - definitions(after)
    return sorted(name for name in gone if name.rsplit(".", 1)[-1] not in task and _missed(name, after))


def is_example_path(path: str) -> bool:
    """Whether a path is one that examples use in the place of a real one."""
    return _SENTINEL_PATH.match(path.strip()) is not None


def is_example_text(text: str) -> bool:
    """Whether a content is the words that stand for a content."""
    return len(text) < 200 and bool(text.strip()) and _SENTINEL_TEXT.match(text) is not None


def _missed(name: str, after: str) -> bool:
    own = name.rsplit(".", 1)[-1]
    private = own.startswith("_") and not own.startswith("__")
    return not private or re.search(rf"\b{re.escape(own)}\b", after) is not None
