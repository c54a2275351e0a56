"""The tasks and the answers of the factory's demo: what a capable local model says, with its honest mistakes."""

from __future__ import annotations

from toolmakers import TAKT, TAKT_STATEMENT, TAKT_TESTS, Toolmakers, renamed, takt_task

from tools.memory.records import Example
from tools.tasks import Task

TAKT_FIRST = TAKT.replace(
    """    if available_minutes < 0:
        raise ValueError("available_minutes must not be negative")
""",
    "",
)

SCRAP_STATEMENT = """\
Return the scrap rate in percent: the scrapped pieces divided by all pieces made, times 100. good is the number of good
pieces and scrapped the number of scrapped ones; both are whole numbers, at least 0. All pieces made are good plus scrapped.
Raise ValueError when one of them is negative, or when no piece was made. Do not round."""

SCRAP = '''\
def scrap_rate_percent(good: int, scrapped: int) -> float:
    """Share of scrapped pieces among all pieces made, in percent.

    Raises ValueError for a negative number, or when no piece was made.
    """
    if good < 0 or scrapped < 0:
        raise ValueError("the numbers of pieces must not be negative")
    made = good + scrapped
    if made == 0:
        raise ValueError("no piece was made")
    return 100 * scrapped / made
'''

SCRAP_TESTS_FIRST = """\
from main import scrap_rate_percent


def test_no_scrap() -> None:
    assert scrap_rate_percent(10, 0) == 0.0


def test_is_a_number() -> None:
    assert isinstance(scrap_rate_percent(3, 1), float)
"""

SCRAP_TESTS = """\
import pytest

from main import scrap_rate_percent


@pytest.mark.parametrize(
    ("good", "scrapped", "percent"),
    [(10, 0, 0.0), (0, 4, 100.0), (3, 1, 25.0), (1, 3, 75.0), (97, 3, 3.0), (7, 2, 200 / 9)],
)
def test_divides_the_scrap_by_all_pieces(good: int, scrapped: int, percent: float) -> None:
    assert scrap_rate_percent(good, scrapped) == pytest.approx(percent)


@pytest.mark.parametrize(("good", "scrapped"), [(-1, 5), (5, -1), (-5, 5), (0, 0)])
def test_refuses_what_makes_no_sense(good: int, scrapped: int) -> None:
    with pytest.raises(ValueError):
        scrap_rate_percent(good, scrapped)
"""

SECONDS_STATEMENT = """\
Return the takt time in seconds for each unit: available_minutes (a number of minutes, at least 0), turned into seconds,
divided by demand (a whole number of units, at least 1). Raise ValueError when demand is below 1 or available_minutes is
negative. Do not round."""

SECONDS = '''\
from skills.takt_time import takt_time


def takt_time_seconds(available_minutes: float, demand: int) -> float:
    """Seconds available for each unit of demand.

    Raises ValueError when the demand is not positive or the time is negative.
    """
    return 60 * takt_time(available_minutes, demand)
'''

MEDIAN_STATEMENT = """\
Return the median absolute deviation of values, a list of at least one number: the median of the absolute differences
between each value and the median of all values. The median of an even count is the mean of the two middle values. Round the
result to 2 decimal places with round(x, 2), and nothing before it. Raise ValueError when the list is empty."""

MEDIAN = '''\
import statistics


def median_absolute_deviation(values: list[float]) -> float:
    """Median distance from the median, rounded to two decimal places, in the unit of the values.

    Raises ValueError when there is no value.
    """
    if not values:
        raise ValueError("there is no value")
    middle = round(statistics.median(values), 2)
    return round(statistics.median(abs(value - middle) for value in values), 2)
'''

MEDIAN_REFERENCE = MEDIAN.replace("round(statistics.median(values), 2)", "statistics.median(values)")

MEDIAN_TESTS = """\
import pytest

from main import median_absolute_deviation


@pytest.mark.parametrize(
    ("values", "deviation"),
    [
        ([4.0], 0.0),
        ([1.0, 3.0], 1.0),
        ([1.0, 2.0, 6.0], 1.0),
        ([1.0, 1.0, 2.0, 8.0], 0.5),
        ([-2.0, 0.0, 7.5, 9.0], 4.5),
        ([1.25, 2.5], 0.62),
    ],
)
def test_is_the_median_distance_from_the_median(values: list[float], deviation: float) -> None:
    assert median_absolute_deviation(values) == pytest.approx(deviation)


def test_refuses_an_empty_list() -> None:
    with pytest.raises(ValueError):
        median_absolute_deviation([])
"""

