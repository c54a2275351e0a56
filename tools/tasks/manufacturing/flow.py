"""Pace and flow: takt, cycle and lead time, work in process, capacity and balanced lines."""

from __future__ import annotations

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, up_to, whole

HOPP = "W. J. Hopp, M. L. Spearman, Factory Physics, 3rd edition, Waveland Press, 2011"
GROOVER = "M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th edition, Pearson, 2015"
ROTHER = "M. Rother, J. Shook, Learning to See, Lean Enterprise Institute, 1998"


def takt_time(available: float, demand: int) -> float:
    """Available time for one demanded piece."""
    if available <= 0 or demand <= 0:
        raise ValueError("available and demand must be positive")
    return available / demand


def demand_at_takt(available: float, takt: float) -> float:
    """How many pieces a time (minutes) gives at a takt (seconds), whole ones only."""
    if available < 0 or takt <= 0:
        raise ValueError("takt must be positive, and available not negative")
    return available * 60 / takt


def cycle_time(run_time: float, pieces: int) -> float:
    """Mean time from piece to piece."""
    if run_time < 0 or pieces <= 0:
        raise ValueError("pieces must be positive, and run_time not negative")
    return run_time / pieces


def throughput_rate(pieces: int, elapsed: float) -> float:
    """Pieces per hour; elapsed in hours."""
    if pieces < 0 or elapsed <= 0:
        raise ValueError("elapsed must be positive, and pieces not negative")
    return pieces / elapsed


def work_in_process(throughput: float, lead_time: float) -> float:
    """Little's law: throughput (per hour) times lead time (hours)."""
    if throughput < 0 or lead_time < 0:
        raise ValueError("throughput and lead_time must not be negative")
    return throughput * lead_time


def lead_time(wip: int, throughput: float) -> float:
    """Little's law: work in process over throughput (per hour), in hours."""
    if wip < 0 or throughput <= 0:
        raise ValueError("throughput must be positive, and wip not negative")
    return wip / throughput


def machine_utilisation(busy: float, available: float) -> float:
    """Share of the available time in which the machine was busy."""
    if available <= 0 or busy < 0 or busy > available:
        raise ValueError("available must be positive, and busy between zero and available")
    return busy / available


def capacity(machines: int, scheduled: float, efficiency: float, cycle: float) -> float:
    """Pieces that machines make: hours each, cycle in seconds."""
    if machines < 0 or scheduled < 0 or cycle <= 0 or not 0 <= efficiency <= 1:
        raise ValueError("machines and hours must not be negative, cycle positive, efficiency between 0 and 1")
    return machines * scheduled * 3600 * efficiency / cycle


def machines_needed(demand: int, cycle: float, available: float, efficiency: float) -> float:
    """Work content over the effective time of one machine; cycle in seconds, available in hours."""
    if demand < 0 or cycle <= 0 or available <= 0 or not 0 < efficiency <= 1:
        raise ValueError(
            "demand must not be negative, cycle and available positive, efficiency above 0 and at most 1"
        )
    return demand * cycle / (available * 3600 * efficiency)


def process_cycle_efficiency(value_added: float, lead_time: float) -> float:
    """Share of the lead time that adds value; value-added time in minutes, lead time in hours."""
    if lead_time <= 0 or value_added < 0 or value_added > lead_time * 60:
        raise ValueError("lead_time must be positive, and value_added between zero and lead_time")
    return value_added / (lead_time * 60)


