"""Process capability and control charts."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import not_negative, positive
from tools.tasks.samples import above, decimal, many, whole

MONTGOMERY = "D. C. Montgomery, Introduction to Statistical Quality Control, 8th edition, Wiley, 2020"
ISO = "ISO 22514-2:2017"


def cp(lower: float, upper: float, sigma: float) -> float:
    """Width of the specification over six standard deviations."""
    if sigma <= 0 or upper <= lower:
        raise ValueError("sigma must be positive, and upper greater than lower")
    return (upper - lower) / (6 * sigma)


def cpk(lower: float, upper: float, mean: float, sigma: float) -> float:
    """Distance from the mean to the nearer limit over three standard deviations."""
    if sigma <= 0 or upper <= lower:
        raise ValueError("sigma must be positive, and upper greater than lower")
    return min(upper - mean, mean - lower) / (3 * sigma)


def cpm(lower: float, upper: float, mean: float, sigma: float, nominal: float) -> float:
    """Taguchi's index: the deviation from the nominal value counts as spread."""
    if sigma <= 0 or upper <= lower:
        raise ValueError("sigma must be positive, and upper greater than lower")
    return (upper - lower) / (6 * math.sqrt(sigma**2 + (mean - nominal) ** 2))


def pp(values: list[float], lower: float, upper: float) -> float:
    """Width of the specification over six sample standard deviations."""
    if len(values) < 2 or upper <= lower:
        raise ValueError("there must be two values, and upper greater than lower")
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    if min(values) == max(values):
        raise ValueError("the values do not vary")
    return (upper - lower) / (6 * spread)


def ppk(values: list[float], lower: float, upper: float) -> float:
    """Distance from the sample mean to the nearer limit over three sample standard deviations."""
    if len(values) < 2 or upper <= lower:
        raise ValueError("there must be two values, and upper greater than lower")
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    if min(values) == max(values):
        raise ValueError("the values do not vary")
    return min(upper - mean, mean - lower) / (3 * spread)


def mean_chart_limits(subgroups: list[list[float]]) -> dict[str, float]:
    """Limits of the chart of means, from the mean range."""
    factors = {2: 1.880, 3: 1.023, 4: 0.729, 5: 0.577, 6: 0.483}
    size = len(subgroups[0]) if subgroups else 0
    if size not in factors or any(len(group) != size for group in subgroups):
        raise ValueError("there must be a subgroup, and all must have the same size from 2 to 6")
    centre = sum(sum(group) / size for group in subgroups) / len(subgroups)
    mean_range = sum(max(group) - min(group) for group in subgroups) / len(subgroups)
    width = factors[size] * mean_range
    return {"lower": centre - width, "centre": centre, "upper": centre + width}


def range_chart_limits(subgroups: list[list[float]]) -> dict[str, float]:
    """Limits of the chart of ranges, from the mean range."""
    factors = {2: 3.267, 3: 2.574, 4: 2.282, 5: 2.114, 6: 2.004}
    size = len(subgroups[0]) if subgroups else 0
    if size not in factors or any(len(group) != size for group in subgroups):
        raise ValueError("there must be a subgroup, and all must have the same size from 2 to 6")
    mean_range = sum(max(group) - min(group) for group in subgroups) / len(subgroups)
    return {"lower": 0.0, "centre": mean_range, "upper": factors[size] * mean_range}


def fraction_chart_limits(defective: int, samples: int, size: int) -> dict[str, float]:
    """Limits of the p chart; none below 0 or above 1."""
    if samples <= 0 or size <= 0 or not 0 <= defective <= samples * size:
        raise ValueError("samples and size must be positive, and defective between zero and all pieces")
    share = defective / (samples * size)
    width = 3 * math.sqrt(share * (1 - share) / size)
    return {"lower": max(0.0, share - width), "centre": share, "upper": min(1.0, share + width)}


def count_chart_limits(defects: int, samples: int) -> dict[str, float]:
    """Limits of the c chart; the lower one is not below 0."""
    if samples <= 0 or defects < 0:
        raise ValueError("samples must be positive, and defects not negative")
    mean = defects / samples
    width = 3 * math.sqrt(mean)
    return {"lower": max(0.0, mean - width), "centre": mean, "upper": mean + width}


