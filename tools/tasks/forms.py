"""What a variant's choices mean in numbers: factors between units, thresholds, and which side is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.tasks.units import factor

if TYPE_CHECKING:
    from fractions import Fraction

    from tools.tasks.family import Quantity
    from tools.tasks.variants import Variant


def bindings(variant: Variant) -> dict[str, Any]:
    """The settings of the variant's shape: which side is better, and where classes begin."""
    gives = variant.family.gives
    lower, name = gives.better == "lower", variant.shape.name
    if name in ("meets", "missing", "count"):
        return {"lower_is_better": lower}
    if name in ("worst", "worst_name"):
        return {"largest": lower}
    if name == "best":
        return {"largest": not lower}
    if name == "ranking":
        return {"largest_first": not lower}
    if name == "level":
        medium, high = thresholds(variant)
        return {"medium": medium, "high": high}
    return {}


def thresholds(variant: Variant) -> tuple[float, float]:
    """Where the classes "medium" and "high" begin, in the variant's form."""
    levels = variant.family.gives.levels
    assert levels is not None
    by = 100 if variant.percent else result_factor(variant)
    medium, high = (float(f"{float(level * by):.12g}") for level in levels)
    return medium, high


def result_factor(variant: Variant) -> Fraction:
    """By how much the reference's value is multiplied to be in the variant's unit."""
    units = variant.family.gives.units
    return factor(units[0], variant.unit) if units else factor("seconds", "seconds")


def input_factor(variant: Variant, quantity: Quantity) -> Fraction:
    """By what an argument is multiplied to be in the unit of the reference."""
    unit = variant.units[variant.family.takes.index(quantity)]
    return factor(unit or "seconds", quantity.units[0] if unit else "seconds")