FAMILIES = (
    Family(
        name="takt_time",
        title="Takt time",
        says="Takt time is the pace that demand sets: the available production time for each demanded piece.",
        formula="takt time = {available} / {demand}.",
        source=f"{ROTHER}: takt time = available working time per shift / customer demand per shift",
        core=takt_time,
        takes=(
            Quantity("available", "available production time", whole(60, 1440, 15), units=("minutes", "hours")),
            Quantity("demand", "number of pieces demanded in that time", whole(10, 900), "int"),
        ),
        gives=Result("takt time", "number", units=("minutes", "seconds"), digits=(2, 3)),
        refuses=positive("available", "demand"),
        edges=({"available": 480, "demand": 480}, {"available": 480, "demand": 1}),
        tags=("takt", "lean", "time"),
        noun="product",
    ),
    Family(
        name="demand_at_takt",
        title="Pieces that fit a takt time",
        says="The inverse of takt time: how many pieces does an available time give at a given takt?",
        formula="pieces = {available} / {takt}, both in the same unit. Fractions of a piece stay.",
        source=f"{ROTHER}: takt time = available time / demand, solved for demand",
        core=demand_at_takt,
        takes=(
            Quantity("available", "available production time", whole(60, 1440, 15), units=("minutes", "hours")),
            Quantity("takt", "takt time", decimal(5, 300, 1), units=("seconds",)),
        ),
        gives=Result("number of pieces", "number", better="higher", digits=(1, 2)),
        refuses=(*not_negative("available"), *positive("takt")),
        edges=({"available": 0}, {"available": 60, "takt": 60}),
        tags=("takt", "lean", "inverse"),
        noun="line",
    ),
    Family(
        name="cycle_time",
        title="Cycle time of a process",
        says="The cycle time is the mean time from one finished piece to the next.",
        formula="cycle time = {run_time} / {pieces}.",
        source=f"{ROTHER}: cycle time is how often a part is completed by a process",
        core=cycle_time,
        takes=(
            Quantity("run_time", "time in which the process ran", whole(60, 960, 15), units=("minutes", "hours")),
            Quantity("pieces", "number of pieces finished in that time", whole(5, 400), "int"),
        ),
        gives=Result("cycle time", "number", units=("minutes", "seconds"), better="lower", digits=(2, 3)),
        refuses=(*not_negative("run_time"), *positive("pieces")),
        edges=({"run_time": 0}, {"run_time": 60, "pieces": 1}),
        tags=("time", "speed"),
        noun="process",
        additive=True,
    ),
    Family(
        name="throughput_rate",
        title="Throughput rate",
        says="The throughput rate is the number of pieces that a process gives in one hour.",
        formula="throughput rate = {pieces} / {elapsed}, as pieces per hour (convert the time to hours first).",
        source="ISO 22400-2:2014, throughput rate = produced quantity / order execution time",
        core=throughput_rate,
        takes=(
            Quantity("pieces", "number of pieces made", whole(0, 5000), "int"),
            Quantity("elapsed", "time that it took", whole(1, 72), units=("hours", "minutes", "days")),
        ),
        gives=Result(
            "throughput rate", "number", unit="pieces per hour", better="higher", digits=(1, 2), levels=(20, 80)
        ),
        refuses=(*not_negative("pieces"), *positive("elapsed")),
        edges=({"pieces": 0}, {"pieces": 60, "elapsed": 1}),
        tags=("throughput", "speed"),
        noun="line",
        additive=True,
    ),
    Family(
        name="work_in_process",
        title="Work in process by Little's law",
        says="Little's law gives the mean work in process of a stable process from its throughput and its lead "
        "time.",
        formula="work in process = {throughput} * {lead_time}, the lead time converted to hours.",
        source=f"J. D. C. Little, A proof for the queuing formula L = lambda W, Operations Research 9(3), 1961; "
        f"{HOPP}, chapter 7",
        core=work_in_process,
        takes=(
            Quantity("throughput", "throughput in pieces per hour", decimal(0.5, 120, 1)),
            Quantity("lead_time", "mean lead time", whole(2, 240), units=("hours", "days", "minutes")),
        ),
        gives=Result("work in process", "number", unit="pieces", better="lower", digits=(1, 2)),
        refuses=not_negative("throughput", "lead_time"),
        edges=({"throughput": 0}, {"lead_time": 0}, {"throughput": 1, "lead_time": 24}),
        tags=("little", "wip"),
        noun="process",
    ),
    Family(
        name="lead_time",
        title="Lead time by Little's law",
        says="Little's law gives the mean lead time of a stable process from its work in process and its "
        "throughput.",
        formula="lead time = {wip} / {throughput}, which is in hours because the throughput is per hour.",
        source=f"J. D. C. Little, A proof for the queuing formula L = lambda W, Operations Research 9(3), 1961; "
        f"{HOPP}, chapter 7",
        core=lead_time,
        takes=(
            Quantity("wip", "number of pieces in process", whole(0, 2000), "int"),
            Quantity("throughput", "throughput in pieces per hour", decimal(0.5, 120, 1)),
        ),
        gives=Result("lead time", "number", units=("hours", "minutes", "days"), better="lower", digits=(1, 2)),
        refuses=(*not_negative("wip"), *positive("throughput")),
        edges=({"wip": 0}, {"wip": 24, "throughput": 1}),
        tags=("little", "time"),
        noun="process",
    ),
    Family(
        name="machine_utilisation",
        title="Utilisation of a machine",
        says="The utilisation is the share of the available time in which a machine is busy.",
        formula="utilisation = {busy} / {available}, both in the same unit.",
        source=f"{HOPP}, chapter 7; ISO 22400-2:2014, utilization efficiency",
        core=machine_utilisation,
        takes=(
            Quantity(
                "available",
                "time in which the machine is available",
                whole(60, 960, 15),
                units=("minutes", "hours"),
            ),
            Quantity("busy", "time in which it is busy", up_to("available", 10), units=("minutes",)),
        ),
        gives=Result("utilisation", better="higher", levels=(0.5, 0.85)),
        refuses=(
            *positive("available"),
            *not_negative("busy"),
            *at_most("busy", "available", available=60, busy=75),
        ),
        edges=({"busy": 0}, {"available": 60, "busy": 60}),
        tags=("time", "utilisation"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="capacity",
        title="Effective capacity of a group of machines",
        says="The effective capacity is how many pieces a group of equal machines makes in a period.",
        formula="capacity = {machines} * {scheduled} * {efficiency} / {cycle}, both times in the same unit. "
        "Fractions stay.",
        source=f"{GROOVER}, chapter 3 (production capacity)",
        core=capacity,
        takes=(
            Quantity("machines", "number of machines", whole(1, 12), "int"),
            Quantity(
                "scheduled",
                "time that each machine is scheduled in the period",
                decimal(4, 120, 1),
                units=("hours",),
            ),
            Quantity(
                "efficiency", "share of the scheduled time that is productive, from 0 to 1", decimal(0.5, 1, 2)
            ),
            Quantity("cycle", "cycle time of one piece", decimal(2, 600, 1), units=("seconds", "minutes")),
        ),
        gives=Result("capacity", "number", unit="pieces", better="higher", digits=(1, 2)),
        refuses=(
            *not_negative("machines", "scheduled"),
            *positive("cycle"),
            Refusal("{efficiency} is less than 0 or greater than 1", {"efficiency": 1.2}),
        ),
        edges=({"machines": 0}, {"efficiency": 0}, {"efficiency": 1}),
        tags=("capacity", "planning"),
        noun="group",
    ),
    Family(
        name="machines_needed",
        title="Number of machines needed for a demand",
        says="How many equal machines does a demand need in a period, when each is productive for a share of its "
        "time only?",
        formula="machines = {demand} * {cycle} / ({available} * {efficiency}), both times in the same unit.",
        source=f"{GROOVER}, chapter 14 (number of workstations = workload / available time)",
        core=machines_needed,
        takes=(
            Quantity("demand", "number of pieces demanded", whole(10, 5000), "int"),
            Quantity("cycle", "cycle time of one piece", decimal(2, 240, 1), units=("seconds", "minutes")),
            Quantity("available", "time in which one machine is available", whole(8, 120, 4), units=("hours",)),
            Quantity(
                "efficiency", "share of that time that is productive, above 0 and at most 1", decimal(0.5, 1, 2)
            ),
        ),
        gives=Result("number of machines", "whole", "int", better="lower"),
        refuses=(
            *not_negative("demand"),
            *positive("cycle", "available"),
            Refusal("{efficiency} is zero, negative or greater than 1", {"efficiency": 0}),
            Refusal("{efficiency} is zero, negative or greater than 1", {"efficiency": 1.1}),
        ),
        edges=({"demand": 0}, {"efficiency": 1}),
        tags=("capacity", "planning", "rounding"),
        noun="product",
    ),
    Family(
        name="process_cycle_efficiency",
        title="Process cycle efficiency",
        says="Process cycle efficiency is the share of the lead time in which value is added.",
        formula="process cycle efficiency = {value_added} / {lead_time}, both in the same unit.",
        source="M. L. George, Lean Six Sigma, McGraw-Hill, 2002 (process cycle efficiency = value-added time / "
        "total lead time)",
        core=process_cycle_efficiency,
        takes=(
            Quantity("value_added", "time in which value is added", whole(5, 110), units=("minutes", "seconds")),
            Quantity("lead_time", "lead time from start to delivery", whole(2, 240), units=("hours", "days")),
        ),
        gives=Result("process cycle efficiency", better="higher", digits=(3, 4), levels=(0.05, 0.25)),
        refuses=(
            *not_negative("value_added"),
            *positive("lead_time"),
            *at_most("value_added", "lead_time", value_added=120, lead_time=1),
        ),
        edges=({"value_added": 0}, {"value_added": 60, "lead_time": 1}),
        tags=("lean", "time"),
        noun="order",
        additive=True,
    ),
)
