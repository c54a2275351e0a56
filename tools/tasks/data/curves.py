"""Lines and curves through points, series of numbers, distances and growth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import as_many_as, decimal, many, one_of, whole

if TYPE_CHECKING:
    from random import Random

MONTGOMERY = (
    "D. C. Montgomery, G. C. Runger, Applied Statistics and Probability for Engineers, 7th edition, Wiley, 2018"
)


def rolling_mean(values: list[float], window: int) -> list[float]:
    """Mean of each run of neighbouring values."""
    if window < 1:
        raise ValueError("window must be at least 1")
    return [sum(values[i : i + window]) / window for i in range(len(values) - window + 1)]


def running_total(values: list[float]) -> list[float]:
    """Sum of each value and all before it."""
    totals: list[float] = []
    for value in values:
        totals.append(value + (totals[-1] if totals else 0))
    return totals


def differences(values: list[float], relative: bool) -> list[float]:
    """Change of each value from the one before it."""
    if relative and 0 in values[:-1]:
        raise ValueError("a value that is divided by is zero")
    changes = [values[i] - values[i - 1] for i in range(1, len(values))]
    return [change / values[i] for i, change in enumerate(changes)] if relative else changes


def fitted_line(x: list[float], y: list[float]) -> dict[str, float]:
    """Slope and intercept by least squares."""
    if len(x) != len(y) or len(x) < 2 or min(x) == max(x):
        raise ValueError("there must be as many y as x, at least two, and x must vary")
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)
    return {"slope": slope, "intercept": mean_y - slope * mean_x}


def correlation(x: list[float], y: list[float]) -> float:
    """Pearson's coefficient of correlation."""
    if len(x) != len(y) or len(x) < 2 or min(x) == max(x) or min(y) == max(y):
        raise ValueError("there must be as many y as x, at least two, and both must vary")
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return both / math.sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))


def interpolated(points: list[list[float]], x: float, clamp: bool) -> float:
    """Value of a line through points at x."""
    if not points or any(points[i][0] <= points[i - 1][0] for i in range(1, len(points))):
        raise ValueError("there must be a point, and the x of the points must increase")
    if not points[0][0] <= x <= points[-1][0]:
        if not clamp:
            raise ValueError("x is outside the points")
        return points[0][1] if x < points[0][0] else points[-1][1]
    for i in range(1, len(points)):
        (x0, y0), (x1, y1) = points[i - 1], points[i]
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[0][1]


