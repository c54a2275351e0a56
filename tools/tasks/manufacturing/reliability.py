"""Reliability and maintenance: times between failures and to repair, availability, maintenance figures."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, many, up_to, whole

IEC = "IEC 60050-192:2015"
HANDBOOK = "MIL-HDBK-338B, Electronic Reliability Design Handbook, 1998"
EN = "EN 15341:2019"


def mtbf(operating: float, failures: int) -> float:
    """Mean operating time between failures."""
    if operating < 0 or failures <= 0:
        raise ValueError("failures must be positive, and operating not negative")
    return operating / failures


def mttr(repair: float, repairs: int) -> float:
    """Mean time to repair."""
    if repair < 0 or repairs <= 0:
        raise ValueError("repairs must be positive, and repair not negative")
    return repair / repairs


def failure_rate(failures: int, operating: float) -> float:
    """Failures per hour; operating in hours."""
    if failures < 0 or operating <= 0:
        raise ValueError("operating must be positive, and failures not negative")
    return failures / operating


def inherent_availability(mtbf: float, mttr: float) -> float:
    """Share of the time in which a repairable machine works; both in hours."""
    if mtbf <= 0 or mttr < 0:
        raise ValueError("mtbf must be positive, and mttr not negative")
    return mtbf / (mtbf + mttr)


def mtbf_needed(mttr: float, availability: float) -> float:
    """The time between failures that an availability needs."""
    if mttr < 0 or not 0 <= availability < 1:
        raise ValueError("mttr must not be negative, and availability at least 0 and less than 1")
    return mttr * availability / (1 - availability)


def reliability(mtbf: float, mission: float, failing: bool) -> float:
    """Chance to survive (or not) a mission at a constant failure rate; both in hours."""
    if mtbf <= 0 or mission < 0:
        raise ValueError("mtbf must be positive, and mission not negative")
    return -math.expm1(-mission / mtbf) if failing else math.exp(-mission / mtbf)


def series(availabilities: list[float], parallel: bool) -> float:
    """Availability of units that must all work, or of which one must work."""
    if not availabilities or any(not 0 <= unit <= 1 for unit in availabilities):
        raise ValueError("there must be a unit, and every availability must be between 0 and 1")
    if parallel:
        return 1 - math.prod(1 - unit for unit in availabilities)
    return math.prod(availabilities)


def maintenance_cost_ratio(cost: float, asset_value: float) -> float:
    """Maintenance cost over replacement value."""
    if cost < 0 or asset_value <= 0:
        raise ValueError("asset_value must be positive, and cost not negative")
    return cost / asset_value


def corrective_share(corrective: float, preventive: float) -> float:
    """Share of the maintenance time that repairs failures."""
    if corrective < 0 or preventive < 0 or corrective + preventive == 0:
        raise ValueError("times must not be negative, and not both zero")
    return corrective / (corrective + preventive)


def downtime_cost(downtime: float, rate: float, margin: float, wages: float) -> float:
    """Lost margin and idle wages of a stop; downtime in hours."""
    if min(downtime, rate, margin, wages) < 0:
        raise ValueError("nothing may be negative")
    return downtime * (rate * margin + wages)


def maintenance_compliance(planned: int, done: int) -> float:
    """Share of the planned maintenance orders that were done in time."""
    if planned <= 0 or done < 0 or done > planned:
        raise ValueError("planned must be positive, and done between zero and planned")
    return done / planned


_MTBF = Quantity("mtbf", "mean operating time between failures", whole(20, 2000), units=("hours", "days"))
_MTTR = Quantity("mttr", "mean time to repair", whole(1, 18), units=("hours", "minutes"))

FAMILIES = (
    Family(
        name="mtbf",
        title="Mean time between failures (MTBF)",
        says="MTBF is the mean operating time from one failure to the next.",
        formula="MTBF = {operating} / {failures}.",
        source=f"{IEC}, 192-05-13 (mean operating time between failures); ISO 22400-2:2014",
        core=mtbf,
        takes=(
            Quantity(
                "operating",
                "operating time, stops not counted",
                whole(24, 4000, 4),
                units=("hours", "minutes", "days"),
            ),
            Quantity("failures", "number of failures in that time", whole(1, 40), "int"),
        ),
        gives=Result("MTBF", "number", units=("hours", "days"), better="higher", digits=(2, 3), levels=(48, 240)),
        refuses=(*not_negative("operating"), *positive("failures")),
        edges=({"operating": 0}, {"operating": 480, "failures": 1}),
        tags=("reliability", "maintenance", "time"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="mttr",
        title="Mean time to repair (MTTR)",
        says="MTTR is the mean time that a repair takes.",
        formula="MTTR = {repair} / {repairs}.",
        source="ISO 22400-2:2014, mean time to repair",
        core=mttr,
        takes=(
            Quantity("repair", "total time of all repairs", whole(15, 3000, 15), units=("minutes", "hours")),
            Quantity("repairs", "number of repairs", whole(1, 40), "int"),
        ),
        gives=Result("MTTR", "number", units=("minutes", "hours"), better="lower", digits=(2, 3), levels=(30, 120)),
        refuses=(*not_negative("repair"), *positive("repairs")),
        edges=({"repair": 0}, {"repair": 45, "repairs": 1}),
        tags=("reliability", "maintenance", "time"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="failure_rate",
        title="Failure rate",
        says="The failure rate is the number of failures for each hour of operation.",
        formula="failure rate = {failures} / {operating}, per hour (convert the time to hours first).",
        source=f"{HANDBOOK}, section 5 (failure rate as the reciprocal of MTBF); {IEC}, 192-05-06",
        core=failure_rate,
        takes=(
            Quantity("failures", "number of failures", whole(0, 40), "int"),
            Quantity("operating", "operating time", whole(24, 4000, 4), units=("hours", "days")),
        ),
        gives=Result(
            "failure rate", "number", unit="failures per hour", better="lower", digits=(4, 5), levels=(0.005, 0.02)
        ),
        refuses=(*not_negative("failures"), *positive("operating")),
        edges=({"failures": 0}, {"failures": 6, "operating": 24}),
        tags=("reliability", "maintenance"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="inherent_availability",
        title="Availability from MTBF and MTTR",
        says="The inherent availability is the share of the time in which a repairable machine works in the long "
        "run.",
        formula="availability = {mtbf} / ({mtbf} + {mttr}), both in the same unit.",
        source=f"{HANDBOOK} (inherent availability = MTBF / (MTBF + MTTR))",
        core=inherent_availability,
        takes=(_MTBF, _MTTR),
        gives=Result("availability", better="higher", digits=(3, 4), levels=(0.9, 0.98)),
        refuses=(*positive("mtbf"), *not_negative("mttr")),
        edges=({"mttr": 0}, {"mtbf": 24, "mttr": 8}),
        tags=("reliability", "availability"),
        noun="machine",
    ),
    Family(
        name="mtbf_for_availability",
        title="MTBF that an availability needs",
        says="Which mean time between failures does a machine need so that, with its repair time, it reaches an "
        "availability?",
        formula="MTBF = {mttr} * {availability} / (1 - {availability}).",
        source=f"{HANDBOOK} (inherent availability, solved for MTBF)",
        core=mtbf_needed,
        takes=(
            _MTTR,
            Quantity("availability", "wanted availability, from 0 to less than 1", decimal(0.5, 0.99, 2)),
        ),
        gives=Result("MTBF", "number", units=("hours", "days"), digits=(2, 3)),
        refuses=(
            *not_negative("mttr"),
            Refusal("{availability} is negative", {"availability": -0.1}),
            Refusal("{availability} is 1 or greater", {"availability": 1}),
        ),
        edges=({"availability": 0}, {"mttr": 0}, {"availability": 0.75}),
        tags=("reliability", "inverse"),
        noun="machine",
    ),
    Family(
        name="reliability",
        title="Reliability over a mission time",
        says="At a constant failure rate, the chance that a machine works through a mission without a failure "
        "falls exponentially.",
        formula="reliability = exp(-{mission} / {mtbf}), both times in the same unit.",
        source=f"{HANDBOOK}, section 5 (R(t) = exp(-t / MTBF))",
        core=reliability,
        takes=(_MTBF, Quantity("mission", "mission time", whole(1, 400), units=("hours", "days"))),
        gives=Result("probability", digits=(3, 4), levels=(0.5, 0.9)),
        refuses=(*positive("mtbf"), *not_negative("mission")),
        edges=({"mission": 0}, {"mtbf": 100, "mission": 100}),
        options=(
            Option("Asked for is the reliability itself.", {"failing": False}),
            Option(
                "Asked for is the chance of at least one failure: 1 - reliability.", {"failing": True}, "of_failure"
            ),
        ),
        tags=("reliability", "probability"),
        noun="machine",
    ),
    Family(
        name="system_availability",
        title="Availability of a system of units",
        says="The availability of a system follows from the availabilities of its units, which fail independently.",
        formula="see below; {availabilities} holds ratios from 0 to 1.",
        source=f"{HANDBOOK} (series and redundant configurations)",
        core=series,
        takes=(
            Quantity("availabilities", "availability of each unit", many(decimal(0.6, 1, 3), 1, 6), "list[float]"),
        ),
        gives=Result("availability of the system", better="higher", digits=(3, 4), levels=(0.9, 0.98)),
        refuses=(
            Refusal("{availabilities} is empty", {"availabilities": []}),
            Refusal("any of {availabilities} is less than 0 or greater than 1", {"availabilities": [0.9, 1.5]}),
            Refusal("any of {availabilities} is less than 0 or greater than 1", {"availabilities": [-0.5, 0.9]}),
        ),
        edges=({"availabilities": [0.75]}, {"availabilities": [1, 1]}, {"availabilities": [0, 0.5]}),
        options=(
            Option(
                "The units are in series, all must work: the product of all availabilities.",
                {"parallel": False},
                "in_series",
            ),
            Option(
                "The units are parallel, one must work: 1 minus the product of all (1 - availability).",
                {"parallel": True},
                "in_parallel",
            ),
        ),
        tags=("reliability", "list", "composition"),
    ),
    Family(
        name="maintenance_cost_ratio",
        title="Maintenance cost ratio",
        says="The maintenance cost ratio relates the maintenance cost of a year to the value of replacing the "
        "asset.",
        formula="maintenance cost ratio = {cost} / {asset_value}.",
        source=f"{EN} (total maintenance cost / asset replacement value); SMRP Best Practices, metric 1.5",
        core=maintenance_cost_ratio,
        takes=(
            Quantity("cost", "maintenance cost of a year, in any one currency", decimal(500, 90000, 2)),
            Quantity(
                "asset_value", "replacement value of the asset, in the same currency", whole(100000, 3000000, 1000)
            ),
        ),
        gives=Result("maintenance cost ratio", better="lower", digits=(3, 4), levels=(0.02, 0.05)),
        refuses=(*not_negative("cost"), *positive("asset_value")),
        edges=({"cost": 0}, {"cost": 1000, "asset_value": 16000}),
        tags=("maintenance", "cost"),
        noun="asset",
        additive=True,
    ),
    Family(
        name="corrective_maintenance",
        title="Corrective maintenance ratio",
        says="The corrective maintenance ratio is the share of the maintenance time that repairs failures.",
        formula="corrective maintenance ratio = {corrective} / ({corrective} + {preventive}), in the same unit.",
        source="ISO 22400-2:2014, corrective maintenance ratio = corrective time / (corrective time + planned "
        "maintenance time)",
        core=corrective_share,
        takes=(
            Quantity("corrective", "time of corrective maintenance", whole(0, 300), units=("hours", "minutes")),
            Quantity("preventive", "time of planned maintenance", whole(5, 400), units=("hours",)),
        ),
        gives=Result("corrective maintenance ratio", better="lower", digits=(2, 3), levels=(0.2, 0.5)),
        refuses=(
            *not_negative("corrective", "preventive"),
            Refusal("{corrective} and {preventive} are both zero", {"corrective": 0, "preventive": 0}),
        ),
        edges=({"corrective": 0}, {"corrective": 30, "preventive": 0}),
        tags=("maintenance", "time"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="downtime_cost",
        title="Cost of downtime",
        says="A stop costs the margin of the pieces that are not made, and the wages that are paid meanwhile.",
        formula="downtime cost = {downtime} * ({rate} * {margin} + {wages}), the downtime converted to hours.",
        source=f"{EN} and SMRP Best Practices, metric 3.2 (total downtime), valued with lost margin and wages",
        core=downtime_cost,
        takes=(
            Quantity("downtime", "time of the stop", whole(1, 48), units=("hours", "minutes")),
            Quantity("rate", "pieces that would have been made in one hour", decimal(5, 400, 1)),
            Quantity("margin", "margin of one piece, in any one currency", decimal(0.1, 20, 2)),
            Quantity("wages", "wages paid for one hour, in the same currency", decimal(0, 300, 2)),
        ),
        gives=Result("downtime cost", "number", better="lower", digits=(0, 2)),
        refuses=not_negative("downtime", "rate", "margin", "wages"),
        edges=({"downtime": 0}, {"rate": 0}, {"wages": 0}),
        tags=("maintenance", "cost"),
        noun="stop",
    ),
    Family(
        name="maintenance_compliance",
        title="Planned maintenance compliance",
        says="Planned maintenance compliance is the share of the planned maintenance orders that were done in "
        "time.",
        formula="compliance = {done} / {planned}.",
        source="SMRP Best Practices, preventive maintenance compliance",
        core=maintenance_compliance,
        takes=(
            Quantity("planned", "number of orders that were planned", whole(5, 120), "int"),
            Quantity("done", "number of them that were done in time", up_to("planned"), "int"),
        ),
        gives=Result("compliance", better="higher", digits=(2, 3), levels=(0.7, 0.9)),
        refuses=(*positive("planned"), *not_negative("done"), *at_most("done", "planned", planned=8, done=9)),
        edges=({"done": 0}, {"planned": 8, "done": 8}),
        tags=("maintenance",),
        noun="team",
        additive=True,
    ),
)
