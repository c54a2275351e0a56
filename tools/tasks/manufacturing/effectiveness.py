"""Overall equipment effectiveness and its factors."""

from __future__ import annotations

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive, share
from tools.tasks.samples import decimal, up_to, whole

ISO = "ISO 22400-2:2014"
NAKAJIMA = "S. Nakajima, Introduction to TPM, Productivity Press, 1988"


def availability(planned: float, downtime: float) -> float:
    """Share of the planned time in which the machine ran."""
    if planned <= 0 or downtime < 0 or downtime > planned:
        raise ValueError("planned must be positive, and downtime between zero and planned")
    return (planned - downtime) / planned


def performance(run_time: float, ideal_cycle: float, pieces: int, capped: bool) -> float:
    """Ideal time for the pieces (cycle in seconds) over the run time (in minutes)."""
    if run_time <= 0 or ideal_cycle <= 0 or pieces < 0:
        raise ValueError("run_time and ideal_cycle must be positive, and pieces not negative")
    ratio = ideal_cycle * pieces / (run_time * 60)
    return min(ratio, 1.0) if capped else ratio


def quality(total: int, defects: int) -> float:
    """Share of the pieces without a defect."""
    if total <= 0 or defects < 0 or defects > total:
        raise ValueError("total must be positive, and defects between zero and total")
    return (total - defects) / total


def oee(planned: float, downtime: float, ideal_cycle: float, total: int, defects: int) -> float:
    """Availability times performance times quality."""
    if downtime >= planned:
        raise ValueError("there is no run time")
    run_time = planned - downtime
    return (
        availability(planned, downtime) * performance(run_time, ideal_cycle, total, False) * quality(total, defects)
    )


def oee_of_factors(availability: float, performance: float, quality: float) -> float:
    """The product of the three factors."""
    if not (0 <= availability <= 1 and 0 <= performance <= 1 and 0 <= quality <= 1):
        raise ValueError("every factor must be between 0 and 1")
    return availability * performance * quality


def teep(calendar: float, planned: float, downtime: float, ideal_cycle: float, total: int, defects: int) -> float:
    """Loading (planned over calendar time) times OEE; calendar in hours, planned and downtime in minutes."""
    if calendar <= 0 or planned > calendar * 60:
        raise ValueError("calendar must be positive, and planned not longer")
    return planned / (calendar * 60) * oee(planned, downtime, ideal_cycle, total, defects)


def loading(calendar: float, planned: float) -> float:
    """Share of the calendar time that is planned for production."""
    if calendar <= 0 or planned < 0 or planned > calendar:
        raise ValueError("calendar must be positive, and planned between zero and calendar")
    return planned / calendar


def technical_efficiency(production: float, stops: float) -> float:
    """Production time over production time and the stops that interrupted it."""
    if production < 0 or stops < 0 or production + stops == 0:
        raise ValueError("times must not be negative, and not both zero")
    return production / (production + stops)


def good_pieces_for_oee(planned: float, ideal_cycle: float, oee: float) -> float:
    """How many good pieces a planned time (minutes) must give for an OEE; cycle in seconds."""
    if planned <= 0 or ideal_cycle <= 0 or oee < 0 or oee > 1:
        raise ValueError("planned and ideal_cycle must be positive, and oee between 0 and 1")
    return planned * 60 / ideal_cycle * oee


_PLANNED = Quantity("planned", "planned production time", whole(60, 960, 15), units=("minutes", "hours"))
_DOWNTIME = Quantity(
    "downtime", "time lost in stops within the planned time", up_to("planned", most=240), units=("minutes", "hours")
)
_SOME_DOWNTIME = Quantity(
    "downtime", "time lost in stops within the planned time", up_to("planned", most=55), units=("minutes",)
)
_CYCLE = Quantity("ideal_cycle", "ideal cycle time of one piece", decimal(0.5, 12, 1), units=("seconds",))
_TOTAL = Quantity("total", "number of pieces made, good and bad", whole(50, 4000), "int")
_DEFECTS = Quantity("defects", "number of bad pieces among them", up_to("total", most=120), "int")
_NO_RUN_TIME = tuple(
    Refusal(
        "{downtime} is as long as {planned} or longer: there is no run time", {"planned": 480, "downtime": downtime}
    )
    for downtime in (480, 495)
)
_LEVELS = (0.65, 0.85)

