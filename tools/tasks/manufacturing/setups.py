"""Setups: what changeovers cost, and what making them shorter gains."""

from __future__ import annotations

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, up_to, whole

SHINGO = "S. Shingo, A Revolution in Manufacturing: The SMED System, Productivity Press, 1985"


def changeover_loss(changeovers: int, each: float, available: float) -> float:
    """Share of the available time that changeovers take; each in minutes, available in hours."""
    if changeovers < 0 or each < 0 or available <= 0 or changeovers * each > available * 60:
        raise ValueError("changeovers and each must not be negative, and must fit into a positive available time")
    return changeovers * each / (available * 60)


def changeover_gain(before: float, after: float, changeovers: int) -> float:
    """Minutes that shorter changeovers give back."""
    if before < 0 or after < 0 or changeovers < 0 or after > before:
        raise ValueError("nothing may be negative, and after may not be longer than before")
    return (before - after) * changeovers


def setup_ratio(setup: float, busy: float) -> float:
    """Share of the busy time that is setup time."""
    if busy <= 0 or setup < 0 or setup > busy:
        raise ValueError("busy must be positive, and setup between zero and busy")
    return setup / busy


def setup_time_per_piece(setup: float, lot: int) -> float:
    """Setup time that falls on one piece of a lot."""
    if setup < 0 or lot <= 0:
        raise ValueError("lot must be positive, and setup not negative")
    return setup / lot


def smallest_lot(setup: float, cycle: float, most_share: float) -> float:
    """Lot at which the setup is a given share of setup and run time; setup in minutes, cycle in seconds."""
    if setup < 0 or cycle <= 0 or not 0 < most_share < 1:
        raise ValueError("setup must not be negative, cycle positive, and most_share between 0 and 1")
    return setup * 60 * (1 - most_share) / (most_share * cycle)


def lot_time(setup: float, lot: int, cycle: float) -> float:
    """Setup time and run time of a lot, in minutes; setup in minutes, cycle in seconds."""
    if setup < 0 or lot < 0 or cycle <= 0:
        raise ValueError("setup and lot must not be negative, and cycle positive")
    return setup + lot * cycle / 60


def part_interval(available: float, run_time: float, setup_all: float) -> float:
    """Days for one changeover to every part: setup time of all parts over the daily time left for setups."""
    if available <= 0 or run_time < 0 or setup_all < 0 or run_time >= available:
        raise ValueError("the run time must leave some of a positive available time, and nothing may be negative")
    return setup_all / (available - run_time)


_SETUP = Quantity("setup", "time of one setup", whole(5, 180), units=("minutes", "hours"))