_PIECES = [{"good": good, "scrapped": bad} for good in (0, 1, 8, 250, -1) for bad in (0, 1, 7, 40, -2)]
_VALUES = [
    [],
    [1.0],
    [0.125, 0.131],
    [0.344, 0.358, 0.1],
    [1.005, 2.0, 3.017, 9.25],
    [-4.5, 0.333, 0.338, 12.0, 7.126],
]
_TIMES = [{"available_minutes": m, "demand": d} for m in (0.0, 1.0, 450.0, 480.5, -3.0) for d in (1, 7, 240, 0, -2)]

TASKS = (
    takt_task(),
    Task(
        id="manufacturing.scrap_rate_percent",
        domain="manufacturing",
        family="scrap rate",
        title="Scrap rate in percent",
        entry="scrap_rate_percent",
        signature="def scrap_rate_percent(good: int, scrapped: int) -> float",
        statement=SCRAP_STATEMENT,
        tags=("manufacturing", "quality"),
        source="ISO 22400-2:2014, scrap ratio",
        examples=(Example(arguments={"good": 3, "scrapped": 1}, result=25.0),),
        reference=SCRAP,
        inputs=tuple(_PIECES),
    ),
    takt_task(
        title="Pace of an assembly line",
        entry="line_pace",
        signature="def line_pace(available_minutes: float, demand: int) -> float",
        statement="How many minutes does a line have for each unit? " + TAKT_STATEMENT,
        reference=renamed("line_pace", TAKT),
    ),
    takt_task(
        id="manufacturing.takt_time_seconds",
        title="Takt time in seconds",
        entry="takt_time_seconds",
        signature="def takt_time_seconds(available_minutes: float, demand: int) -> float",
        statement=SECONDS_STATEMENT,
        reference=renamed("takt_time_seconds", TAKT).replace(
            "available_minutes / demand", "60 * available_minutes / demand"
        ),
        examples=(Example(arguments={"available_minutes": 480.0, "demand": 240}, result=120.0),),
        inputs=tuple(_TIMES),
    ),
    Task(
        id="data.median_absolute_deviation",
        domain="data",
        family="median absolute deviation",
        title="Median absolute deviation, to 2 decimal places",
        entry="median_absolute_deviation",
        signature="def median_absolute_deviation(values: list[float]) -> float",
        statement=MEDIAN_STATEMENT,
        tags=("data", "statistics"),
        source="F. R. Hampel, JASA 69 (1974)",
        examples=(Example(arguments={"values": [1.0, 2.0, 6.0]}, result=1.0),),
        reference=MEDIAN_REFERENCE,
        inputs=tuple({"values": values} for values in _VALUES),
    ),
)

MAKERS = Toolmakers(
    {
        "takt_time": [TAKT_FIRST, TAKT],
        "scrap_rate_percent": [SCRAP],
        "takt_time_seconds": [SECONDS],
        "median_absolute_deviation": [MEDIAN],
    },
    {
        "takt_time": [TAKT_TESTS],
        "scrap_rate_percent": [SCRAP_TESTS_FIRST, SCRAP_TESTS],
        "takt_time_seconds": [
            renamed("takt_time_seconds", TAKT_TESTS).replace("approx(takt)", "approx(60 * takt)")
        ],
        "median_absolute_deviation": [MEDIAN_TESTS],
    },
    choices={
        "scrap_rate_percent": {"decision": "write", "tool": "", "why": "A takt time says nothing about scrap."},
        "line_pace": {
            "decision": "reuse",
            "tool": "takt_time-1",
            "why": "Minutes for each unit of demand is what takt_time-1 computes, with the same parameters.",
        },
        "takt_time_seconds": {
            "decision": "adapt",
            "tool": "takt_time-1",
            "why": "takt_time-1 gives the same time in minutes; it has to be turned into seconds.",
        },
        "median_absolute_deviation": {"decision": "write", "tool": "", "why": "No tool is about deviations."},
    },
)
