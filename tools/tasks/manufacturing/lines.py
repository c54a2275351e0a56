"""Assembly lines: balance, stations, bottlenecks and the rate of a line."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import positive
from tools.tasks.samples import decimal, many

HOPP = "W. J. Hopp, M. L. Spearman, Factory Physics, 3rd edition, Waveland Press, 2011"
GROOVER = "M. P. Groover, Automation, Production Systems, and Computer-Integrated Manufacturing, 4th edition, Pearson, 2015"
_TIMES = many(decimal(5, 90, 1), 2, 9)


def balance_efficiency(station_times: list[float]) -> float:
    """Work content over the number of stations times the slowest station's time."""
    if not station_times or min(station_times) < 0 or max(station_times) == 0:
        raise ValueError("there must be a station, no time may be negative, and not all may be zero")
    return sum(station_times) / (len(station_times) * max(station_times))


def smoothness(station_times: list[float]) -> float:
    """Root of the summed squares of what each station is faster than the slowest."""
    if not station_times or min(station_times) < 0:
        raise ValueError("there must be a station, and no time may be negative")
    slowest = max(station_times)
    return math.sqrt(sum((slowest - time) ** 2 for time in station_times))


def fewest_stations(task_times: list[float], takt: float) -> float:
    """Work content over takt."""
    if takt <= 0 or any(time < 0 or time > takt for time in task_times):
        raise ValueError("takt must be positive, and every task time between zero and takt")
    return sum(task_times) / takt


def bottleneck(stations: dict[str, float]) -> str:
    """The station with the longest time; of equal ones, the first by name."""
    if not stations or min(stations.values()) < 0:
        raise ValueError("there must be a station, and no time may be negative")
    longest = max(stations.values())
    return min(name for name, time in stations.items() if time == longest)


def line_rate(stations: list[dict[str, float]], effective: bool) -> float:
    """Pieces per hour of a serial line: the least station rate; cycle in seconds, with parallel machines."""
    if not stations:
        raise ValueError("there must be a station")
    rates = []
    for station in stations:
        if station["cycle"] <= 0 or station["machines"] < 1 or not 0 <= station["uptime"] <= 1:
            raise ValueError("cycle must be positive, machines at least 1, uptime between 0 and 1")
        rates.append(station["machines"] * 3600 / station["cycle"] * (station["uptime"] if effective else 1))
    return min(rates)


