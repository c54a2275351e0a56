"""People: productivity of work, its effectiveness, learning, and what work costs."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, one_of, up_to, whole

KRONOS = "Kronos Incorporated, Overall Labor Effectiveness (OLE): Achieving a Highly Effective Workforce, 2007"


def labour_productivity(pieces: int, workers: int, worked_each: float) -> float:
    """Pieces per hour of work."""
    if pieces < 0 or workers <= 0 or worked_each <= 0:
        raise ValueError("workers and worked_each must be positive, and pieces not negative")
    return pieces / (workers * worked_each)


def labour_effectiveness(scheduled: float, worked: float, expected: int, made: int, good: int) -> float:
    """Availability times performance times quality of a workforce; times in the same unit."""
    if scheduled <= 0 or not 0 <= worked <= scheduled or expected <= 0 or made <= 0 or not 0 <= good <= made:
        raise ValueError(
            "scheduled, expected and made must be positive, worked and good between zero and their totals"
        )
    return worked / scheduled * (made / expected) * (good / made)


def worker_efficiency(attendance: float, working: float) -> float:
    """Share of the attendance time that is spent on orders."""
    if attendance <= 0 or working < 0 or working > attendance:
        raise ValueError("attendance must be positive, and working between zero and attendance")
    return working / attendance


def absence_rate(planned: float, absent: float) -> float:
    """Share of the planned working time that workers were absent."""
    if planned <= 0 or absent < 0 or absent > planned:
        raise ValueError("planned must be positive, and absent between zero and planned")
    return absent / planned


def learning_curve(first: float, unit: int, rate: float) -> float:
    """Time of a unit when each doubling multiplies it by the rate."""
    if first < 0 or unit < 1 or not 0 < rate <= 1:
        raise ValueError("first must not be negative, unit at least 1, rate above 0 and at most 1")
    return first * math.pow(unit, math.log(rate) / math.log(2))


def learning_total(first: float, units: int, rate: float) -> float:
    """Time of all units up to the last one when each doubling multiplies the unit time by the rate."""
    if first < 0 or units < 0 or not 0 < rate <= 1:
        raise ValueError("first and units must not be negative, rate above 0 and at most 1")
    exponent = math.log(rate) / math.log(2)
    return sum(first * math.pow(unit, exponent) for unit in range(1, units + 1))


def unit_labour_cost(workers: int, worked_each: float, wage: float, pieces: int) -> float:
    """Wages for one piece."""
    if workers < 0 or worked_each < 0 or wage < 0 or pieces <= 0:
        raise ValueError("pieces must be positive, and nothing else negative")
    return workers * worked_each * wage / pieces


def workers_needed(pieces: int, standard: float, worked_each: float, efficiency: float) -> float:
    """Workers for a number of pieces; standard time of a piece in minutes."""
    if pieces < 0 or standard <= 0 or worked_each <= 0 or efficiency <= 0:
        raise ValueError("pieces must not be negative, and everything else positive")
    return pieces * standard / 60 / (worked_each * efficiency)


def standard_time(observed: float, rating: float, allowance: float, of_work: bool) -> float:
    """Normal time with an allowance on it, or as a share of the whole day."""
    if observed < 0 or rating <= 0 or not 0 <= allowance < 1:
        raise ValueError("observed must not be negative, rating positive, allowance at least 0 and less than 1")
    normal = observed * rating
    return normal * (1 + allowance) if of_work else normal / (1 - allowance)


_FIRST = Quantity("first", "time of the first unit", whole(2, 120), units=("hours", "minutes"))
_RATE = Quantity(
    "rate", "learning rate, above 0 and at most 1; 0.8 for 80 %", one_of(0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
)
_HOURS = Quantity("worked_each", "time that each of them worked", decimal(2, 45, 1), units=("hours",))
_RATE_REFUSALS = (
    Refusal("{rate} is zero or negative", {"rate": 0}),
    Refusal("{rate} is zero or negative", {"rate": -0.5}),
    Refusal("{rate} is greater than 1", {"rate": 1.1}),
)
WRIGHT = "T. P. Wright, Factors affecting the cost of airplanes, Journal of the Aeronautical Sciences 3(4), 1936"

FAMILIES = (
    Family(
        name="labour_productivity",
        title="Labour productivity",
        says="Labour productivity is the number of pieces made for each hour of work.",
        formula="labour productivity = {pieces} / ({workers} * {worked_each}).",
        source="OECD, Measuring Productivity, OECD Manual, 2001 (output per hour worked)",
        core=labour_productivity,
        takes=(
            Quantity("pieces", "number of pieces made", whole(0, 9000), "int"),
            Quantity("workers", "number of workers", whole(1, 40), "int"),
            _HOURS,
        ),
        gives=Result(
            "labour productivity", "number", unit="pieces per hour of work", better="higher", levels=(5, 20)
        ),
        refuses=(*not_negative("pieces"), *positive("workers", "worked_each")),
        edges=({"pieces": 0}, {"pieces": 400, "workers": 5, "worked_each": 8}),
        tags=("labour",),
        noun="team",
    ),
    Family(
        name="labour_effectiveness",
        title="Overall labour effectiveness (OLE)",
        says="OLE is for people what OEE is for machines: availability times performance times quality.",
        formula="availability = {worked} / {scheduled}, in the same unit; performance = {made} / {expected}; "
        "quality = {good} / "
        "{made}; OLE = availability * performance * quality. Nothing is capped.",
        source=KRONOS,
        core=labour_effectiveness,
        takes=(
            Quantity("scheduled", "scheduled working time", whole(240, 2400, 30), units=("minutes", "hours")),
            Quantity(
                "worked", "time of productive work within it", up_to("scheduled", 120, 2000), units=("minutes",)
            ),
            Quantity("expected", "number of pieces expected in the worked time", whole(50, 900), "int"),
            Quantity("made", "number of pieces made", whole(40, 900), "int"),
            Quantity("good", "number of good pieces among them", up_to("made", 35), "int"),
        ),
        gives=Result("OLE", better="higher", levels=(0.5, 0.85)),
        refuses=(
            *positive("scheduled", "expected", "made"),
            *not_negative("worked", "good"),
            *at_most("worked", "scheduled", scheduled=240, worked=255),
            *at_most("good", "made", made=50, good=51),
        ),
        edges=(
            {"worked": 0},
            {"good": 0},
            {"scheduled": 480, "worked": 480, "expected": 100, "made": 100, "good": 100},
        ),
        tags=("labour", "composition"),
        noun="team",
    ),
    Family(
        name="worker_efficiency",
        title="Worker efficiency",
        says="Worker efficiency is the share of the attendance time that is spent on production orders.",
        formula="worker efficiency = {working} / {attendance}, both in the same unit.",
        source="ISO 22400-2:2014, worker efficiency = actual personnel work time / actual personnel attendance "
        "time",
        core=worker_efficiency,
        takes=(
            Quantity("attendance", "attendance time", whole(60, 600, 15), units=("minutes", "hours")),
            Quantity("working", "time spent on orders", up_to("attendance", 30), units=("minutes",)),
        ),
        gives=Result("worker efficiency", better="higher", levels=(0.6, 0.85)),
        refuses=(
            *positive("attendance"),
            *not_negative("working"),
            *at_most("working", "attendance", attendance=60, working=75),
        ),
        edges=({"working": 0}, {"attendance": 60, "working": 60}),
        tags=("labour", "time"),
        noun="worker",
        additive=True,
    ),
    Family(
        name="absence_rate",
        title="Absence rate",
        says="The absence rate is the share of the planned working time in which workers were absent.",
        formula="absence rate = {absent} / {planned}, both in the same unit.",
        source="ISO 30414:2018, Human capital reporting (absenteeism)",
        core=absence_rate,
        takes=(
            Quantity("planned", "planned working time", whole(40, 4000, 8), units=("hours",)),
            Quantity("absent", "time of absence within it", up_to("planned", 0, 400), units=("hours", "minutes")),
        ),
        gives=Result("absence rate", better="lower", digits=(3, 4), levels=(0.03, 0.08)),
        refuses=(
            *positive("planned"),
            *not_negative("absent"),
            *at_most("absent", "planned", planned=40, absent=41),
        ),
        edges=({"absent": 0}, {"planned": 40, "absent": 40}),
        tags=("labour", "time"),
        noun="team",
        additive=True,
    ),
    Family(
        name="learning_curve_time",
        title="Time of a unit on a learning curve",
        says="On Wright's learning curve, each doubling of the number of units multiplies the time of a unit by "
        "the learning rate.",
        formula="time of unit n = {first} * n ** (log2({rate})), with n = {unit}.",
        source=WRIGHT,
        core=learning_curve,
        takes=(_FIRST, Quantity("unit", "number of the unit, the first being 1", whole(1, 200), "int"), _RATE),
        gives=Result("time of the unit", "number", units=("hours", "minutes"), better="lower", digits=(2, 3)),
        refuses=(
            *not_negative("first"),
            Refusal("{unit} is less than 1", {"unit": 0}),
            *_RATE_REFUSALS,
        ),
        edges=({"first": 0}, {"unit": 1}, {"rate": 1}, {"first": 100, "unit": 4, "rate": 0.8}),
        tags=("labour", "learning", "time"),
        noun="product",
    ),
    Family(
        name="learning_curve_total",
        title="Total time of all units on a learning curve",
        says="On Wright's learning curve, each doubling of the number of units multiplies the time of a unit by "
        "the learning rate. "
        "The total time is the sum over all units.",
        formula="total = sum, for n from 1 to {units}, of {first} * n ** (log2({rate})); no units take 0.",
        source=WRIGHT,
        core=learning_total,
        takes=(_FIRST, Quantity("units", "number of units", whole(0, 60), "int"), _RATE),
        gives=Result("total time", "number", units=("hours", "minutes"), better="lower", digits=(2, 3)),
        refuses=(*not_negative("first", "units"), *_RATE_REFUSALS),
        edges=({"units": 0}, {"units": 1}, {"rate": 1}, {"first": 100, "units": 4, "rate": 0.8}),
        tags=("labour", "learning", "time"),
        noun="product",
    ),
    Family(
        name="unit_labour_cost",
        title="Labour cost of a piece",
        says="The labour cost of a piece is the wages paid, divided by the pieces made.",
        formula="labour cost of a piece = {workers} * {worked_each} * {wage} / {pieces}.",
        source="OECD Glossary of Statistical Terms (unit labour cost = labour cost / output)",
        core=unit_labour_cost,
        takes=(
            Quantity("workers", "number of workers", whole(0, 40), "int"),
            _HOURS,
            Quantity("wage", "wage of one hour, in any one currency", decimal(9, 60, 2)),
            Quantity("pieces", "number of pieces made", whole(20, 5000), "int"),
        ),
        gives=Result("labour cost of a piece", "number", better="lower", digits=(2, 3)),
        refuses=(*not_negative("workers", "worked_each", "wage"), *positive("pieces")),
        edges=({"workers": 0}, {"workers": 2, "worked_each": 8, "wage": 20, "pieces": 320}),
        tags=("labour", "cost"),
        noun="product",
    ),
    Family(
        name="workers_needed",
        title="Workers needed for a number of pieces",
        says="How many workers does a number of pieces need, given the standard time of a piece and the "
        "efficiency of the work?",
        formula="workers = {pieces} * {standard} / ({worked_each} * {efficiency}), times in the same unit.",
        source="M. P. Groover, Work Systems: The Methods, Measurement and Management of Work, Pearson, 2007 "
        "(worker requirements)",
        core=workers_needed,
        takes=(
            Quantity("pieces", "number of pieces", whole(10, 3000), "int"),
            Quantity("standard", "standard time of one piece", decimal(0.5, 20, 1), units=("minutes",)),
            Quantity("worked_each", "time that one worker has", decimal(4, 40, 1), units=("hours",)),
            Quantity("efficiency", "efficiency of the work, 0.9 for 90 %; it may be above 1", decimal(0.5, 1.2, 2)),
        ),
        gives=Result("number of workers", "whole", "int", better="lower"),
        refuses=(*not_negative("pieces"), *positive("standard", "worked_each", "efficiency")),
        edges=({"pieces": 0},),
        tags=("labour", "planning", "rounding"),
        noun="order",
    ),
    Family(
        name="standard_time",
        title="Standard time of a task",
        says="The standard time is the observed time, rated for the pace of the worker, with an allowance for "
        "breaks.",
        formula="normal time = {observed} * {rating}; the standard time follows from it and {allowance}.",
        source="G. Kanawaty (ed.), Introduction to Work Study, 4th edition, International Labour Office, 1992",
        core=standard_time,
        takes=(
            Quantity("observed", "mean observed time", decimal(0.5, 30, 1), units=("minutes", "seconds")),
            Quantity("rating", "performance rating, 1.0 for the normal pace", decimal(0.7, 1.3, 2)),
            Quantity("allowance", "allowance as a share, from 0 to less than 1", decimal(0, 0.25, 2)),
        ),
        gives=Result("standard time", "number", units=("minutes", "seconds"), better="lower", digits=(2, 3)),
        refuses=(
            *not_negative("observed"),
            *positive("rating"),
            Refusal("{allowance} is negative", {"allowance": -0.1}),
            Refusal("{allowance} is 1 or greater", {"allowance": 1}),
        ),
        edges=({"allowance": 0}, {"observed": 0}, {"allowance": 0.2, "rating": 1}),
        options=(
            Option(
                "The allowance is a share of the normal time: standard time = normal time * (1 + allowance).",
                {"of_work": True},
            ),
            Option(
                "The allowance is a share of the whole working day: standard time = normal time / (1 - allowance).",
                {"of_work": False},
                "of_day",
            ),
        ),
        tags=("labour", "time"),
        noun="task",
    ),
)
