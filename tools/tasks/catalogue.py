"""The shapes a task may have: what each asks for, in words and as a function of `tools.tasks.shapes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tools.tasks import shapes

if TYPE_CHECKING:
    from collections.abc import Callable

Needs = Literal["anything", "single", "number", "better", "levels", "additive"]


@dataclass(frozen=True)
class Shape:
    """One thing to ask for.

    `entry`, `title` and `says` are templates: {m} is the measure's name, {title} the family's title, {value} the measured
    value in words, {noun} and {nouns} what the records are, {worst}, {best}, {reaches} and {misses} follow what is better.
    """

    name: str
    entry: str
    title: str
    says: str
    fold: Callable[..., Any] | None = None
    returns: str = "{type}"
    many: bool = False
    needs: Needs = "number"
    label: Literal["name", "shift", ""] = ""
    target: bool = False
    rounds: bool = True
    whole: bool = True  # it may be asked of a measure that is rounded up
    empty: str = ""  # what no records give; nothing said: ValueError


VALUE = Shape("value", "{m}", "{title}", "Return {value}.", needs="anything")

EVERY = Shape(
    "every", "{m}_of_every", "{title}: of every item of a list",
    "Return a list with {value} of each item, in the order of the items.",
    shapes.of_each, "list[{type}]", needs="single", empty="an empty list",
)  # fmt: skip

SHAPES = (
    VALUE,
    EVERY,
    Shape(
        "meets", "{m}_meets_target", "{title}: is the target reached",
        "Return True if {value} is {reaches} `target`, else False.",
        shapes.meets, "bool", needs="better", target=True, rounds=False,
    ),
    Shape(
        "gap", "{m}_gap", "{title}: difference from the target",
        "Return {value} minus `target`. The result is negative when the value is below the target.",
        shapes.gap, target=True, whole=False,
    ),
    Shape(
        "level", "{m}_level", "{title}: as low, medium or high",
        'Return "low" if {value} is less than {medium}, "medium" if it is at least {medium} but less than '
        '{high}, and '
        '"high" if it is at least {high}.',
        shapes.level, "str", needs="levels", rounds=False,
    ),
    Shape(
        "each", "{m}_of_each", "{title}: of each {noun}",
        "Return a list with {value} of each record, in the order of the records.",
        shapes.of_each, "list[{type}]", many=True, empty="an empty list",
    ),
    Shape(
        "mean", "mean_{m}", "{title}: mean over several {nouns}",
        "Return the arithmetic mean, over the records, of {value}: one value for each record first, then the "
        "mean of these "
        "values, every record counting the same.",
        shapes.mean_of, "float", many=True, whole=False,
    ),
    Shape(
        "worst", "worst_{m}", "{title}: the worst of several {nouns}",
        "For each record, compute {value}. Return the {worst} of these values (the {worst} is the worst).",
        shapes.extreme_of, many=True, needs="better",
    ),
    Shape(
        "best", "best_{m}", "{title}: the best of several {nouns}",
        "For each record, compute {value}. Return the {best} of these values (the {best} is the best).",
        shapes.extreme_of, many=True, needs="better",
    ),
    Shape(
        "spread", "spread_of_{m}", "{title}: spread over several {nouns}",
        "For each record, compute {value}. Return the largest of these values minus the smallest.",
        shapes.spread_of, many=True, whole=False,
    ),
    Shape(
        "worst_name", "name_of_worst_{m}", "{title}: which {noun} is worst",
        "For each record, compute {value}. Return the name of the record with the {worst} value (the worst one). "
        "Of records "
        "with the same value, the first counts.",
        shapes.name_of_extreme, "str", many=True, needs="better", label="name", rounds=False,
    ),
    Shape(
        "missing", "names_missing_{m}", "{title}: which {nouns} miss the target",
        "For each record, compute {value}. Return a list with the names of the records whose value is {misses} "
        "`target`, in "
        "the order of the records.",
        shapes.names_missing, "list[str]", many=True, needs="better", label="name", target=True, rounds=False,
        empty="an empty list",
    ),
    Shape(
        "count", "count_meeting_{m}", "{title}: how many {nouns} reach the target",
        "For each record, compute {value}. Return how many of these values are {reaches} `target`, as an int.",
        shapes.count_meeting, "int", many=True, needs="better", target=True, rounds=False, empty="0",
    ),
    Shape(
        "ranking", "ranking_by_{m}", "{title}: ranking of several {nouns}",
        "For each record, compute {value}. Return a list with the names of all records, the best one ({best} "
        "value) first. "
        "Records with the same value stay in the order in which they came.",
        shapes.ranking, "list[str]", many=True, needs="better", label="name", rounds=False, empty="an empty list",
    ),
    Shape(
        "pooled", "pooled_{m}", "{title}: of several {nouns} together",
        "Add up each figure over all records, and return {value} that follows from these sums. (This is not the "
        "mean of the "
        "records' values.)",
        shapes.pooled, many=True, needs="additive",
    ),
    Shape(
        "by_shift", "mean_{m}_by_shift", "{title}: mean of each shift",
        'Group the records by their "shift". Return a dict from each shift that occurs to the arithmetic mean, '
        'over the '
        "records of that shift, of {value}.",
        shapes.mean_by_shift, "dict[str, float]", many=True, label="shift", whole=False, empty="an empty dict",
    ),
    Shape(
        "pooled_by_shift", "pooled_{m}_by_shift", "{title}: of each shift as a whole",
        'Group the records by their "shift" and add up each figure over the records of a shift. Return a dict '
        'from each '
        "shift that occurs to {value} that follows from the sums of that shift.",
        shapes.pooled_by_shift, "dict[str, {type}]", many=True, needs="additive", label="shift", empty="an empty dict",
    ),
)  # fmt: skip