def individuals_limits(values: list[float]) -> dict[str, float]:
    """Limits of the chart of single values, from the mean moving range of two."""
    if len(values) < 2:
        raise ValueError("there must be two values")
    centre = sum(values) / len(values)
    mean_range = sum(abs(values[i] - values[i - 1]) for i in range(1, len(values))) / (len(values) - 1)
    return {"lower": centre - 2.66 * mean_range, "centre": centre, "upper": centre + 2.66 * mean_range}


_LOWER = Quantity("lower", "lower specification limit", decimal(5, 20, 1))
_UPPER = Quantity("upper", "upper specification limit, in the same unit", above("lower", 2, 12))
_MEAN = Quantity("mean", "mean of the process, in the same unit", above("lower", -1, 12))
_SIGMA = Quantity("sigma", "standard deviation of the process, in the same unit", decimal(0.2, 2.5, 2))
_VALUES = Quantity("values", "the measured values", many(decimal(8, 14, 2), 4, 12), "list[float]")
_SPECIFIED = (
    Refusal("{upper} is less than or equal to {lower}", {"lower": 10, "upper": 10}),
    Refusal("{upper} is less than or equal to {lower}", {"lower": 10, "upper": 9}),
)
_VARYING = (
    Refusal("{values} has fewer than two values", {"values": [10.5]}),
    Refusal("{values} has fewer than two values", {"values": []}),
    Refusal("all of {values} are equal", {"values": [10.0, 10.0, 10.0]}),
)
_LIMITS = 'a dict with the keys "lower", "centre" and "upper"'
_GROUPS = Quantity(
    "subgroups",
    "the measured values, a list of values for each subgroup",
    lambda random, _: (
        lambda size, start: [
            [start + random.randint(0, 300) / 100 for _ in range(size)] for _ in range(random.randint(2, 8))
        ]
    )(random.randint(2, 6), random.randint(5, 40)),
    "list[list[float]]",
)
_GROUP_REFUSALS = (
    Refusal("{subgroups} is empty", {"subgroups": []}),
    Refusal("the subgroups do not all have the same size", {"subgroups": [[1.0, 2.0], [1.0, 2.0, 3.0]]}),
    Refusal("the size of the subgroups is less than 2 or greater than 6", {"subgroups": [[1.0], [2.0]]}),
    Refusal(
        "the size of the subgroups is less than 2 or greater than 6",
        {"subgroups": [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]]},
    ),
)

