"""The conditions that most formulas share."""

from __future__ import annotations

from typing import Any

from tools.tasks.family import Refusal


def positive(*names: str) -> tuple[Refusal, ...]:
    """Each of these must be greater than zero."""
    return tuple(Refusal(f"{{{name}}} is zero or negative", {name: value}) for name in names for value in (0, -3))


def not_negative(*names: str) -> tuple[Refusal, ...]:
    """None of these may be negative."""
    return tuple(Refusal(f"{{{name}}} is negative", {name: -1}) for name in names)


def at_most(name: str, other: str, **arguments: Any) -> tuple[Refusal, ...]:
    """The first may not be greater than the second; `arguments` break that."""
    return (Refusal(f"{{{name}}} is greater than {{{other}}}", arguments),)


def share(*names: str) -> tuple[Refusal, ...]:
    """Each of these must be from 0 to 1."""
    return tuple(
        Refusal(f"{{{name}}} is less than 0 or greater than 1", {name: value})
        for name in names
        for value in (-0.1, 1.2)
    )
