"""Where the numbers of an input come from: small samplers that a family puts together."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Sampler = Callable[[Random, dict[str, Any]], Any]
"""Draws one value; it may look at the values that were drawn before it."""


def seeded(words: str) -> Random:
    """A source of random numbers that is the same for the same words, on every machine."""
    return Random(words)  # noqa: S311  # drawing exercises is no cryptography


def whole(low: int, high: int, step: int = 1) -> Sampler:
    """A whole number from `low` to `high`, both possible."""
    return lambda random, _: random.randrange(low, high + 1, step)


def decimal(low: float, high: float, digits: int = 1) -> Sampler:
    """A number from `low` to `high` with at most `digits` decimal places."""
    scale: int = 10**digits
    return lambda random, _: random.randint(round(low * scale), round(high * scale)) / scale


def one_of(*values: Any) -> Sampler:
    """One of these values."""
    return lambda random, _: random.choice(values)


def up_to(other: str, least: int = 0, most: int | None = None) -> Sampler:
    """A whole number from `least` to the value of `other`, which was drawn before, and at most `most`."""

    def sample(random: Random, drawn: dict[str, Any]) -> int:
        highest = int(drawn[other]) if most is None else min(int(drawn[other]), most)
        return random.randint(min(least, highest), highest)

    return sample


def above(other: str, least: float, most: float, digits: int = 1) -> Sampler:
    """A number that is `least` to `most` above the value of `other`."""
    scale: int = 10**digits

    def sample(random: Random, drawn: dict[str, Any]) -> float:
        start: float = drawn[other]
        return round(start + random.randint(round(least * scale), round(most * scale)) / scale, digits)

    return sample


def many(item: Sampler, fewest: int, most: int) -> Sampler:
    """A list of `fewest` to `most` values."""
    return lambda random, drawn: [item(random, drawn) for _ in range(random.randint(fewest, most))]


def as_many_as(other: str, item: Sampler) -> Sampler:
    """A list that is as long as the one that was drawn for `other`."""
    return lambda random, drawn: [item(random, drawn) for _ in drawn[other]]
