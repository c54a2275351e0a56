"""Telling that an agent goes round in circles: the same call and result, A-B-A-B, or a cycle of three."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

LONGEST_CYCLE = 3


def rounds(steps: Sequence[Hashable]) -> int:
    """How often the cycle that the steps end with was gone through; 1 when they end with none."""
    return max((_rounds(steps, length) for length in range(1, LONGEST_CYCLE + 1)), default=1)


def _rounds(steps: Sequence[Hashable], length: int) -> int:
    if len(steps) < length:
        return 1
    cycle = list(steps[-length:])
    count = 1
    while list(steps[-(count + 1) * length : -count * length]) == cycle:
        count += 1
    return count
