"""When two answers are the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.skills.calling import Answer

RELATIVE = 1e-9
ABSOLUTE = 1e-12  # near zero, where a relative difference says nothing


def same(a: Answer, b: Answer, relative: float = RELATIVE) -> bool:
    """Whether two calls came to the same: equal values, or the same type of exception.

    What was stopped, or is not JSON, is the same as nothing.
    """
    if a.kind != b.kind or a.kind not in ("returned", "raised"):
        return False
    if a.kind == "raised":
        return a.exception == b.exception
    return same_values(a.value, b.value, relative)


def same_values(a: Any, b: Any, relative: float = RELATIVE) -> bool:
    """Whether two JSON values are equal; numbers up to a relative difference, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _same_numbers(a, b, relative)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same_values(x, y, relative) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_values(a[key], b[key], relative) for key in a)
    return type(a) is type(b) and bool(a == b)


def _same_numbers(a: float, b: float, relative: float) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    try:
        x, y = float(a), float(b)
    except OverflowError:
        return a == b
    return (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=relative, abs_tol=ABSOLUTE)
