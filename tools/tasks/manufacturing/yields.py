"""Yields: what share of the pieces passes a step, or a whole process."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, many, up_to, whole

ISO = "ISO 22400-2:2014"
PYZDEK = "T. Pyzdek, P. Keller, The Six Sigma Handbook, 4th edition, McGraw-Hill, 2014"
_STARTED = Quantity("started", "number of pieces started", whole(100, 5000), "int")
_YIELDS = Quantity(
    "yields", "yield of each step, a ratio from 0 to 1", many(decimal(0.7, 1, 3), 1, 8), "list[float]"
)
_DEFECTS = Quantity("defects", "number of defects found", whole(0, 400), "int")
_UNITS = Quantity("units", "number of units inspected", whole(20, 5000), "int")
_YIELD_REFUSALS = (
    Refusal("{yields} is empty", {"yields": []}),
    Refusal("any of {yields} is less than 0 or greater than 1", {"yields": [0.9, 1.01]}),
    Refusal("any of {yields} is less than 0 or greater than 1", {"yields": [-0.1, 0.9]}),
)


def first_pass_yield(started: int, scrapped: int, reworked: int) -> float:
    """Share of the started pieces that are good without rework."""
    if started <= 0 or scrapped < 0 or reworked < 0 or scrapped + reworked > started:
        raise ValueError(
            "started must be positive, scrapped and reworked not negative and together at most started"
        )
    return (started - scrapped - reworked) / started


def final_yield(started: int, scrapped: int) -> float:
    """Share of the started pieces that are good in the end, reworked ones included."""
    if started <= 0 or scrapped < 0 or scrapped > started:
        raise ValueError("started must be positive, and scrapped between zero and started")
    return 1 - scrapped / started


def rolled_throughput_yield(yields: list[float]) -> float:
    """Product of the steps' yields."""
    if not yields or any(not 0 <= step <= 1 for step in yields):
        raise ValueError("there must be a step, and every yield must be between 0 and 1")
    return math.prod(yields)


def normalised_yield(yields: list[float]) -> float:
    """Geometric mean of the steps' yields."""
    if not yields or any(not 0 <= step <= 1 for step in yields):
        raise ValueError("there must be a step, and every yield must be between 0 and 1")
    return math.prod(yields) ** (1 / len(yields))


def poisson_yield(defects: int, units: int) -> float:
    """Share of units without a defect when defects follow a Poisson distribution."""
    if defects < 0 or units <= 0:
        raise ValueError("units must be positive, and defects not negative")
    return math.exp(-defects / units)


def pieces_to_start(good: int, scrap: float) -> float:
    """Pieces to start so that, at a scrap rate, so many good ones remain."""
    if good < 0 or not 0 <= scrap < 1:
        raise ValueError("good must not be negative, and scrap at least 0 and less than 1")
    return good / (1 - scrap)


