"""The words of a text: identifiers split, stop words out, and stems."""

from __future__ import annotations

import re

from tools.memory.embeddings.stemming import stem

_WORD = re.compile(r"[^\W_]+")
# Between a small and a capital letter, and before the last capital of a run: parseHTTPDate is parse HTTP Date.
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:-\d+)?")
_LONGEST_PHRASE = 6

_STOP = """
a about above after again all also an and any are as at be because been before being below between both but by can
could did do does doing down during each else few for from further had has have having he her here hers him his how i
if in into is it its itself just let like may me might more most must my of off on once only or other our out over own
per please same shall she should so some such than that the their them then there these they this those through to too
under until up us very was we were what when where which while who whom why will with would you your
"""
STOP_WORDS = frozenset(_STOP.split())
# Words that nearly every description of a tool has: they tell little about which tool is meant.
_WEAK = "calculate compute function given give number return value result tool use using want need make"
WEAK_WORDS = frozenset(stem(word) for word in _WEAK.split())


def words(text: str) -> list[str]:
    """The words in lower case, with `snake_case` and `camelCase` taken apart."""
    return [part.lower() for word in _WORD.findall(text) for part in _JOINT.split(word)]


def stems(text: str) -> list[str]:
    """The stems of the words that are no stop words; of all words, if there are no others."""
    found = words(text)
    return [stem(word) for word in found if word not in STOP_WORDS] or [stem(word) for word in found]


def identifiers(text: str) -> list[str]:
    """What in the text may be the name of a skill, as names are written: lower snake case.

    A short text may be a name as a whole: `Takt time` is `takt_time`.
    """
    parts = words(text)
    whole = ["_".join(parts)] if 0 < len(parts) <= _LONGEST_PHRASE else []
    named = [_snake(name) for name in _IDENTIFIER.findall(text) if len(_JOINT.split(name)) > 1 or "_" in name]
    return list(dict.fromkeys([*whole, text.strip(), *named]))


def _snake(name: str) -> str:
    return "_".join(part.lower() for word in name.split("_") for part in _JOINT.split(word) if part)