FAMILIES = (
    Family(
        name="balance_efficiency",
        title="Balance efficiency of an assembly line",
        says="Balance efficiency tells how evenly the work is spread over the stations of a line whose pace the "
        "slowest one sets.",
        formula="balance efficiency = sum of {station_times} / (number of stations * largest of {station_times}).",
        source=f"{GROOVER}, chapter 15 (balance efficiency = total work content time / (stations * maximum "
        f"service time))",
        core=balance_efficiency,
        takes=(Quantity("station_times", "work time of each station, all in one unit", _TIMES, "list[float]"),),
        gives=Result("balance efficiency", better="higher", levels=(0.75, 0.9)),
        refuses=(
            Refusal("{station_times} is empty", {"station_times": []}),
            Refusal("any of {station_times} is negative", {"station_times": [10, -1, 5]}),
            Refusal("all of {station_times} are zero", {"station_times": [0, 0]}),
        ),
        edges=({"station_times": [12]}, {"station_times": [20, 20, 20]}, {"station_times": [0, 10]}),
        tags=("line", "balance", "list"),
    ),
    Family(
        name="smoothness_index",
        title="Smoothness index of an assembly line",
        says="The smoothness index tells how far the stations of a line are from the slowest one; 0 is a perfect "
        "balance.",
        formula="smoothness index = square root of the sum, over the stations, of (largest time - time of the "
        "station) squared.",
        source="A. Scholl, Balancing and Sequencing of Assembly Lines, 2nd edition, Physica, 1999 (smoothness "
        "index)",
        core=smoothness,
        takes=(Quantity("station_times", "work time of each station, all in one unit", _TIMES, "list[float]"),),
        gives=Result("smoothness index", "number", better="lower"),
        refuses=(
            Refusal("{station_times} is empty", {"station_times": []}),
            Refusal("any of {station_times} is negative", {"station_times": [10, -1, 5]}),
        ),
        edges=({"station_times": [12]}, {"station_times": [20, 20, 20]}, {"station_times": [0, 3, 4]}),
        tags=("line", "balance", "list"),
    ),
    Family(
        name="fewest_stations",
        title="Theoretical minimum number of stations",
        says="The work content of all tasks, divided by the takt time and rounded up, is the least number of "
        "stations of a line.",
        formula="minimum number of stations = sum of {task_times} / {takt}, rounded up. No tasks need 0 stations.",
        source=f"{GROOVER}, chapter 15 (theoretical minimum number of workers = work content time / cycle time)",
        core=fewest_stations,
        takes=(
            Quantity("task_times", "time of each task", many(decimal(2, 55, 1), 2, 12), "list[float]"),
            Quantity("takt", "takt time in the same unit", decimal(55, 120, 1)),
        ),
        gives=Result("minimum number of stations", "whole", "int", better="lower"),
        refuses=(
            *positive("takt"),
            Refusal("any of {task_times} is negative", {"task_times": [5, -2]}),
            Refusal("any of {task_times} is greater than {takt}", {"task_times": [5, 61], "takt": 60}),
        ),
        edges=({"task_times": []}, {"task_times": [10.5]}),
        tags=("line", "balance", "list", "rounding"),
    ),
    Family(
        name="bottleneck",
        title="Bottleneck station of a line",
        says="The bottleneck of a line without parallel stations is the station with the longest cycle time.",
        formula="find the name with the largest value in {stations}; of several with the same largest value, "
        "take the name that "
        "comes first in the order of sorted().",
        source=f"{HOPP}, chapter 7 (the bottleneck is the station with the highest long-term utilization)",
        core=bottleneck,
        takes=(
            Quantity(
                "stations",
                "a dict from the name of each station to its cycle time in seconds",
                lambda random, _: {
                    name: random.randint(5, 60)
                    for name in random.sample(["saw", "drill", "mill", "wash", "pack", "test"], 4)
                },
                "dict[str, float]",
            ),
        ),
        gives=Result("name of the bottleneck", "other", "str"),
        refuses=(
            Refusal("{stations} is empty", {"stations": {}}),
            Refusal("any cycle time is negative", {"stations": {"saw": 10, "mill": -1}}),
        ),
        edges=({"stations": {"wash": 30, "drill": 30, "saw": 12}}, {"stations": {"saw": 0}}),
        tags=("bottleneck", "line", "dict"),
    ),
    Family(
        name="line_rate",
        title="Rate of a serial line with parallel machines",
        says="A serial line is as fast as its slowest station. A station may have several equal machines in "
        "parallel.",
        formula="rate of a station = machines * 3600 / cycle, in pieces per hour; rate of the line = the least "
        "of these rates. "
        "{stations} is a list of dicts with the keys cycle (seconds for one piece on one machine), machines "
        "(their number) and "
        "uptime (share of the time that they run, from 0 to 1).",
        source=f"{HOPP}, chapter 7 (bottleneck rate of a line)",
        core=line_rate,
        takes=(
            Quantity(
                "stations",
                "the stations, as described",
                many(
                    lambda random, _: {
                        "cycle": random.randint(40, 1200) / 10,
                        "machines": random.randint(1, 4),
                        "uptime": random.randint(60, 100) / 100,
                    },
                    1,
                    6,
                ),
                "list[dict[str, float]]",
            ),
        ),
        gives=Result("rate of the line", "number", unit="pieces per hour", better="higher", digits=(1, 2)),
        refuses=(
            Refusal("{stations} is empty", {"stations": []}),
            Refusal(
                "the cycle of any station is zero or negative",
                {"stations": [{"cycle": 0, "machines": 1, "uptime": 1}]},
            ),
            Refusal(
                "any station has fewer than 1 machine", {"stations": [{"cycle": 9, "machines": 0, "uptime": 1}]}
            ),
            Refusal(
                "any uptime is less than 0 or greater than 1",
                {"stations": [{"cycle": 9, "machines": 1, "uptime": 2}]},
            ),
        ),
        edges=(
            {"stations": [{"cycle": 36, "machines": 1, "uptime": 1}]},
            {"stations": [{"cycle": 36, "machines": 2, "uptime": 0}]},
        ),
        options=(
            Option("The uptime plays no part in the rate; it is only checked.", {"effective": False}),
            Option("Every station's rate is multiplied by its uptime.", {"effective": True}, "effective"),
        ),
        tags=("bottleneck", "line", "list"),
    ),
)