FAMILIES = (
    Family(
        name="first_pass_yield",
        title="First pass yield",
        says="First pass yield is the share of the started pieces that are good the first time: neither scrapped "
        "nor reworked.",
        formula="first pass yield = ({started} - {scrapped} - {reworked}) / {started}. No piece is counted in "
        "both numbers.",
        source=f"{ISO}, first pass yield = good part / inspected part; {PYZDEK}",
        core=first_pass_yield,
        takes=(
            _STARTED,
            Quantity("scrapped", "number of pieces scrapped", up_to("started", most=50), "int"),
            Quantity("reworked", "number of pieces reworked", up_to("started", most=50), "int"),
        ),
        gives=Result("first pass yield", better="higher", digits=(2, 3, 4), levels=(0.9, 0.98)),
        refuses=(
            *positive("started"),
            *not_negative("scrapped", "reworked"),
            Refusal(
                "{scrapped} and {reworked} together are greater than {started}",
                {"started": 100, "scrapped": 60, "reworked": 41},
            ),
        ),
        edges=({"scrapped": 0, "reworked": 0}, {"started": 100, "scrapped": 60, "reworked": 40}),
        tags=("quality", "yield"),
        noun="step",
        additive=True,
    ),
    Family(
        name="final_yield",
        title="Final yield",
        says="The final yield is the share of the started pieces that are good in the end; reworked ones count "
        "as good.",
        formula="final yield = ({started} - {scrapped}) / {started}.",
        source=f"{PYZDEK} (classical yield, rework not counted)",
        core=final_yield,
        takes=(_STARTED, Quantity("scrapped", "number of pieces scrapped", up_to("started", most=90), "int")),
        gives=Result("final yield", better="higher", digits=(2, 3, 4), levels=(0.92, 0.98)),
        refuses=(
            *positive("started"),
            *not_negative("scrapped"),
            *at_most("scrapped", "started", started=50, scrapped=51),
        ),
        edges=({"scrapped": 0}, {"started": 64, "scrapped": 16}),
        tags=("quality", "yield"),
        noun="step",
        additive=True,
    ),
    Family(
        name="rolled_throughput_yield",
        title="Rolled throughput yield",
        says="Rolled throughput yield is the chance that a piece passes every step of a process without a defect.",
        formula="rolled throughput yield = product of all {yields}.",
        source=f"{PYZDEK} (rolled throughput yield)",
        core=rolled_throughput_yield,
        takes=(_YIELDS,),
        gives=Result("rolled throughput yield", better="higher", digits=(2, 3, 4), levels=(0.6, 0.85)),
        refuses=_YIELD_REFUSALS,
        edges=({"yields": [1]}, {"yields": [0.9, 0, 0.8]}, {"yields": [0.98, 0.93, 0.95]}),
        tags=("quality", "yield", "list", "composition"),
    ),
    Family(
        name="normalised_yield",
        title="Normalised yield of a process",
        says="Normalised yield is the yield that every step would have if all were equal and gave the same "
        "rolled throughput yield.",
        formula="normalised yield = (product of all {yields}) to the power of 1 / (number of steps).",
        source=f"{PYZDEK} (normalized yield)",
        core=normalised_yield,
        takes=(_YIELDS,),
        gives=Result("normalised yield", better="higher", digits=(2, 3, 4), levels=(0.85, 0.95)),
        refuses=_YIELD_REFUSALS,
        edges=({"yields": [1]}, {"yields": [0.25, 1]}),
        tags=("quality", "yield", "list", "composition"),
    ),
    Family(
        name="yield_from_defects",
        title="Yield that a number of defects stands for",
        says="When defects fall on units at random, the share of units without any defect follows the Poisson "
        "distribution.",
        formula="yield = exp(-DPU) with DPU = {defects} / {units}.",
        source=f"{PYZDEK} (throughput yield = e to the power of -DPU)",
        core=poisson_yield,
        takes=(_DEFECTS, _UNITS),
        gives=Result("yield", better="higher", digits=(3, 4), levels=(0.8, 0.95)),
        refuses=(*not_negative("defects"), *positive("units")),
        edges=({"defects": 0}, {"defects": 20, "units": 20}),
        tags=("quality", "six sigma", "yield"),
        noun="product",
        additive=True,
    ),
    Family(
        name="pieces_to_start",
        title="Pieces to start for a number of good ones",
        says="Some of the pieces that are started will be scrapped, so more must be started than are needed.",
        formula="pieces to start = {good} / (1 - {scrap}).",
        source="M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th "
        "edition, chapter 14: "
        "starting quantity = quantity / (1 - fraction defect rate)",
        core=pieces_to_start,
        takes=(
            Quantity("good", "number of good pieces that are needed", whole(10, 3000), "int"),
            Quantity(
                "scrap",
                "share of the started pieces that is scrapped, from 0 to less than 1",
                decimal(0.01, 0.3, 3),
            ),
        ),
        gives=Result("number of pieces to start", "whole", "int", better="lower"),
        refuses=(
            *not_negative("good"),
            Refusal("{scrap} is negative", {"scrap": -0.05}),
            Refusal("{scrap} is 1 or greater", {"scrap": 1}),
        ),
        edges=({"good": 0}, {"scrap": 0.015, "good": 1}),
        tags=("quality", "scrap", "inverse", "rounding"),
        noun="order",
    ),
)