def area(x: list[float], y: list[float]) -> float:
    """Area under a curve by the trapezoidal rule."""
    if len(x) != len(y) or len(x) < 2 or any(x[i] <= x[i - 1] for i in range(1, len(x))):
        raise ValueError("there must be as many y as x, at least two, and x must increase")
    return sum((x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2 for i in range(1, len(x)))


def future_value(amount: float, rate: float, years: int, often: int) -> float:
    """Amount with compound interest."""
    if amount < 0 or rate <= -1 or years < 0:
        raise ValueError("amount and years must not be negative, and rate must be above -1")
    return amount * math.pow(1 + rate / often, often * years)


def distance(first: list[float], second: list[float], kind: str) -> float:
    """Euclidean, Manhattan or Chebyshev distance."""
    if not first or len(first) != len(second):
        raise ValueError("there must be a coordinate, and as many in both points")
    steps = [abs(a - b) for a, b in zip(first, second, strict=True)]
    if kind == "euclidean":
        return math.sqrt(sum(step * step for step in steps))
    return sum(steps) if kind == "manhattan" else max(steps)


def _points(random: Random, _: object) -> list[list[float]]:
    places = sorted(random.sample(range(20), random.randint(2, 6)))
    return [[place, random.randint(-20, 60) / 2] for place in places]


def _within(random: Random, drawn: dict[str, list[list[float]]]) -> float:
    first, last = drawn["points"][0][0], drawn["points"][-1][0]
    return random.randint(int(first * 10), int(last * 10)) / 10


def _increasing(random: Random, _: object) -> list[float]:
    return sorted(random.sample(range(40), random.randint(2, 7)))


_VALUES = Quantity("values", "the numbers", many(decimal(-40, 90, 1), 1, 9), "list[float]")
_X = Quantity("x", "the x values", many(whole(0, 30), 3, 8), "list[float]")
_Y = Quantity("y", "the y values, in the same order", as_many_as("x", whole(-5, 60)), "list[float]")
_PAIRS = (
    Refusal("{x} and {y} have different lengths", {"x": [1, 2, 3], "y": [1, 2]}),
    Refusal("there are fewer than two values", {"x": [1], "y": [1]}),
    Refusal("all of {x} are equal", {"x": [2, 2], "y": [1, 5]}),
)

FAMILIES = (
    Family(
        name="rolling_mean",
        title="Rolling mean of a list of numbers",
        says="A rolling mean smooths numbers: it is the mean of each run of neighbours.",
        formula="one result for each run of {window} neighbouring {values}, in order. If there are fewer values "
        "than {window}, the "
        "list is empty.",
        source="R. J. Hyndman, G. Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 3.3",
        core=rolling_mean,
        takes=(_VALUES, Quantity("window", "length of a run", whole(1, 4), "int")),
        gives=Result("list of means", "numbers", "list[float]", digits=(2, 3)),
        refuses=(Refusal("{window} is less than 1", {"window": 0}),),
        edges=({"values": []}, {"values": [1, 2, 3], "window": 3}, {"values": [1, 2], "window": 3}),
        tags=("statistics", "list"),
    ),
    Family(
        name="running_total",
        title="Running total of a list of numbers",
        says="The running total is the sum of each number and all numbers before it.",
        formula="a list as long as {values}; an empty list gives an empty list.",
        source="The Python Standard Library, itertools.accumulate",
        core=running_total,
        takes=(Quantity("values", "the numbers", many(whole(-40, 90), 1, 9), "list[float]"),),
        gives=Result("list of totals", "numbers", "list[float]", digits=()),
        edges=({"values": []}, {"values": [5]}, {"values": [1, -1, 2]}),
        tags=("list",),
    ),
    Family(
        name="changes",
        title="Changes from each number to the next",
        says="Tell how a list of numbers changes from one to the next.",
        formula="one result for each of {values} but the first, in order; fewer than two numbers give an empty "
        "list.",
        source="R. J. Hyndman, G. Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 9.1 "
        "(differencing)",
        core=differences,
        takes=(Quantity("values", "the numbers", many(one_of(*range(1, 40), *range(-9, 0)), 2, 9), "list[float]"),),
        gives=Result("list of changes", "numbers", "list[float]", digits=(2, 3)),
        edges=({"values": []}, {"values": [5]}, {"values": [5, 0]}, {"values": [4, 4]}),
        options=(
            Option("A change is the number minus the one before it.", {"relative": False}, "absolute"),
            Option(
                "A change is (the number minus the one before it) / the one before it.",
                {"relative": True},
                "relative",
                (Refusal("a number that is divided by (any but the last) is zero", {"values": [0, 5]}),),
            ),
        ),
        tags=("list",),
    ),
    Family(
        name="fitted_line",
        title="Straight line through points (least squares)",
        says="Find the straight line whose squared vertical distances from the points are least in sum.",
        formula="slope = sum of (x - mean x) * (y - mean y) / sum of (x - mean x) squared; intercept = mean y - "
        "slope * mean x. Return "
        'a dict with the keys "slope" and "intercept".',
        source=f"{MONTGOMERY}, chapter 11",
        core=fitted_line,
        takes=(_X, _Y),
        gives=Result("line", "numbers", "dict[str, float]", digits=(2, 3)),
        refuses=_PAIRS,
        edges=({"x": [0, 1], "y": [1, 3]}, {"x": [1, 2, 3], "y": [5, 5, 5]}),
        tags=("statistics", "list", "dict"),
    ),
    Family(
        name="correlation",
        title="Correlation of two lists of numbers",
        says="Pearson's coefficient tells how well two lists of numbers follow each other along a line, from -1 "
        "to 1.",
        formula="sum of (x - mean x) * (y - mean y) / square root of (sum of (x - mean x) squared * sum of (y - "
        "mean y) squared).",
        source=f"{MONTGOMERY}, chapter 11",
        core=correlation,
        takes=(_X, _Y),
        gives=Result("coefficient of correlation", "number", digits=(2, 3)),
        refuses=(*_PAIRS, Refusal("all of {y} are equal", {"x": [1, 2], "y": [3, 3]})),
        edges=({"x": [1, 2, 4], "y": [2, 4, 8]}, {"x": [0, 1], "y": [3, 1]}),
        tags=("statistics", "list"),
    ),
    Family(
        name="interpolated",
        title="Linear interpolation between points",
        says="Between two neighbouring points the value follows a straight line.",
        formula="find the two neighbouring {points} around {x} and interpolate linearly between them; at a "
        "point, the value is the "
        "point's. A point is a list [x, y], and the points come with increasing x.",
        source="W. H. Press et al., Numerical Recipes, 3rd edition, Cambridge University Press, 2007, section 3.1",
        core=interpolated,
        takes=(
            Quantity("points", "the points", _points, "list[list[float]]"),
            Quantity("x", "where the value is wanted", _within),
        ),
        gives=Result("value", "number", digits=(2, 3)),
        refuses=(
            Refusal("{points} is empty", {"points": []}),
            Refusal(
                "the x of the points do not increase from each to the next",
                {"points": [[0, 1], [2, 3], [2, 5]], "x": 1},
            ),
        ),
        edges=(
            {"points": [[2, 5]], "x": 2},
            {"points": [[0, 0], [10, 5]], "x": 4},
            {"points": [[0, 0], [10, 5]], "x": 10},
        ),
        options=(
            Option(
                "An x outside the points is refused.",
                {"clamp": False},
                "",
                (
                    Refusal(
                        "{x} is less than the first or greater than the last x of the points",
                        {"points": [[0, 1], [2, 3]], "x": 3},
                    ),
                    Refusal(
                        "{x} is less than the first or greater than the last x of the points",
                        {"points": [[1, 1], [2, 3]], "x": 0},
                    ),
                ),
            ),
            Option(
                "Before the first point the value is that of the first point, after the last one that of the last.",
                {"clamp": True},
                "clamped",
                (),
                (
                    {"points": [[0, 1], [2, 3]], "x": 3},
                    {"points": [[1, 1], [2, 3]], "x": 0},
                    {"points": [[5, -2.5], [7, 9]], "x": 4.9},
                    {"points": [[5, -2.5], [6, 0], [7, 9]], "x": 19},
                    {"points": [[5, 8]], "x": 1},
                ),
            ),
        ),
        tags=("numeric", "list"),
    ),
    Family(
        name="area_under_curve",
        title="Area under a curve (trapezoidal rule)",
        says="The area under a curve that is known at some points is the sum of the trapezoids between them.",
        formula="sum, over neighbouring points, of (x step) * (mean of the two y). Areas below zero count as "
        "negative.",
        source="W. H. Press et al., Numerical Recipes, 3rd edition, Cambridge University Press, 2007, section 4.1",
        core=area,
        takes=(
            Quantity("x", "the x values, increasing", _increasing, "list[float]"),
            Quantity("y", "the y values, in the same order", as_many_as("x", whole(-9, 60)), "list[float]"),
        ),
        gives=Result("area", "number", digits=()),
        refuses=(
            Refusal("{x} and {y} have different lengths", {"x": [1, 2, 3], "y": [1, 2]}),
            Refusal("there are fewer than two points", {"x": [1], "y": [1]}),
            Refusal("{x} does not increase from each value to the next", {"x": [1, 1], "y": [1, 5]}),
        ),
        edges=({"x": [0, 1], "y": [1, 3]}, {"x": [0, 2, 3], "y": [0, 0, 0]}),
        tags=("numeric", "list"),
    ),
    Family(
        name="future_value",
        title="Future value with compound interest",
        says="An amount grows with compound interest.",
        formula="future value = {amount} * (1 + {rate} / k) ** (k * {years}), with k compoundings in a year.",
        source="R. A. Brealey, S. C. Myers, F. Allen, Principles of Corporate Finance, 13th edition, "
        "McGraw-Hill, 2019, chapter 2",
        core=future_value,
        takes=(
            Quantity("amount", "the amount, in any one currency", decimal(0, 9000, 2)),
            Quantity("rate", "interest rate of a year, 0.05 for 5 %", decimal(-0.1, 0.2, 3)),
            Quantity("years", "number of years", whole(0, 30), "int"),
        ),
        gives=Result("future value", "number", digits=(2,), better="higher"),
        refuses=(
            Refusal("{amount} is negative", {"amount": -1}),
            Refusal("{rate} is -1 or less", {"rate": -1}),
            Refusal("{years} is negative", {"years": -1}),
        ),
        edges=({"amount": 0}, {"rate": 0}, {"years": 0}, {"amount": 100, "rate": 0.1, "years": 2}),
        options=(
            Option("Interest is added once a year: k = 1.", {"often": 1}),
            Option("Interest is added every month: k = 12.", {"often": 12}, "monthly"),
        ),
        tags=("money",),
        noun="deposit",
    ),
    Family(
        name="distance",
        title="Distance of two points",
        says="There are several ways to measure how far two points are apart.",
        formula="take the absolute differences of the coordinates of {first} and {second}, in order, as "
        "described below.",
        source="E. Deza, M. M. Deza, Encyclopedia of Distances, 4th edition, Springer, 2016",
        core=distance,
        takes=(
            Quantity("first", "the coordinates of the first point", many(decimal(-20, 20, 1), 1, 4), "list[float]"),
            Quantity(
                "second",
                "the coordinates of the second point",
                as_many_as("first", decimal(-20, 20, 1)),
                "list[float]",
            ),
        ),
        gives=Result("distance", "number", digits=(2, 3)),
        refuses=(
            Refusal("{first} and {second} have different lengths", {"first": [1, 2], "second": [1]}),
            Refusal("there are no coordinates", {"first": [], "second": []}),
        ),
        edges=({"first": [0, 0], "second": [3, 4]}, {"first": [1], "second": [1]}),
        options=(
            Option("Euclidean: the square root of the sum of their squares.", {"kind": "euclidean"}, "euclidean"),
            Option("Manhattan: their sum.", {"kind": "manhattan"}, "manhattan"),
            Option("Chebyshev: the largest of them.", {"kind": "chebyshev"}, "chebyshev"),
        ),
        tags=("numeric", "geometry"),
    ),
)
