"""Quality: scrap, rework, yields, defects per opportunity and what poor quality costs."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, up_to, whole

ISO = "ISO 22400-2:2014"
PYZDEK = "T. Pyzdek, P. Keller, The Six Sigma Handbook, 4th edition, McGraw-Hill, 2014"


def scrap_rate(produced: int, scrapped: int) -> float:
    """Share of the produced pieces that are scrapped."""
    if produced <= 0 or scrapped < 0 or scrapped > produced:
        raise ValueError("produced must be positive, and scrapped between zero and produced")
    return scrapped / produced


def rework_rate(produced: int, reworked: int) -> float:
    """Share of the produced pieces that are reworked."""
    if produced <= 0 or reworked < 0 or reworked > produced:
        raise ValueError("produced must be positive, and reworked between zero and produced")
    return reworked / produced


def dpmo(defects: int, units: int, opportunities: int) -> float:
    """Defects per million opportunities."""
    if defects < 0 or units <= 0 or opportunities <= 0:
        raise ValueError("units and opportunities must be positive, and defects not negative")
    return defects * 1_000_000 / (units * opportunities)


def defects_per_unit(defects: int, units: int) -> float:
    """Mean number of defects of one unit."""
    if defects < 0 or units <= 0:
        raise ValueError("units must be positive, and defects not negative")
    return defects / units


def sigma_level(dpmo: float, shift: float) -> float:
    """Normal quantile of the share without defects, plus the shift; by bisection."""
    if not 0 < dpmo < 1_000_000:
        raise ValueError("dpmo must be between 0 and 1,000,000")
    wanted = dpmo / 1_000_000
    low, high = -10.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        if 0.5 * math.erfc(middle / math.sqrt(2)) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2 + shift


def poor_quality_share(
    prevention: float, appraisal: float, internal: float, external: float, failures: bool
) -> float:
    """Share of the cost of quality that failures cause, or sum of failure costs over all four."""
    if min(prevention, appraisal, internal, external) < 0 or prevention + appraisal + internal + external == 0:
        raise ValueError("no cost may be negative, and not all may be zero")
    total = prevention + appraisal + internal + external
    return (internal + external) / total if failures else (prevention + appraisal) / total


def scrap_cost(scrapped: int, material: float, work: float, scrap_value: float) -> float:
    """What scrapped pieces cost: material and work, less what the scrap is sold for."""
    if scrapped < 0 or min(material, work, scrap_value) < 0 or scrap_value > material + work:
        raise ValueError("nothing may be negative, and the scrap value at most the cost")
    return scrapped * (material + work - scrap_value)


def parts_per_million(defective: int, delivered: int) -> float:
    """Defective pieces for each million delivered."""
    if delivered <= 0 or defective < 0 or defective > delivered:
        raise ValueError("delivered must be positive, and defective between zero and delivered")
    return defective / delivered * 1_000_000


_PRODUCED = Quantity("produced", "number of pieces produced", whole(50, 5000), "int")
_DEFECTS = Quantity("defects", "number of defects found", whole(0, 400), "int")
_UNITS = Quantity("units", "number of units inspected", whole(20, 5000), "int")

FAMILIES = (
    Family(
        name="scrap_rate",
        title="Scrap rate",
        says="The scrap rate is the share of all produced pieces that had to be scrapped.",
        formula="scrap rate = {scrapped} / {produced}.",
        source=f"{ISO}, scrap ratio = scrap quantity / produced quantity",
        core=scrap_rate,
        takes=(
            _PRODUCED,
            Quantity("scrapped", "number of them that were scrapped", up_to("produced", most=400), "int"),
        ),
        gives=Result("scrap rate", better="lower", digits=(3, 4), levels=(0.02, 0.08)),
        refuses=(
            *positive("produced"),
            *not_negative("scrapped"),
            *at_most("scrapped", "produced", produced=50, scrapped=51),
        ),
        edges=({"scrapped": 0}, {"produced": 60, "scrapped": 60}),
        tags=("quality", "scrap"),
        noun="product",
        additive=True,
    ),
    Family(
        name="rework_rate",
        title="Rework rate",
        says="The rework rate is the share of all produced pieces that had to be reworked.",
        formula="rework rate = {reworked} / {produced}.",
        source=f"{ISO}, rework ratio = rework quantity / produced quantity",
        core=rework_rate,
        takes=(
            _PRODUCED,
            Quantity("reworked", "number of them that were reworked", up_to("produced", most=300), "int"),
        ),
        gives=Result("rework rate", better="lower", digits=(3, 4), levels=(0.03, 0.1)),
        refuses=(
            *positive("produced"),
            *not_negative("reworked"),
            *at_most("reworked", "produced", produced=50, reworked=51),
        ),
        edges=({"reworked": 0}, {"produced": 60, "reworked": 60}),
        tags=("quality", "rework"),
        noun="product",
        additive=True,
    ),
    Family(
        name="dpmo",
        title="Defects per million opportunities (DPMO)",
        says="DPMO relates the defects that were found to all the opportunities for a defect, scaled to a million.",
        formula="DPMO = {defects} / ({units} * {opportunities}) * 1000000.",
        source=f"{PYZDEK}; ISO 13053-1:2011 (DPMO)",
        core=dpmo,
        takes=(
            _DEFECTS,
            _UNITS,
            Quantity("opportunities", "opportunities for a defect in one unit", whole(1, 60), "int"),
        ),
        gives=Result("DPMO", "number", better="lower", digits=(0, 1), levels=(1000, 10000)),
        refuses=(*not_negative("defects"), *positive("units", "opportunities")),
        edges=({"defects": 0}, {"defects": 1, "units": 1, "opportunities": 1}),
        notes=("A unit may have more than one defect, so no upper bound is checked.",),
        tags=("quality", "six sigma"),
        noun="product",
    ),
    Family(
        name="defects_per_unit",
        title="Defects per unit (DPU)",
        says="DPU is the mean number of defects of a unit.",
        formula="DPU = {defects} / {units}.",
        source=f"{PYZDEK}; ISO 13053-1:2011 (DPU)",
        core=defects_per_unit,
        takes=(_DEFECTS, _UNITS),
        gives=Result("DPU", "number", better="lower", digits=(3, 4), levels=(0.02, 0.2)),
        refuses=(*not_negative("defects"), *positive("units")),
        edges=({"defects": 0}, {"defects": 30, "units": 20}),
        tags=("quality", "six sigma"),
        noun="product",
        additive=True,
    ),
    Family(
        name="sigma_level",
        title="Sigma level of a process",
        says="The sigma level says how many standard deviations fit between the mean of a process and its "
        "specification limit.",
        formula="let p = {dpmo} / 1000000 and z the number for which a standard normal variable is greater than "
        "z with "
        "probability p (so z = statistics.NormalDist().inv_cdf(1 - p)); the sigma level follows from z.",
        source=f"{PYZDEK}; ISO 13053-1:2011 (sigma score, with the shift of 1.5)",
        core=sigma_level,
        takes=(Quantity("dpmo", "defects per million opportunities", decimal(3, 690000, 1)),),
        gives=Result("sigma level", "number", better="higher", digits=(2, 3), levels=(3, 4.5)),
        refuses=(
            Refusal("{dpmo} is zero or negative", {"dpmo": 0}),
            Refusal("{dpmo} is zero or negative", {"dpmo": -5}),
            Refusal("{dpmo} is 1000000 or greater", {"dpmo": 1000000}),
        ),
        edges=({"dpmo": 3.4}, {"dpmo": 66807}, {"dpmo": 501000}),
        options=(
            Option("Sigma level = z + 1.5 (the customary shift for the long term).", {"shift": 1.5}),
            Option("Sigma level = z, with no shift added.", {"shift": 0.0}, "without_shift"),
        ),
        tags=("quality", "six sigma"),
        noun="process",
    ),
    Family(
        name="cost_of_quality_share",
        title="Share of the cost of quality",
        says="The cost of quality has four parts: prevention, appraisal, internal failures and external failures.",
        formula="total = {prevention} + {appraisal} + {internal} + {external}.",
        source="A. V. Feigenbaum, Total Quality Control, 3rd edition, McGraw-Hill, 1983 (prevention, appraisal, "
        "failure costs)",
        core=poor_quality_share,
        takes=tuple(
            Quantity(name, f"cost of {means}, in any one currency", decimal(0, 9000, 2))
            for name, means in (
                ("prevention", "prevention"),
                ("appraisal", "appraisal"),
                ("internal", "internal failures"),
                ("external", "external failures"),
            )
        ),
        gives=Result("share", digits=(2, 3), levels=(0.3, 0.6)),
        refuses=(
            *not_negative("prevention", "appraisal", "internal", "external"),
            Refusal("all four costs are zero", {"prevention": 0, "appraisal": 0, "internal": 0, "external": 0}),
        ),
        edges=({"internal": 0, "external": 0}, {"prevention": 0, "appraisal": 0}),
        options=(
            Option(
                "The share is that of the failures: ({internal} + {external}) / total.",
                {"failures": True},
                "of_failures",
            ),
            Option(
                "The share is that of conformance: ({prevention} + {appraisal}) / total.",
                {"failures": False},
                "of_conformance",
            ),
        ),
        tags=("quality", "cost"),
        noun="plant",
        additive=True,
    ),
    Family(
        name="scrap_cost",
        title="Cost of scrapped pieces",
        says="A scrapped piece costs its material and the work done on it, less what the scrap is sold for.",
        formula="scrap cost = {scrapped} * ({material} + {work} - {scrap_value}).",
        source="A. V. Feigenbaum, Total Quality Control, 3rd edition, McGraw-Hill, 1983 (internal failure costs: "
        "scrap)",
        core=scrap_cost,
        takes=(
            Quantity("scrapped", "number of scrapped pieces", whole(0, 500), "int"),
            Quantity("material", "cost of the material of one piece, in any one currency", decimal(0.5, 80, 2)),
            Quantity("work", "cost of the work done on one piece, in the same currency", decimal(0.5, 60, 2)),
            Quantity(
                "scrap_value", "what the scrap of one piece is sold for, in the same currency", decimal(0, 0.9, 2)
            ),
        ),
        gives=Result("scrap cost", "number", better="lower", digits=(0, 1), levels=(1000, 10000)),
        refuses=(
            *not_negative("scrapped", "material", "work", "scrap_value"),
            Refusal(
                "{scrap_value} is greater than {material} + {work}", {"material": 1, "work": 1, "scrap_value": 2.5}
            ),
        ),
        edges=({"scrapped": 0}, {"scrap_value": 0}, {"material": 1, "work": 1, "scrap_value": 2}),
        tags=("quality", "cost", "scrap"),
        noun="product",
    ),
    Family(
        name="parts_per_million",
        title="Defective parts per million (PPM)",
        says="PPM is the number of defective pieces for each million delivered.",
        formula="PPM = {defective} / {delivered} * 1000000.",
        source="ISO 13053-1:2011 (nonconforming items in parts per million)",
        core=parts_per_million,
        takes=(
            Quantity("delivered", "number of pieces delivered", whole(1000, 900000), "int"),
            Quantity("defective", "number of them that were defective", up_to("delivered", most=900), "int"),
        ),
        gives=Result("PPM", "number", better="lower", digits=(0, 1), levels=(100, 1000)),
        refuses=(
            *positive("delivered"),
            *not_negative("defective"),
            *at_most("defective", "delivered", delivered=50, defective=51),
        ),
        edges=({"defective": 0}, {"delivered": 50, "defective": 50}),
        tags=("quality", "supplier"),
        noun="supplier",
        additive=True,
    ),
)