FAMILIES = (
    Family(
        name="changeover_loss",
        title="Time lost in changeovers",
        says="The changeover loss is the share of the available time that changeovers take.",
        formula="changeover loss = {changeovers} * {each} / {available}, both times in the same unit.",
        source=f"{SHINGO}; setup and adjustment losses in S. Nakajima, Introduction to TPM, Productivity Press, "
        f"1988",
        core=changeover_loss,
        takes=(
            Quantity("changeovers", "number of changeovers", whole(0, 12), "int"),
            Quantity("each", "time of one changeover", whole(5, 60), units=("minutes",)),
            Quantity("available", "available time", whole(12, 120), units=("hours", "minutes", "days")),
        ),
        gives=Result("changeover loss", better="lower", digits=(3, 4), levels=(0.05, 0.15)),
        refuses=(
            *not_negative("changeovers", "each"),
            *positive("available"),
            Refusal(
                "the changeovers together take longer than {available}",
                {"changeovers": 10, "each": 60, "available": 8},
            ),
        ),
        edges=({"changeovers": 0}, {"changeovers": 8, "each": 60, "available": 8}),
        tags=("setup", "smed", "time"),
        noun="machine",
    ),
    Family(
        name="changeover_gain",
        title="Time gained by shorter changeovers",
        says="Making changeovers shorter (SMED) gives time back for production.",
        formula="gain = ({before} - {after}) * {changeovers}, both times in the same unit.",
        source=SHINGO,
        core=changeover_gain,
        takes=(
            Quantity("before", "time of one changeover before", whole(30, 240), units=("minutes", "hours")),
            Quantity("after", "time of one changeover after", up_to("before", 3, 25), units=("minutes",)),
            Quantity("changeovers", "number of changeovers in the period", whole(1, 400), "int"),
        ),
        gives=Result("gain", "number", units=("minutes", "hours"), better="higher", digits=(1, 2)),
        refuses=(
            *not_negative("before", "after", "changeovers"),
            *at_most("after", "before", before=30, after=36),
        ),
        edges=({"changeovers": 0}, {"before": 30, "after": 30}, {"before": 60, "after": 0}),
        tags=("setup", "smed", "time"),
        noun="machine",
    ),
    Family(
        name="setup_ratio",
        title="Setup ratio of a machine",
        says="The setup ratio is the share of the time in which a machine is occupied that goes into setups.",
        formula="setup ratio = {setup} / {busy}, both in the same unit.",
        source="ISO 22400-2:2014, setup ratio = actual unit setup time / actual unit processing time",
        core=setup_ratio,
        takes=(
            Quantity(
                "busy",
                "time in which the machine is occupied, setups included",
                whole(60, 900, 15),
                units=("minutes", "hours"),
            ),
            Quantity("setup", "time of the setups", up_to("busy", 0, 200), units=("minutes",)),
        ),
        gives=Result("setup ratio", better="lower", digits=(2, 3), levels=(0.1, 0.3)),
        refuses=(*positive("busy"), *not_negative("setup"), *at_most("setup", "busy", busy=60, setup=61)),
        edges=({"setup": 0}, {"busy": 60, "setup": 60}),
        tags=("setup", "time"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="setup_time_per_piece",
        title="Setup time per piece",
        says="A setup is done once for a whole lot, so each piece carries its share of it.",
        formula="setup time per piece = {setup} / {lot}.",
        source="M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th "
        "edition, chapter 3",
        core=setup_time_per_piece,
        takes=(_SETUP, Quantity("lot", "number of pieces in the lot", whole(5, 500), "int")),
        gives=Result("setup time per piece", "number", units=("minutes", "seconds"), better="lower", digits=(2, 3)),
        refuses=(*not_negative("setup"), *positive("lot")),
        edges=({"setup": 0}, {"setup": 30, "lot": 1}),
        tags=("setup", "lot"),
        noun="lot",
    ),
    Family(
        name="smallest_lot",
        title="Smallest lot for a wanted share of setup time",
        says="The larger a lot, the smaller the share of its time that goes into the setup. Which is the "
        "smallest lot whose setup "
        "takes at most a given share of setup time and run time together?",
        formula="lot = {setup} * (1 - {most_share}) / ({most_share} * {cycle}), both times in the same unit.",
        source="M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th "
        "edition, chapter 3: "
        "batch time = setup time + quantity * cycle time, solved for the quantity",
        core=smallest_lot,
        takes=(
            _SETUP,
            Quantity("cycle", "cycle time of one piece", decimal(2, 240, 1), units=("seconds", "minutes")),
            Quantity(
                "most_share", "largest share of the setup, between 0 and 1, both excluded", decimal(0.02, 0.4, 2)
            ),
        ),
        gives=Result("lot size", "whole", "int"),
        refuses=(
            *not_negative("setup"),
            *positive("cycle"),
            Refusal("{most_share} is not greater than 0", {"most_share": 0}),
            Refusal("{most_share} is not less than 1", {"most_share": 1}),
        ),
        edges=({"setup": 0},),
        tags=("setup", "lot", "inverse", "rounding"),
        noun="product",
    ),
    Family(
        name="lot_time",
        title="Time of a production lot",
        says="A lot takes one setup and then the cycle time for each of its pieces.",
        formula="lot time = {setup} + {lot} * {cycle}, both times in the same unit.",
        source="M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th "
        "edition, chapter 3 "
        "(batch processing time = setup time + quantity * cycle time)",
        core=lot_time,
        takes=(
            _SETUP,
            Quantity("lot", "number of pieces in the lot", whole(1, 600), "int"),
            Quantity("cycle", "cycle time of one piece", decimal(2, 240, 1), units=("seconds", "minutes")),
        ),
        gives=Result("lot time", "number", units=("minutes", "hours"), better="lower", digits=(1, 2)),
        refuses=(*not_negative("setup", "lot"), *positive("cycle")),
        edges=({"lot": 0}, {"setup": 0}),
        tags=("setup", "lot", "time"),
        noun="lot",
    ),
    Family(
        name="every_part_every_interval",
        title="Every part every interval (EPEI)",
        says="EPEI is the number of days in which every part number of a machine can be changed over to once, "
        "when all time that "
        "is left beside the run time is used for setups.",
        formula="EPEI = {setup_all} / ({available} - {run_time}), all in the same unit; the result is in days "
        "because "
        "{available} and {run_time} are for one day.",
        source="M. Rother, J. Shook, Learning to See, Lean Enterprise Institute, 1998 (every part every)",
        core=part_interval,
        takes=(
            Quantity("available", "available time of one day", whole(420, 1380, 30), units=("minutes", "hours")),
            Quantity(
                "run_time", "run time that one day's demand needs", up_to("available", 200, 400), units=("minutes",)
            ),
            Quantity(
                "setup_all", "time to change over to every part number once", whole(20, 600), units=("minutes",)
            ),
        ),
        gives=Result("EPEI", "number", unit="days", better="lower", digits=(2, 3)),
        refuses=(
            *positive("available"),
            *not_negative("run_time", "setup_all"),
            Refusal("{run_time} is as long as {available} or longer", {"available": 480, "run_time": 480}),
            Refusal("{run_time} is as long as {available} or longer", {"available": 480, "run_time": 500}),
        ),
        edges=({"setup_all": 0}, {"run_time": 0}),
        tags=("setup", "lot", "lean"),
        noun="machine",
    ),
)