FAMILIES = (
    Family(
        name="availability",
        title="Availability of a machine",
        says="Availability is the share of the planned production time in which the machine really ran.",
        formula="availability = ({planned} - {downtime}) / {planned}, both times in the same unit.",
        source=f"{ISO}, availability = actual production time / planned busy time; {NAKAJIMA}",
        core=availability,
        takes=(_PLANNED, _DOWNTIME),
        gives=Result("availability", better="higher", levels=(0.8, 0.9)),
        refuses=(
            *positive("planned"),
            *not_negative("downtime"),
            *at_most("downtime", "planned", planned=480, downtime=495),
        ),
        edges=({"planned": 480, "downtime": 0}, {"planned": 480, "downtime": 480}),
        tags=("oee", "time"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="performance_rate",
        title="Performance rate of a machine",
        says="The performance rate compares the time that the pieces ideally need with the time that the machine "
        "ran.",
        formula="performance rate = ({ideal_cycle} * {pieces}) / {run_time}, with both times converted to the "
        "same unit.",
        source=f"{ISO}, effectiveness = planned run time per item * produced quantity / actual production time; "
        f"{NAKAJIMA}",
        core=performance,
        takes=(
            Quantity("run_time", "time in which the machine ran", whole(60, 720, 15), units=("minutes", "hours")),
            Quantity("ideal_cycle", "ideal cycle time of one piece", decimal(0.5, 30, 1), units=("seconds",)),
            Quantity("pieces", "number of pieces made, good and bad", whole(20, 1500), "int"),
        ),
        gives=Result("performance rate", better="higher", levels=(0.75, 0.95)),
        refuses=(*positive("run_time", "ideal_cycle"), *not_negative("pieces")),
        edges=(
            {"pieces": 0},
            {"run_time": 60, "ideal_cycle": 6, "pieces": 900},
            {"run_time": 60, "ideal_cycle": 4, "pieces": 900},
        ),
        options=(
            Option("A rate above 1 (above 100 %) is returned as it is.", {"capped": False}),
            Option(
                "A rate above 1 is returned as 1, that is 100 %: the machine cannot be faster than ideal.",
                {"capped": True},
                "capped",
            ),
        ),
        tags=("oee", "speed"),
        noun="machine",
    ),
    Family(
        name="quality_rate",
        title="Quality rate of a production run",
        says="The quality rate is the share of all pieces that have no defect.",
        formula="quality rate = ({total} - {defects}) / {total}.",
        source=f"{ISO}, quality ratio = good quantity / produced quantity; {NAKAJIMA}",
        core=quality,
        takes=(_TOTAL, _DEFECTS),
        gives=Result("quality rate", better="higher", levels=(0.95, 0.99)),
        refuses=(
            *positive("total"),
            *not_negative("defects"),
            *at_most("defects", "total", total=100, defects=101),
        ),
        edges=({"total": 200, "defects": 0}, {"total": 200, "defects": 200}, {"total": 1, "defects": 0}),
        tags=("oee", "quality"),
        noun="run",
        additive=True,
    ),
    Family(
        name="oee",
        title="Overall equipment effectiveness (OEE)",
        says="OEE is the product of availability, performance and quality of a machine.",
        formula="availability = ({planned} - {downtime}) / {planned}; performance = {ideal_cycle} * {total} / "
        "run time, where the "
        "run time is planned time minus downtime, in the same unit as the cycle time; quality = ({total} - "
        "{defects}) / {total}; "
        "OEE = availability * performance * quality. Nothing is capped: OEE may be above 1.",
        source=f"{ISO}, OEE index = availability * effectiveness * quality ratio; {NAKAJIMA}",
        core=oee,
        uses=(availability, performance, quality),
        takes=(_PLANNED, _SOME_DOWNTIME, _CYCLE, _TOTAL, _DEFECTS),
        gives=Result("OEE", better="higher", levels=_LEVELS),
        refuses=(
            *positive("planned", "ideal_cycle", "total"),
            *not_negative("downtime", "defects"),
            *at_most("defects", "total", total=100, defects=101),
            *_NO_RUN_TIME,
        ),
        edges=({"downtime": 0, "defects": 0}, {"total": 100, "defects": 100}),
        tags=("oee", "composition"),
        noun="machine",
    ),
    Family(
        name="oee_of_factors",
        title="OEE from its three factors",
        says="Overall equipment effectiveness is the product of its three factors, each given as a ratio from 0 "
        "to 1.",
        formula="OEE = {availability} * {performance} * {quality}.",
        source=f"{ISO}, OEE index; {NAKAJIMA}",
        core=oee_of_factors,
        takes=(
            Quantity("availability", "availability as a ratio", decimal(0.4, 1, 3)),
            Quantity("performance", "performance as a ratio", decimal(0.4, 1, 3)),
            Quantity("quality", "quality as a ratio", decimal(0.8, 1, 3)),
        ),
        gives=Result("OEE", better="higher", levels=_LEVELS),
        refuses=share("availability", "performance", "quality"),
        edges=({"availability": 1, "performance": 1, "quality": 1}, {"availability": 0}),
        tags=("oee", "composition"),
        noun="machine",
    ),
    Family(
        name="teep",
        title="Total effective equipment performance (TEEP)",
        says="TEEP is OEE related to all of the calendar time: the loading (planned time over calendar time) "
        "times OEE.",
        formula="loading = {planned} / {calendar}; OEE = availability * performance * quality with availability "
        "= ({planned} - "
        "{downtime}) / {planned}, performance = {ideal_cycle} * {total} / ({planned} - {downtime}), quality = "
        "({total} - "
        "{defects}) / {total}; TEEP = loading * OEE, all times converted to the same unit. Nothing is capped.",
        source="R. C. Hansen, Overall Equipment Effectiveness, Industrial Press, 2001; SMRP Best Practices, "
        "metric 2.1.2",
        core=teep,
        uses=(availability, performance, quality, oee),
        takes=(
            Quantity("calendar", "calendar time", whole(24, 168, 24), units=("hours",)),
            Quantity("planned", "planned production time", whole(480, 1440, 60), units=("minutes", "hours")),
            _SOME_DOWNTIME,
            _CYCLE,
            _TOTAL,
            _DEFECTS,
        ),
        gives=Result("TEEP", better="higher", levels=(0.3, 0.6)),
        refuses=(
            *positive("calendar", "planned", "ideal_cycle", "total"),
            *not_negative("downtime", "defects"),
            *at_most("planned", "calendar", calendar=24, planned=1500),
            *_NO_RUN_TIME,
            *at_most("defects", "total", total=100, defects=101),
        ),
        edges=({"calendar": 24, "planned": 1440, "downtime": 0}, {"defects": 0}),
        tags=("oee", "composition", "time"),
        noun="machine",
    ),
    Family(
        name="loading",
        title="Loading of a machine",
        says="The loading is the share of the calendar time that is planned for production.",
        formula="loading = {planned} / {calendar}, both in the same unit.",
        source="R. C. Hansen, Overall Equipment Effectiveness, Industrial Press, 2001; SMRP Best Practices, "
        "metric 2.5",
        core=loading,
        takes=(
            Quantity("calendar", "calendar time", whole(24, 720, 24), units=("hours", "days")),
            Quantity("planned", "time planned for production", up_to("calendar"), units=("hours",)),
        ),
        gives=Result("loading", better="higher", levels=(0.4, 0.8)),
        refuses=(
            *positive("calendar"),
            *not_negative("planned"),
            *at_most("planned", "calendar", calendar=24, planned=25),
        ),
        edges=({"planned": 0}, {"calendar": 24, "planned": 24}),
        tags=("time", "teep"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="technical_efficiency",
        title="Technical efficiency of a machine",
        says="Technical efficiency relates the production time to the production time plus the stops that "
        "interrupted it.",
        formula="technical efficiency = {production} / ({production} + {stops}), in the same unit.",
        source=f"{ISO}, technical efficiency = actual production time / (actual production time + actual unit "
        f"delay time)",
        core=technical_efficiency,
        takes=(
            Quantity(
                "production", "time in which the machine produced", whole(30, 900, 15), units=("minutes", "hours")
            ),
            Quantity("stops", "time of the stops", whole(0, 180), units=("minutes",)),
        ),
        gives=Result("technical efficiency", better="higher", levels=(0.8, 0.95)),
        refuses=not_negative("production", "stops"),
        notes=("If {production} and {stops} are both zero, raise ValueError.",),
        edges=({"production": 0, "stops": 0}, {"production": 60, "stops": 0}, {"production": 0, "stops": 15}),
        tags=("time", "stops"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="good_pieces_for_oee",
        title="Good pieces that an OEE stands for",
        says="Of the pieces that a planned time would ideally give, OEE is the share that is really made and "
        "good. This is the "
        "inverse question: how many good pieces does a wanted OEE mean?",
        formula="good pieces = {planned} / {ideal_cycle} * {oee}, both times in the same unit. Fractions of a "
        "piece stay.",
        source=f"{NAKAJIMA}: OEE = good pieces * ideal cycle time / planned time, solved for the good pieces",
        core=good_pieces_for_oee,
        takes=(
            Quantity("planned", "planned production time", whole(60, 960, 15), units=("minutes", "hours")),
            Quantity("ideal_cycle", "ideal cycle time of one piece", decimal(0.5, 60, 1), units=("seconds",)),
            Quantity("oee", "wanted OEE as a ratio from 0 to 1", decimal(0.3, 1, 2)),
        ),
        gives=Result("number of good pieces", "number", better="higher", digits=(1, 2)),
        refuses=(*positive("planned", "ideal_cycle"), *share("oee")),
        edges=({"oee": 0}, {"oee": 1}),
        tags=("oee", "inverse"),
        noun="machine",
    ),
)
