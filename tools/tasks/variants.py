"""The variants of a family: every way to choose units, form, rounding and shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from tools.tasks.catalogue import EVERY, SHAPES, VALUE, Shape
from tools.tasks.units import symbol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tools.tasks.family import Family, Option, Quantity, Refusal

_FIGURES = ("float", "int")


@dataclass(frozen=True)
class Variant:
    """One task of a family, before it is put into words and source.

    `units` holds one unit for each quantity ("" for one that has none). `unit` is the result's: a unit, "percent", "ratio",
    or "" where there is no choice.
    """

    family: Family
    option: Option
    shape: Shape
    units: tuple[str, ...]
    unit: str
    digits: int | None

    @property
    def percent(self) -> bool:
        """Whether a ratio is given times 100."""
        return self.unit == "percent"

    @property
    def measure(self) -> str:
        """The name of what is measured: `takt_time_seconds`, `availability_percent`."""
        form = "" if self.unit == "ratio" or len(self.family.gives.units) == 1 else self.unit
        return "_".join(filter(None, (self.family.name, self.option.suffix, form)))

    @property
    def entry(self) -> str:
        """The name of the function: it tells every choice that changes what the function does."""
        name = self.shape.entry.format(m=self.measure)
        taken = [
            (unit, quantity.units[0]) for unit, quantity in zip(self.units, self.family.takes, strict=True) if unit
        ]
        chosen = list(dict.fromkeys(unit for unit, _ in taken))
        if len(chosen) > 1:  # every one is named, so that no two choices have one name
            chosen = [unit for unit, _ in taken]
        source = "from_" + "_".join(map(symbol, chosen)) if any(unit != usual for unit, usual in taken) else ""
        digits = "" if self.digits is None else f"{self.digits}dp"
        return "_".join(filter(None, (name, source, digits)))

    @property
    def signature(self) -> str:
        """The `def` line without its colon."""
        given = ", ".join(f"{name}: {annotation}" for name, annotation in self.parameters)
        return f"def {self.entry}({given}) -> {self.shape.returns.format(type=self.family.gives.type)}"

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The function's parameters with their annotations, in order."""
        if self.shape is EVERY:
            (quantity,) = self.family.takes
            return [("items", f"list[{quantity.type}]")]
        if self.shape.many:
            item = "float | str" if self.shape.label else "float"
            taken = [("records", f"list[dict[str, {item}]]")]
        else:
            taken = [(self.argument(quantity), quantity.type) for quantity in self.family.takes]
        return [*taken, ("target", "float")] if self.shape.target else taken

    @property
    def refuses(self) -> tuple[Refusal, ...]:
        """What this variant refuses: the family's conditions and those of its option."""
        return self.family.refuses + self.option.refuses

    def argument(self, quantity: Quantity) -> str:
        """The name under which a quantity is passed."""
        unit = self.units[self.family.takes.index(quantity)]
        return f"{quantity.name}_{unit}" if unit else quantity.name


def variants(family: Family) -> Iterator[Variant]:
    """Every variant of a family."""
    for shape, option, units in product(shapes_of(family), family.options, _units_of(family)):
        for unit in _forms_of(family, shape):
            for digits in _digits_of(family, shape):
                yield Variant(family, option, shape, units, unit, digits)


def choose(family: Family, random: Random) -> Variant:
    """One variant; a third of them ask for nothing but the value."""
    shape = VALUE if random.random() < 1 / 3 else random.choice(shapes_of(family))
    return Variant(
        family,
        random.choice(family.options),
        shape,
        random.choice(_units_of(family)),
        random.choice(_forms_of(family, shape)),
        random.choice(_digits_of(family, shape)),
    )


@cache
def shapes_of(family: Family) -> tuple[Shape, ...]:
    """The shapes that make sense for a family."""
    return tuple(shape for shape in SHAPES if _fits(shape, family))


def _fits(shape: Shape, family: Family) -> bool:
    gives = family.gives
    if shape.needs == "anything":
        return True
    if shape is EVERY:
        return len(family.takes) == 1
    if gives.kind in ("other", "numbers") or (gives.kind == "whole" and not shape.whole):
        return False
    if shape.many and any(quantity.type not in _FIGURES for quantity in family.takes):
        return False
    has = {"better": bool(gives.better), "levels": gives.levels is not None, "additive": family.additive}
    return has.get(shape.needs, True)


@cache
def _units_of(family: Family) -> tuple[tuple[str, ...], ...]:
    return tuple(product(*(quantity.units or ("",) for quantity in family.takes)))


def _forms_of(family: Family, shape: Shape) -> tuple[str, ...]:
    """The result's units, where they change what is asked for."""
    gives = family.gives
    if gives.kind == "ratio":
        return ("ratio",) if _same_in_every_unit(shape) else ("ratio", "percent")
    if gives.units:
        return gives.units[:1] if _same_in_every_unit(shape) else gives.units
    return ("",)


def _same_in_every_unit(shape: Shape) -> bool:
    return shape.returns in ("str", "list[str]") and not shape.target and shape.needs != "levels"


def _digits_of(family: Family, shape: Shape) -> tuple[int | None, ...]:
    if not shape.rounds or family.gives.kind in ("whole", "other"):
        return (None,)
    return (None, *family.gives.digits)
