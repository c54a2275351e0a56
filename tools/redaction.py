"""Secrets are taken out before anything is written, sent to a model, or packed."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SECRET_SHAPE = re.compile(
    r"sk-[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_[A-Za-z0-9_]{30,}"
    r"|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_SHORTEST_SECRET = 8
MASK = "[redacted]"


def redact(text: str) -> str:
    """Replace every secret value of the environment and everything shaped like a key by a mask."""
    return _masked(text, _literals(tuple(sorted(_secret_values()))))


def redacted(value: Any) -> Any:
    """Apply `redact` to every string inside lists, tuples and dicts."""
    # The environment is read once for the whole value: it is most of the cost.
    return _each(value, _literals(tuple(sorted(_secret_values()))))


def _each(value: Any, literal: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return _masked(value, literal)
    if isinstance(value, dict):
        return {key: _each(item, literal) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, literal) for item in value]
    return value


def _masked(text: str, literal: re.Pattern[str] | None) -> str:
    if literal is not None:
        text = literal.sub(MASK, text)
    return _SECRET_SHAPE.sub(MASK, text)


def _secret_values() -> set[str]:
    return {
        value
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET and not value.startswith("/")
    }


@lru_cache(maxsize=8)
def _literals(values: tuple[str, ...]) -> re.Pattern[str] | None:
    # Longest first, so that a secret that contains another one goes whole.
    ordered = sorted(values, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None
