"""Figures of lists of numbers: means, quantiles, spread, lines through points."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import as_many_as, decimal, many, one_of, whole

HYNDMAN = "R. J. Hyndman, Y. Fan, Sample quantiles in statistical packages, The American Statistician 50(4), 1996"
MONTGOMERY = (
    "D. C. Montgomery, G. C. Runger, Applied Statistics and Probability for Engineers, 7th edition, Wiley, 2018"
)


def median(values: list[float]) -> float:
    """Middle value, or the mean of the two middle ones."""
    if not values:
        raise ValueError("there are no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values: list[float], percent: float) -> float:
    """Quantile with linear interpolation between the order statistics (type 7)."""
    if not values or not 0 <= percent <= 100:
        raise ValueError("there must be a value, and percent must be between 0 and 100")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: list[float], sample: bool) -> float:
    """Standard deviation, of a sample or of a population."""
    if len(values) < (2 if sample else 1):
        raise ValueError("there are too few values")
    mean = sum(values) / len(values)
    squares = sum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - sample))


def coefficient_of_variation(values: list[float]) -> float:
    """Sample standard deviation over the mean."""
    if len(values) < 2 or any(value <= 0 for value in values):
        raise ValueError("there must be two values, and all must be positive")
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) / mean


def mean_of_kind(values: list[float], kind: str) -> float:
    """Geometric, harmonic or quadratic mean of positive values."""
    if not values or min(values) <= 0:
        raise ValueError("there must be a value, and all must be positive")
    if kind == "geometric":
        return math.exp(sum(math.log(value) for value in values) / len(values))
    if kind == "harmonic":
        return len(values) / sum(1 / value for value in values)
    return math.sqrt(sum(value * value for value in values) / len(values))


def weighted_mean(values: list[float], weights: list[float]) -> float:
    """Mean with weights."""
    if len(values) != len(weights) or any(weight < 0 for weight in weights) or sum(weights) == 0:
        raise ValueError("there must be as many weights as values, none negative and not all zero")
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def trimmed_mean(values: list[float], cut: int) -> float:
    """Mean without the smallest and the largest few."""
    if cut < 0 or 2 * cut >= len(values):
        raise ValueError("cut must not be negative, and must leave a value")
    kept = sorted(values)[cut : len(values) - cut]
    return sum(kept) / len(kept)


def scaled(values: list[float]) -> list[float]:
    """Values moved and stretched to run from 0 to 1."""
    if values and min(values) == max(values):
        raise ValueError("all values are equal")
    return [(value - min(values)) / (max(values) - min(values)) for value in values]


def distance(first: list[float], second: list[float], kind: str) -> float:
    """Euclidean, Manhattan or Chebyshev distance."""
    if not first or len(first) != len(second):
        raise ValueError("there must be a coordinate, and as many in both points")
    steps = [abs(a - b) for a, b in zip(first, second, strict=True)]
    if kind == "euclidean":
        return math.sqrt(sum(step * step for step in steps))
    return sum(steps) if kind == "manhattan" else max(steps)


_VALUES = Quantity("values", "the numbers", many(decimal(-40, 90, 1), 1, 9), "list[float]")
_POSITIVE = Quantity("values", "the numbers", many(decimal(0.5, 90, 1), 2, 9), "list[float]")
_NONE = (Refusal("{values} is empty", {"values": []}),)

FAMILIES = (
    Family(
        name="median",
        title="Median of a list of numbers",
        says="The median is the middle value of the sorted numbers.",
        formula="with an even count, the median is the mean of the two middle values of {values}.",
        source=f"{MONTGOMERY}, chapter 6",
        core=median,
        takes=(_VALUES,),
        gives=Result("median", "number"),
        refuses=_NONE,
        edges=({"values": [7]}, {"values": [3, 1]}, {"values": [2, 2, 9, 2]}),
        tags=("statistics", "list"),
    ),
    Family(
        name="percentile",
        title="Percentile of a list of numbers",
        says="The percentile is the value below which a share of the numbers lies.",
        formula="sort {values}; place = (count - 1) * {percent} / 100, counted from 0; interpolate linearly "
        "between the two sorted "
        "values around that place (the default method of numpy.percentile).",
        source=f"{HYNDMAN}, type 7",
        core=percentile,
        takes=(
            _VALUES,
            Quantity("percent", "the percentage, from 0 to 100", one_of(0, 5, 10, 25, 50, 75, 90, 95, 99, 100)),
        ),
        gives=Result("percentile", "number"),
        refuses=(
            *_NONE,
            Refusal("{percent} is less than 0 or greater than 100", {"percent": 101}),
            Refusal("{percent} is less than 0 or greater than 100", {"percent": -1}),
        ),
        edges=({"values": [7]}, {"values": [1, 2, 3, 4, 5], "percent": 50}, {"values": [10, 20], "percent": 25}),
        tags=("statistics", "list"),
    ),
    Family(
        name="standard_deviation",
        title="Standard deviation of a list of numbers",
        says="The standard deviation is the root of the mean squared distance from the mean.",
        formula="square root of (sum of squared distances of {values} from their mean / divisor).",
        source=f"{MONTGOMERY}, chapter 6",
        core=spread,
        takes=(Quantity("values", "the numbers", many(decimal(-40, 90, 1), 2, 9), "list[float]"),),
        gives=Result("standard deviation", "number"),
        edges=({"values": [3, 5]}, {"values": [2, 4, 4, 4, 5, 5, 7, 9]}, {"values": [4, 4]}),
        options=(
            Option(
                "The divisor is the count minus 1 (sample).",
                {"sample": True},
                "of_sample",
                (
                    Refusal("{values} has fewer than two numbers", {"values": [5]}),
                    Refusal("{values} has fewer than two numbers", {"values": []}),
                ),
            ),
            Option(
                "The divisor is the count (population).",
                {"sample": False},
                "of_population",
                (Refusal("{values} is empty", {"values": []}),),
                ({"values": [5]},),
            ),
        ),
        tags=("statistics", "list"),
    ),
    Family(
        name="coefficient_of_variation",
        title="Coefficient of variation",
        says="The coefficient of variation relates the spread of numbers to their mean.",
        formula="coefficient of variation = sample standard deviation (with count - 1) of {values} / mean of "
        "{values}.",
        source=f"{MONTGOMERY}, chapter 6",
        core=coefficient_of_variation,
        takes=(_POSITIVE,),
        gives=Result("coefficient of variation", digits=(2, 3), levels=(0.25, 0.75)),
        refuses=(
            Refusal("{values} has fewer than two numbers", {"values": [5]}),
            Refusal("any of {values} is zero or negative", {"values": [5, 0]}),
            Refusal("any of {values} is zero or negative", {"values": [5, -3, 2]}),
        ),
        edges=({"values": [4, 4]}, {"values": [3, 5]}),
        tags=("statistics", "list"),
    ),
    Family(
        name="mean_of_positive",
        title="Mean of positive numbers",
        says="There are several means beside the arithmetic one.",
        formula="as described below, of all numbers in {values}.",
        source="P. S. Bullen, Handbook of Means and Their Inequalities, Kluwer, 2003",
        core=mean_of_kind,
        takes=(_POSITIVE,),
        gives=Result("mean", "number"),
        refuses=(
            *_NONE,
            Refusal("any of {values} is zero or negative", {"values": [5, 0]}),
            Refusal("any of {values} is zero or negative", {"values": [-5]}),
        ),
        edges=({"values": [7]}, {"values": [1, 4]}, {"values": [2, 2, 2]}),
        options=(
            Option(
                "The geometric mean: the n-th root of the product of the n numbers.",
                {"kind": "geometric"},
                "geometric",
            ),
            Option(
                "The harmonic mean: n over the sum of the reciprocals of the n numbers.",
                {"kind": "harmonic"},
                "harmonic",
            ),
            Option(
                "The quadratic mean: the square root of the mean of the squares.",
                {"kind": "quadratic"},
                "quadratic",
            ),
        ),
        tags=("statistics", "list"),
    ),
    Family(
        name="weighted_mean",
        title="Weighted mean",
        says="In a weighted mean each number counts as much as its weight says.",
        formula="weighted mean = sum of value * weight / sum of {weights}.",
        source=f"{MONTGOMERY}, chapter 6",
        core=weighted_mean,
        takes=(
            _VALUES,
            Quantity("weights", "the weight of each number", as_many_as("values", whole(1, 9)), "list[float]"),
        ),
        gives=Result("weighted mean", "number"),
        refuses=(
            Refusal("{values} and {weights} have different lengths", {"values": [1, 2], "weights": [1]}),
            Refusal("any of {weights} is negative", {"values": [1, 2], "weights": [3, -1]}),
            Refusal("all of {weights} are zero, or there are none", {"values": [1, 2], "weights": [0, 0]}),
            Refusal("all of {weights} are zero, or there are none", {"values": [], "weights": []}),
        ),
        edges=({"values": [7], "weights": [2]}, {"values": [10, 20], "weights": [0, 3]}),
        tags=("statistics", "list"),
    ),
    Family(
        name="trimmed_mean",
        title="Trimmed mean",
        says="A trimmed mean leaves out the most extreme numbers at both ends.",
        formula="sort {values}, leave out the {cut} smallest and the {cut} largest, and take the arithmetic mean "
        "of the others.",
        source="J. W. Tukey, A survey of sampling from contaminated distributions, Stanford University Press, 1960",
        core=trimmed_mean,
        takes=(
            Quantity("values", "the numbers", many(decimal(-40, 90, 1), 5, 11), "list[float]"),
            Quantity("cut", "how many to leave out at each end", whole(0, 2), "int"),
        ),
        gives=Result("trimmed mean", "number"),
        refuses=(
            Refusal("{cut} is negative", {"cut": -1}),
            Refusal(
                "no number is left: twice {cut} is the number of {values} or more", {"values": [1, 2], "cut": 1}
            ),
            Refusal("no number is left: twice {cut} is the number of {values} or more", {"values": [], "cut": 0}),
        ),
        edges=({"values": [1, 2, 30], "cut": 1}, {"values": [5], "cut": 0}),
        tags=("statistics", "list"),
    ),
    Family(
        name="scaled_to_one",
        title="Numbers scaled to run from 0 to 1",
        says="Min-max scaling moves and stretches numbers so that the smallest becomes 0 and the largest 1.",
        formula="each number becomes (number - smallest) / (largest - smallest), for {values} in order. An empty "
        "list gives an empty "
        "list.",
        source="J. Han, M. Kamber, J. Pei, Data Mining: Concepts and Techniques, 3rd edition, section 3.5 "
        "(min-max normalization)",
        core=scaled,
        takes=(Quantity("values", "the numbers", many(decimal(-40, 90, 1), 3, 9), "list[float]"),),
        gives=Result("list of scaled numbers", "numbers", "list[float]", digits=(2, 3)),
        refuses=(
            Refusal("{values} is not empty and all numbers are equal", {"values": [3, 3]}),
            Refusal("{values} is not empty and all numbers are equal", {"values": [3]}),
        ),
        edges=({"values": []}, {"values": [2, 4]}, {"values": [1, 3, 5]}),
        tags=("statistics", "list"),
    ),
)
