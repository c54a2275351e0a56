"""Secrets are taken out before anything is written, sent to a model, or packed."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from typing import Any

_SECRET_NAME = re.compile(
    r"KEY(?!BOARD|MAP|RING)|TOKEN(?!IZ)|SECRET|PASS(?:WORD|WD|PHRASE|$)|CREDENTIAL", re.IGNORECASE
)
# The password of an address such as postgresql://user:password@host/name.
_ADDRESS_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
# A name such as risk-assessment.md is no key: what comes before a prefix must be no part of a word.
_SECRET_SHAPE = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{20,}"
    r"|[rs]k_live_[A-Za-z0-9]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_[A-Za-z0-9_]{30,}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|hf_[A-Za-z0-9]{30,}"
    r"|lsv2_[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{10}"
    r"|AIza[A-Za-z0-9_-]{35}"
    r"|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,})"
    # A header alone is what a program that looks for keys holds; a key has a body, whole or cut.
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\[nr]|[\s\"'+]|[A-Z][A-Za-z-]+: [^\n\\]*)*[A-Za-z0-9+/=]{16,}"
    r"(?:[A-Za-z0-9+/=\s\"']|\\[nr])*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
_SHORTEST_SECRET = 8
MASK = "[redacted]"


def redact(text: str) -> str:
    """Replace every secret value of the environment and everything shaped like a key by a mask."""
    return _masked(text, _literals(tuple(sorted(_secret_values()))))


def redacted(value: Any) -> Any:
    """Apply `redact` to every string inside lists, tuples and dicts, names of members too."""
    # The environment is read once for the whole value: it is most of the cost.
    return _each(value, _literals(tuple(sorted(_secret_values()))))


def _each(value: Any, literal: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return _masked(value, literal)
    if isinstance(value, dict):
        return {_each(key, literal): _each(item, literal) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, literal) for item in value]
    return value


def _masked(text: str, literal: re.Pattern[str] | None) -> str:
    if literal is not None:
        text = literal.sub(MASK, text)
    return _SECRET_SHAPE.sub(MASK, text)


def _secret_values() -> set[str]:
    found = {value for name, value in os.environ.items() if _SECRET_NAME.search(name) and not value.startswith("/")}
    found |= {password for value in os.environ.values() for password in _ADDRESS_PASSWORD.findall(value)}
    found = {value for value in found if len(value) >= _SHORTEST_SECRET}
    # Inside JSON that is kept as text, quotes and line ends are escaped.
    return found | {json.dumps(value, ensure_ascii=False)[1:-1] for value in found}


@lru_cache(maxsize=8)
def _literals(values: tuple[str, ...]) -> re.Pattern[str] | None:
    # Longest first, so that a secret that contains another one goes whole.
    ordered = sorted(values, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None
