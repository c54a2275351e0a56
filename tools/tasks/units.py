"""Units of time, energy and mass, and how one becomes another."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Of each kind, how many of its smallest unit. 1 kWh is 3.6 MJ exactly (SI Brochure, 9th edition, table 8: 1 h = 3600 s).
_SIZES = {
    "seconds": ("time", Fraction(1)),
    "minutes": ("time", Fraction(60)),
    "hours": ("time", Fraction(3600)),
    "days": ("time", Fraction(86400)),
    "mj": ("energy", Fraction(1)),
    "kwh": ("energy", Fraction(18, 5)),
    "mwh": ("energy", Fraction(3600)),
    "grams": ("mass", Fraction(1)),
    "kg": ("mass", Fraction(1000)),
    "tonnes": ("mass", Fraction(1000000)),
}
SPOKEN = {"mj": "megajoules (MJ)", "kwh": "kilowatt-hours (kWh)", "mwh": "megawatt-hours (MWh)", "kg": "kilograms"}


_ONE = {"minutes": "minute", "hours": "hour", "days": "day", "kwh": "kWh", "mwh": "MWh", "tonnes": "tonne"}
_MANY = {"mj": "MJ", "kwh": "kWh"}
_SYMBOLS = {"seconds": "s", "minutes": "min", "hours": "h", "days": "d", "grams": "g", "tonnes": "t"}


def symbol(unit: str) -> str:
    """The unit's symbol, for names."""
    return _SYMBOLS.get(unit, unit)


@cache
def factor(unit: str, wanted: str) -> Fraction:
    """How many `wanted` one `unit` is."""
    kind, size = _SIZES[unit]
    other, wanted_size = _SIZES[wanted]
    assert kind == other, f"{unit} is {kind} and {wanted} is {other}"
    return size / wanted_size


def scaled(value: float, by: Fraction) -> float:
    """The value times a factor, as the reference computes it."""
    if by.denominator != 1:
        return value * by.numerator / by.denominator if by.numerator != 1 else value / by.denominator
    return value * by.numerator if by.numerator != 1 else value


def scaling(by: Fraction) -> str:
    """The same as Python text that follows a value: ` * 60`, ` / 3600` or nothing."""
    times = f" * {by.numerator}" if by.numerator != 1 else ""
    return times + (f" / {by.denominator}" if by.denominator != 1 else "")


def in_unit(value: float, unit: str, wanted: str) -> float:
    """The value in another unit as a person would type it: cut to three decimal places, whole where it is whole."""
    exact = Fraction(value).limit_denominator(10**9) * factor(unit, wanted)
    return int(exact) if exact.denominator == 1 else floor(exact * 1000) / 1000


def conversions(units: Collection[str]) -> str:
    """How the units of each kind become each other, in sentences: "1 hour is 60 minutes."; nothing for one unit."""
    facts = []
    for kind in sorted({_SIZES[unit][0] for unit in units}):
        ordered = sorted((unit for unit in units if _SIZES[unit][0] == kind), key=lambda unit: _SIZES[unit][1])
        for small, large in pairwise(ordered):
            name = _ONE.get(large, large)
            facts.append(f"1 {name} is {float(factor(large, small)):g} {_MANY.get(small, small)}.")
    return " ".join(facts)


def spoken(unit: str) -> str:
    """The unit as a statement says it."""
    return SPOKEN.get(unit, unit)