FAMILIES = (
    Family(
        name="process_capability_cp",
        title="Process capability Cp",
        says="Cp compares the width of the specification with the natural spread of a process, six standard "
        "deviations.",
        formula="Cp = ({upper} - {lower}) / (6 * {sigma}).",
        source=f"{MONTGOMERY}, section 8.3; {ISO}",
        core=cp,
        takes=(_LOWER, _UPPER, _SIGMA),
        gives=Result("Cp", "number", better="higher", levels=(1, 1.33)),
        refuses=(*positive("sigma"), *_SPECIFIED),
        edges=({"lower": 8, "upper": 20, "sigma": 2}, {"lower": -6, "upper": 6, "sigma": 1}),
        tags=("capability", "quality"),
        noun="feature",
    ),
    Family(
        name="process_capability_cpk",
        title="Process capability Cpk",
        says="Cpk is the capability of a process that need not be centred: the nearer specification limit counts.",
        formula="Cpk = the smaller of ({upper} - {mean}) / (3 * {sigma}) and ({mean} - {lower}) / (3 * {sigma}). "
        "It is negative "
        "when the mean is outside the limits.",
        source=f"{MONTGOMERY}, section 8.3; {ISO}",
        core=cpk,
        takes=(_LOWER, _UPPER, _MEAN, _SIGMA),
        gives=Result("Cpk", "number", better="higher", levels=(1, 1.33)),
        refuses=(*positive("sigma"), *_SPECIFIED),
        edges=(
            {"lower": 8, "upper": 20, "mean": 16, "sigma": 2},
            {"lower": 8, "upper": 20, "mean": 14},
            {"lower": 8, "mean": 8},
        ),
        tags=("capability", "quality"),
        noun="feature",
    ),
    Family(
        name="process_capability_cpm",
        title="Process capability Cpm (Taguchi)",
        says="Cpm is a capability index in which the distance of the mean from the nominal value counts as spread.",
        formula="Cpm = ({upper} - {lower}) / (6 * square root of ({sigma} squared + ({mean} - {nominal}) "
        "squared)).",
        source=f"{MONTGOMERY}, section 8.3.4",
        core=cpm,
        takes=(
            _LOWER,
            _UPPER,
            _MEAN,
            _SIGMA,
            Quantity("nominal", "nominal value, in the same unit", above("lower", 0, 6)),
        ),
        gives=Result("Cpm", "number", better="higher", levels=(1, 1.33)),
        refuses=(*positive("sigma"), *_SPECIFIED),
        edges=({"lower": 8, "upper": 20, "mean": 14, "nominal": 14},),
        tags=("capability", "quality"),
        noun="feature",
    ),
    Family(
        name="process_performance_pp",
        title="Process performance Pp of measured values",
        says="Pp is like Cp, with the standard deviation estimated from all measured values.",
        formula="Pp = ({upper} - {lower}) / (6 * s), where s is the sample standard deviation (with n - 1) of "
        "{values}.",
        source=f"{MONTGOMERY}, section 8.3.5; {ISO}",
        core=pp,
        takes=(_VALUES, Quantity("lower", "lower specification limit", decimal(3, 8, 1)), _UPPER),
        gives=Result("Pp", "number", better="higher", levels=(1, 1.33)),
        refuses=(*_VARYING, *_SPECIFIED),
        edges=({"values": [10, 12]}, {"values": [9, 10, 11], "lower": 4, "upper": 16}),
        tags=("capability", "quality", "list"),
    ),
    Family(
        name="process_performance_ppk",
        title="Process performance Ppk of measured values",
        says="Ppk is like Cpk, with the mean and the standard deviation estimated from all measured values.",
        formula="Ppk = the smaller of ({upper} - m) / (3 * s) and (m - {lower}) / (3 * s), where m is the mean "
        "and s the sample "
        "standard deviation (with n - 1) of {values}.",
        source=f"{MONTGOMERY}, section 8.3.5; {ISO}",
        core=ppk,
        takes=(_VALUES, Quantity("lower", "lower specification limit", decimal(3, 8, 1)), _UPPER),
        gives=Result("Ppk", "number", better="higher", levels=(1, 1.33)),
        refuses=(*_VARYING, *_SPECIFIED),
        edges=({"values": [10, 12]}, {"values": [9, 10, 11], "lower": 4, "upper": 15}),
        tags=("capability", "quality", "list"),
    ),
    Family(
        name="mean_chart_limits",
        title="Control limits of an X-bar chart",
        says="The limits of the chart of subgroup means follow from the grand mean and the mean range of the "
        "subgroups.",
        formula="centre = mean of the subgroups' means; R = mean of the subgroups' ranges (largest minus "
        "smallest value); lower = "
        "centre - A2 * R; upper = centre + A2 * R. A2 for a subgroup size of 2: 1.880, 3: 1.023, 4: 0.729, 5: "
        "0.577, 6: 0.483.",
        source=f"{MONTGOMERY}, section 6.2 and appendix VI",
        core=mean_chart_limits,
        takes=(_GROUPS,),
        gives=Result(f"control limits as {_LIMITS}", "numbers", "dict[str, float]", digits=(3, 4)),
        refuses=_GROUP_REFUSALS,
        edges=({"subgroups": [[10.0, 12.0]]}, {"subgroups": [[5.0, 5.0, 5.0], [5.0, 5.0, 5.0]]}),
        tags=("control chart", "quality", "list"),
    ),
    Family(
        name="range_chart_limits",
        title="Control limits of an R chart",
        says="The limits of the chart of subgroup ranges follow from the mean range of the subgroups.",
        formula="centre = mean of the subgroups' ranges (largest minus smallest value); lower = 0.0; upper = D4 "
        "* centre. D4 for a "
        "subgroup size of 2: 3.267, 3: 2.574, 4: 2.282, 5: 2.114, 6: 2.004.",
        source=f"{MONTGOMERY}, section 6.2 and appendix VI",
        core=range_chart_limits,
        takes=(_GROUPS,),
        gives=Result(f"control limits as {_LIMITS}", "numbers", "dict[str, float]", digits=(3, 4)),
        refuses=_GROUP_REFUSALS,
        edges=({"subgroups": [[10.0, 12.0]]}, {"subgroups": [[5.0, 5.0, 5.0], [5.0, 5.0, 5.0]]}),
        tags=("control chart", "quality", "list"),
    ),
    Family(
        name="fraction_chart_limits",
        title="Control limits of a p chart",
        says="The p chart follows the fraction of defective pieces in samples of equal size.",
        formula="centre = {defective} / ({samples} * {size}); width = 3 * square root of (centre * (1 - centre) "
        "/ {size}); lower = "
        "centre - width, but 0.0 if that is negative; upper = centre + width, but 1.0 if that is greater than 1.",
        source=f"{MONTGOMERY}, section 7.2",
        core=fraction_chart_limits,
        takes=(
            Quantity("defective", "number of defective pieces in all samples together", whole(0, 300), "int"),
            Quantity("samples", "number of samples", whole(10, 40), "int"),
            Quantity("size", "number of pieces in each sample", whole(30, 200), "int"),
        ),
        gives=Result(f"control limits as {_LIMITS}", "numbers", "dict[str, float]", digits=(4, 5)),
        refuses=(
            *not_negative("defective"),
            *positive("samples", "size"),
            Refusal(
                "{defective} is greater than {samples} * {size}", {"defective": 301, "samples": 10, "size": 30}
            ),
        ),
        edges=(
            {"defective": 0},
            {"defective": 347, "samples": 30, "size": 50},
            {"defective": 300, "samples": 10, "size": 30},
        ),
        tags=("control chart", "quality"),
    ),
    Family(
        name="count_chart_limits",
        title="Control limits of a c chart",
        says="The c chart follows the number of defects in samples of equal size.",
        formula="centre = {defects} / {samples}; lower = centre - 3 * square root of centre, but 0.0 if that is "
        "negative; upper = "
        "centre + 3 * square root of centre.",
        source=f"{MONTGOMERY}, section 7.3",
        core=count_chart_limits,
        takes=(
            Quantity("defects", "number of defects in all samples together", whole(0, 900), "int"),
            Quantity("samples", "number of samples", whole(5, 40), "int"),
        ),
        gives=Result(f"control limits as {_LIMITS}", "numbers", "dict[str, float]", digits=(3, 4)),
        refuses=(*not_negative("defects"), *positive("samples")),
        edges=({"defects": 0}, {"defects": 516, "samples": 26}),
        tags=("control chart", "quality"),
    ),
    Family(
        name="individuals_limits",
        title="Control limits of a chart of single values",
        says="The limits of a chart of single values follow from the mean and the mean moving range of two "
        "neighbouring values.",
        formula="centre = mean of {values}; MR = mean of the absolute differences between each value and the one "
        "before it; lower = "
        "centre - 2.66 * MR; upper = centre + 2.66 * MR.",
        source=f"{MONTGOMERY}, section 6.4 (3 / d2 = 3 / 1.128 = 2.66)",
        core=individuals_limits,
        takes=(_VALUES,),
        gives=Result(f"control limits as {_LIMITS}", "numbers", "dict[str, float]", digits=(3, 4)),
        refuses=(Refusal("{values} has fewer than two values", {"values": [10.5]}),),
        edges=({"values": [10.0, 10.0]}, {"values": [10.0, 14.0]}),
        tags=("control chart", "quality", "list"),
    ),
)
