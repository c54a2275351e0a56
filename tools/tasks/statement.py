"""A variant in words: signature, title, and a statement from which a careful programmer writes exactly this function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.tasks.catalogue import EVERY
from tools.tasks.forms import thresholds
from tools.tasks.units import conversions, spoken

if TYPE_CHECKING:
    from tools.tasks.family import Quantity
    from tools.tasks.variants import Variant

OPENINGS = (
    "Write one Python function: {title}.",
    "We need a small Python function. It computes the following: {title}.",
    "Please write a Python function for this figure: {title}.",
    "A report needs this figure: {title}. Write the Python function for it.",
)


def title(variant: Variant) -> str:
    """One line that says what is computed, in which form."""
    family = variant.family
    text = variant.shape.title.format(
        title=family.title + _kind(variant), noun=family.noun, nouns=plural(family.noun)
    )
    if variant.unit and len(family.gives.units) != 1 and variant.unit != "ratio":
        text += f", in {spoken(variant.unit)}"
    return text if variant.digits is None else f"{text}, to {places(variant.digits)}"


def statement(variant: Variant, opening: int = 0) -> str:
    """Everything that an author needs; `opening` chooses among several ways to begin."""
    family = variant.family
    parts = [
        OPENINGS[opening % len(OPENINGS)].format(title=title(variant)),
        f"Signature:\n\n    {variant.signature}:",
        _filled(variant, family.says),
        "How it is computed: " + _filled(variant, family.formula),
        _arguments(variant),
        _asked(variant),
        _refused(variant),
    ]
    notes = [*family.notes, *([variant.option.says] if variant.option.says else [])]
    if notes:
        parts.insert(4, "\n".join(_filled(variant, note) for note in notes))
    return "\n\n".join(part for part in parts if part) + "\n"


def _kind(variant: Variant) -> str:
    suffix = variant.option.suffix.replace("_", " ")
    return f" ({suffix})" if suffix else ""


def plural(noun: str) -> str:
    """More than one of them."""
    return noun + ("es" if noun.endswith("s") else "s")


def places(digits: int) -> str:
    """So many decimal places."""
    return f"{digits} decimal place" + ("" if digits == 1 else "s")


def _filled(variant: Variant, text: str) -> str:
    return text.format(**{quantity.name: f"`{variant.argument(quantity)}`" for quantity in variant.family.takes})


def _arguments(variant: Variant) -> str:
    lines = [
        f"- `{variant.argument(quantity)}`: {_meaning(variant, quantity)}" for quantity in variant.family.takes
    ]
    shape = variant.shape
    if shape.label == "name":
        lines.insert(0, f"- `name`: the name of the {variant.family.noun}, a string")
    if shape.label == "shift":
        lines.insert(0, '- `shift`: the shift, a string such as "early"')
    if shape is EVERY:
        head = "The argument `items` is a list. Each of its items is what is called here:"
    elif shape.many:
        head = f"The argument `records` is a list of dicts, one for each {variant.family.noun}. Every dict has these keys:"
    else:
        head = "Arguments:"
    target = f"`target`: the target for {value(variant)}"
    if shape.target and not shape.many:
        lines.append(f"- {target}")
    tail = f"\nThe argument {target}." if shape.target and shape.many else ""
    return "\n".join([head, *lines]) + tail + _conversions(variant)


def _conversions(variant: Variant) -> str:
    """How the units of arguments and result become each other, where there are several."""
    gives = variant.family.gives
    units = {unit for unit in variant.units if unit}
    if gives.units:
        units.add(variant.unit)
    elif (
        gives.kind == "number"
    ):  # a fixed unit of the result, such as pieces per hour, goes with the reference's own
        units |= {quantity.units[0] for quantity in variant.family.takes if len(quantity.units) > 1}
    facts = conversions(units)
    return f"\n{facts} Convert before you compute or compare." if facts else ""


def _meaning(variant: Variant, quantity: Quantity) -> str:
    unit = variant.units[variant.family.takes.index(quantity)]
    return quantity.means + (f", in {spoken(unit)}" if unit else "")


def value(variant: Variant) -> str:
    """The measured value in words."""
    gives = variant.family.gives
    if gives.kind == "whole":
        return f"the {gives.name}, rounded up to the next whole number (math.ceil) and returned as an int"
    if gives.kind == "ratio":
        return (
            f"the {gives.name} as a percentage (the ratio times 100)"
            if variant.percent
            else f"the {gives.name} as a ratio"
        )
    unit = spoken(variant.unit) if gives.units else gives.unit
    return f"the {gives.name} in {unit}" if unit else f"the {gives.name}"


def _asked(variant: Variant) -> str:
    shape, gives = variant.shape, variant.family.gives
    lower = gives.better == "lower"
    medium, high = thresholds(variant) if shape.name == "level" else (0.0, 0.0)
    text = shape.says.format(
        value=value(variant),
        worst="largest" if lower else "smallest",
        best="smallest" if lower else "largest",
        reaches="less than or equal to" if lower else "greater than or equal to",
        misses="greater than" if lower else "less than",
        medium=f"{medium:g}",
        high=f"{high:g}",
    )
    if shape.empty:
        text += f" No {'items' if shape is EVERY else 'records'} give {shape.empty}."
    if variant.digits is not None:
        which = "every number of the result" if "[" in shape.returns + gives.type else "the result"
        text += (
            f" Round {which} to {places(variant.digits)} with round(x, {variant.digits}), and nothing before it."
        )
    elif shape.rounds and gives.kind in ("ratio", "number", "numbers"):
        text += " Do not round."
    elif shape.returns != "{type}" and gives.kind in ("ratio", "number"):
        text += " Compare values that are not rounded."
    return text


def _refused(variant: Variant) -> str:
    shape = variant.shape
    conditions = list(dict.fromkeys(_filled(variant, refusal.when) for refusal in variant.refuses))
    if shape.many and not shape.empty:
        conditions.insert(0, "`records` is empty")
    if not conditions:
        return ""
    of_any = " (for any of the records)" if shape.many else " (for any of the items)" if shape is EVERY else ""
    head = f"Raise ValueError if any of these holds{of_any}:"
    return "\n".join([head, *(f"- {condition}" for condition in conditions)])
