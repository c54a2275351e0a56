"""Small functions with an independent reference, right code by another route, good tests, and code that is wrong.

Each wrong version is one that a model might well write, with tests that agree with it.
"""

# ruff: noqa: E501 - a body on one line reads as a row of a table

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tools.memory.records import Example
from tools.tasks.task import Task

PYTEST = "import pytest\n"


@dataclass(frozen=True)
class Craft:
    """A function that is asked for; `wrong` holds the bodies of wrong versions by what is wrong with them."""

    signature: str
    reference: str
    right: str
    tests: str
    inputs: tuple[dict[str, Any], ...]
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        return self.signature.removeprefix("def ").split("(")[0]

    @property
    def task(self) -> Task:
        reference = self._defined(self.reference)
        task = {"id": self.entry, "domain": "craft", "family": self.entry, "title": self.entry, "statement": "…"}
        return Task(
            **task, entry=self.entry, signature=self.signature, reference=reference, inputs=self.inputs, examples=()
        )

    @property
    def code(self) -> str:
        return self._defined(self.right)

    def broken(self, what: str) -> str:
        return self._defined(self.wrong[what])

    def _defined(self, body: str) -> str:
        lines = "\n".join(f"    {line}" if line else "" for line in body.strip().splitlines())
        imports = (
            "from __future__ import annotations\n\nimport math\nimport statistics\nfrom typing import Literal\n"
        )
        return f'{imports}\n\n{self.signature}:\n    """Compute what was asked for."""\n{lines}\n'


def matching_tests(entry: str, inputs: list[dict[str, Any]], answers: list[Any]) -> str:
    """Tests that agree with these answers."""
    lines = [PYTEST, f"from main import {entry}\n"]
    for number, (arguments, answer) in enumerate(zip(inputs, answers, strict=True)):
        if answer.kind == "raised":
            lines.append(
                f"def test_{number}():\n    with pytest.raises({answer.exception}):\n        {entry}(**{arguments!r})\n"
            )
        elif isinstance(answer.value, float):
            lines.append(
                f"def test_{number}():\n    assert {entry}(**{arguments!r}) == pytest.approx({answer.value!r})\n"
            )
        else:
            lines.append(f"def test_{number}():\n    assert {entry}(**{arguments!r}) == {answer.value!r}\n")
    return "\n".join(lines)


def grid(**axes: tuple[Any, ...]) -> tuple[dict[str, Any], ...]:
    """Every combination."""
    return tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


def examples(*pairs: tuple[dict[str, Any], Any]) -> tuple[Example, ...]:
    return tuple(Example(arguments=arguments, result=result) for arguments, result in pairs)


TAKT = Craft(
    "def takt_time(available_minutes: float, demand: int) -> float",
    "if available_minutes < 0 or demand <= 0:\n    raise ValueError('no')\nreturn available_minutes / demand",
    """
if demand < 1:
    raise ValueError(f"demand must be positive, not {demand}")
if available_minutes < 0:
    raise ValueError(f"available_minutes must not be negative, not {available_minutes}")
return available_minutes / demand
""",
    """
import pytest
from main import takt_time

def test_whole(): assert takt_time(480, 240) == pytest.approx(2)
def test_part(): assert takt_time(450, 400) == pytest.approx(1.125)
def test_nothing_available(): assert takt_time(0, 3) == 0
def test_one_piece(): assert takt_time(7.5, 1) == 7.5

@pytest.mark.parametrize(("minutes", "demand"), [(480, 0), (480, -5), (-1, 10), (-0.5, 1)])
def test_refused(minutes, demand):
    with pytest.raises(ValueError):
        takt_time(minutes, demand)
""",
    grid(available_minutes=(0.0, 1.0, 450.0, 480, 412.5, -1.0), demand=(-2, 0, 1, 7, 240, 1000)),
    {
        "seconds for minutes": "if available_minutes < 0 or demand <= 0:\n    raise ValueError('no')\nreturn available_minutes * 60 / demand",
        "integer division": "if available_minutes < 0 or demand <= 0:\n    raise ValueError('no')\nreturn float(available_minutes // demand)",
        "rounded": "if available_minutes < 0 or demand <= 0:\n    raise ValueError('no')\nreturn round(available_minutes / demand, 2)",
        "zero demand gives zero": "if available_minutes < 0 or demand < 0:\n    raise ValueError('no')\nreturn available_minutes / demand if demand else 0.0",
        "another error": "if available_minutes < 0:\n    raise ValueError('no')\nreturn available_minutes / demand if demand > 0 else 1 / 0",
        "inverse": "if available_minutes <= 0 or demand <= 0:\n    raise ValueError('no')\nreturn demand / available_minutes",
    },
)
SCRAP = Craft(
    "def scrap_percent(scrapped: int, produced: int) -> float",
    "if produced <= 0 or not 0 <= scrapped <= produced:\n    raise ValueError('no')\nreturn round(100 * scrapped / produced, 1)",
    """
if produced < 1:
    raise ValueError("nothing was produced")
if scrapped < 0 or scrapped > produced:
    raise ValueError("scrapped must lie between zero and produced")
share = scrapped / produced
return round(share * 100, 1)
""",
    """
import pytest
from main import scrap_percent

def test_some(): assert scrap_percent(3, 200) == pytest.approx(1.5)
def test_rounded(): assert scrap_percent(1, 3) == pytest.approx(33.3)
def test_none(): assert scrap_percent(0, 10) == 0
def test_all(): assert scrap_percent(10, 10) == 100

@pytest.mark.parametrize(("scrapped", "produced"), [(0, 0), (1, -1), (-1, 10), (11, 10)])
def test_refused(scrapped, produced):
    with pytest.raises(ValueError):
        scrap_percent(scrapped, produced)
""",
    grid(scrapped=(-1, 0, 1, 3, 7, 37, 100), produced=(0, 1, 3, 37, 90, 700)),
    {
        "a ratio": "if produced <= 0 or not 0 <= scrapped <= produced:\n    raise ValueError('no')\nreturn round(scrapped / produced, 3)",
        "rounded too early": "if produced <= 0 or not 0 <= scrapped <= produced:\n    raise ValueError('no')\nreturn round(scrapped / produced, 2) * 100",
        "of the good ones": "if produced <= 0 or not 0 <= scrapped < produced:\n    raise ValueError('no')\nreturn round(100 * scrapped / (produced - scrapped), 1)",
        "cut off": "if produced <= 0 or not 0 <= scrapped <= produced:\n    raise ValueError('no')\nreturn int(1000 * scrapped / produced) / 10",
        "more than all": "if produced <= 0 or scrapped < 0:\n    raise ValueError('no')\nreturn round(100 * scrapped / produced, 1)",
    },
)
SIGMA = Craft(
    "def sample_sigma(values: list[float]) -> float",
    "if len(values) < 2:\n    raise ValueError('no')\nreturn statistics.stdev(values)",
    """
if len(values) < 2:
    raise ValueError("two values at least")
mean = sum(values) / len(values)
return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
""",
    """
import pytest
from main import sample_sigma

def test_known(): assert sample_sigma([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2.138089935)
def test_two(): assert sample_sigma([1, 3]) == pytest.approx(2 ** 0.5)
def test_equal(): assert sample_sigma([5, 5, 5]) == 0

@pytest.mark.parametrize("values", [[], [1.0]])
def test_refused(values):
    with pytest.raises(ValueError):
        sample_sigma(values)
""",
    tuple({"values": [float((n * k) % 17) for n in range(k)]} for k in range(24)),
    {
        "population": "if len(values) < 2:\n    raise ValueError('no')\nreturn statistics.pstdev(values)",
        "variance": "if len(values) < 2:\n    raise ValueError('no')\nreturn statistics.variance(values)",
        "one value gives zero": "if not values:\n    raise ValueError('no')\nreturn statistics.stdev(values) if len(values) > 1 else 0.0",
        "mean deviation": "if len(values) < 2:\n    raise ValueError('no')\nm = sum(values) / len(values)\nreturn sum(abs(v - m) for v in values) / len(values)",
    },
)
AVAILABILITY = Craft(
    "def availability(planned_minutes: float, stops: list[float]) -> float",
    "if planned_minutes <= 0 or any(s < 0 for s in stops) or sum(stops) > planned_minutes:\n    raise ValueError('no')\nreturn (planned_minutes - sum(stops)) / planned_minutes",
    """
if planned_minutes <= 0:
    raise ValueError("planned_minutes must be positive")
down = 0.0
for stop in stops:
    if stop < 0:
        raise ValueError("a stop must not be negative")
    down += stop
if down > planned_minutes:
    raise ValueError("the stops are longer than the planned time")
return 1 - down / planned_minutes
""",
    """
import pytest
from main import availability

def test_stops(): assert availability(480, [30, 18]) == pytest.approx(0.9)
def test_no_stop(): assert availability(480, []) == 1
def test_always_down(): assert availability(60, [60]) == 0
def test_one(): assert availability(100, [12.5]) == pytest.approx(0.875)

@pytest.mark.parametrize(("planned", "stops"), [(0, []), (-1, []), (10, [-1]), (10, [6, 5])])
def test_refused(planned, stops):
    with pytest.raises(ValueError):
        availability(planned, stops)
""",
    grid(
        planned_minutes=(-5.0, 0.0, 60.0, 480.0, 455.0),
        stops=([], [10.0], [30.0, 30.0], [1.5, 2.5, 20.0], [-1.0], [500.0]),
    ),
    {
        "of the scheduled time": "if planned_minutes <= 0 or any(s < 0 for s in stops) or sum(stops) > planned_minutes:\n    raise ValueError('no')\nreturn planned_minutes / (planned_minutes + sum(stops))",
        "the last stop forgotten": "if planned_minutes <= 0 or any(s < 0 for s in stops) or sum(stops) > planned_minutes:\n    raise ValueError('no')\nreturn (planned_minutes - sum(stops[:-1])) / planned_minutes",
        "never below zero": "if planned_minutes <= 0 or any(s < 0 for s in stops):\n    raise ValueError('no')\nreturn max(0.0, (planned_minutes - sum(stops)) / planned_minutes)",
        "downtime": "if planned_minutes <= 0 or any(s < 0 for s in stops) or sum(stops) > planned_minutes:\n    raise ValueError('no')\nreturn sum(stops) / planned_minutes",
    },
)
MEDIAN = Craft(
    "def middle(values: list[float]) -> float",
    "if not values:\n    raise ValueError('no')\nreturn statistics.median(values)",
    """
if not values:
    raise ValueError("no values")
ordered = sorted(values)
half = len(ordered) // 2
return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
""",
    """
import pytest
from main import middle

def test_odd(): assert middle([3, 1, 2]) == 2
def test_even(): assert middle([4, 1, 3, 2]) == pytest.approx(2.5)
def test_one(): assert middle([7]) == 7
def test_two(): assert middle([1, 2]) == 1.5
def test_none():
    with pytest.raises(ValueError):
        middle([])
""",
    tuple({"values": [float((n * 7 + k) % 11) for n in range(k)]} for k in range(24)),
    {
        "the upper one": "if not values:\n    raise ValueError('no')\nreturn sorted(values)[len(values) // 2]",
        "not sorted": "if not values:\n    raise ValueError('no')\nh = len(values) // 2\nreturn values[h] if len(values) % 2 else (values[h - 1] + values[h]) / 2",
        "the mean": "if not values:\n    raise ValueError('no')\nreturn sum(values) / len(values)",
    },
)
CPK = Craft(
    "def cpk(mean: float, sigma: float, lower: float, upper: float) -> float",
    "if sigma <= 0 or upper <= lower:\n    raise ValueError('no')\nreturn min(upper - mean, mean - lower) / (3 * sigma)",
    """
if sigma <= 0:
    raise ValueError("sigma must be positive")
if lower >= upper:
    raise ValueError("lower must be below upper")
above = (upper - mean) / (3 * sigma)
below = (mean - lower) / (3 * sigma)
return above if above < below else below
""",
    """
import pytest
from main import cpk

def test_centred(): assert cpk(10, 1, 7, 13) == pytest.approx(1)
def test_high(): assert cpk(12, 0.5, 7, 13) == pytest.approx(2 / 3)
def test_low(): assert cpk(8, 0.5, 7, 13) == pytest.approx(2 / 3)
def test_outside(): assert cpk(14, 1, 7, 13) == pytest.approx(-1 / 3)

@pytest.mark.parametrize(("sigma", "lower", "upper"), [(0, 1, 2), (-1, 1, 2), (1, 2, 2), (1, 3, 2)])
def test_refused(sigma, lower, upper):
    with pytest.raises(ValueError):
        cpk(1, sigma, lower, upper)
""",
    grid(mean=(9.0, 10.0, 12.5), sigma=(-1.0, 0.0, 0.5, 1.0), lower=(7.0, 13.0), upper=(13.0, 15.0)),
    {
        "the better side": "if sigma <= 0 or upper <= lower:\n    raise ValueError('no')\nreturn max(upper - mean, mean - lower) / (3 * sigma)",
        "six sigma": "if sigma <= 0 or upper <= lower:\n    raise ValueError('no')\nreturn (upper - lower) / (6 * sigma)",
    },
)
EOQ = Craft(
    "def order_quantity(annual_demand: float, order_cost: float, holding_cost: float) -> float",
    "if annual_demand < 0 or order_cost < 0 or holding_cost <= 0:\n    raise ValueError('no')\nreturn (2 * annual_demand * order_cost / holding_cost) ** 0.5",
    """
if annual_demand < 0 or order_cost < 0:
    raise ValueError("demand and cost must not be negative")
if holding_cost <= 0:
    raise ValueError("holding_cost must be positive")
return math.sqrt(2 * annual_demand * order_cost / holding_cost)
""",
    """
import pytest
from main import order_quantity

def test_known(): assert order_quantity(1000, 10, 0.5) == pytest.approx(200)
def test_other(): assert order_quantity(1200, 50, 3) == pytest.approx(200)
def test_no_demand(): assert order_quantity(0, 10, 1) == 0
def test_no_cost(): assert order_quantity(10, 0, 1) == 0

@pytest.mark.parametrize(("demand", "cost", "holding"), [(-1, 1, 1), (1, -1, 1), (1, 1, 0), (1, 1, -1)])
def test_refused(demand, cost, holding):
    with pytest.raises(ValueError):
        order_quantity(demand, cost, holding)
""",
    grid(
        annual_demand=(-1.0, 0.0, 1200.0, 515.5), order_cost=(-1.0, 0.0, 50.0), holding_cost=(-1.0, 0.0, 0.5, 3.0)
    ),
    {
        "without the two": "if annual_demand < 0 or order_cost < 0 or holding_cost <= 0:\n    raise ValueError('no')\nreturn (annual_demand * order_cost / holding_cost) ** 0.5",
        "without the root": "if annual_demand < 0 or order_cost < 0 or holding_cost <= 0:\n    raise ValueError('no')\nreturn 2 * annual_demand * order_cost / holding_cost",
    },
)
KANBAN = Craft(
    "def kanban_count(demand_per_hour: float, lead_time_hours: float, safety: float, bin_size: int) -> int",
    "if min(demand_per_hour, lead_time_hours, safety) < 0 or bin_size <= 0:\n    raise ValueError('no')\nreturn math.ceil(demand_per_hour * lead_time_hours * (1 + safety) / bin_size)",
    """
if demand_per_hour < 0 or lead_time_hours < 0 or safety < 0:
    raise ValueError("nothing may be negative")
if bin_size < 1:
    raise ValueError("a bin holds one piece at least")
pieces = demand_per_hour * lead_time_hours * (1 + safety)
return math.ceil(pieces / bin_size)
""",
    """
import pytest
from main import kanban_count

def test_up(): assert kanban_count(100, 2, 0.25, 40) == 7
def test_exact(): assert kanban_count(100, 2, 0, 50) == 4
def test_one(): assert kanban_count(1, 1, 0, 50) == 1
def test_none(): assert kanban_count(0, 2, 0.5, 50) == 0

@pytest.mark.parametrize("changed", [{"demand_per_hour": -1}, {"lead_time_hours": -1}, {"safety": -0.1}, {"bin_size": 0}])
def test_refused(changed):
    right = {"demand_per_hour": 1, "lead_time_hours": 1, "safety": 0, "bin_size": 1}
    with pytest.raises(ValueError):
        kanban_count(**{**right, **changed})
""",
    grid(
        demand_per_hour=(-1.0, 0.0, 100.0, 37.5),
        lead_time_hours=(0.0, 2.0, 1.5),
        safety=(0.0, 0.25),
        bin_size=(0, 1, 40, 50),
    ),
    {
        "rounded": "if min(demand_per_hour, lead_time_hours, safety) < 0 or bin_size <= 0:\n    raise ValueError('no')\nreturn round(demand_per_hour * lead_time_hours * (1 + safety) / bin_size)",
        "one too many": "if min(demand_per_hour, lead_time_hours, safety) < 0 or bin_size <= 0:\n    raise ValueError('no')\nreturn int(demand_per_hour * lead_time_hours * (1 + safety) // bin_size) + 1",
        "safety of a bin": "if min(demand_per_hour, lead_time_hours, safety) < 0 or bin_size <= 0:\n    raise ValueError('no')\nreturn math.ceil(demand_per_hour * lead_time_hours / bin_size + safety)",
    },
)
ROLLED = Craft(
    "def rolled_yield(yields: list[float]) -> float",
    "if not yields or any(not 0 <= y <= 1 for y in yields):\n    raise ValueError('no')\nreturn math.prod(yields)",
    """
if not yields:
    raise ValueError("there must be a step")
rolled = 1.0
for step in yields:
    if step < 0 or step > 1:
        raise ValueError("a yield lies between 0 and 1")
    rolled *= step
return rolled
""",
    """
import pytest
from main import rolled_yield

def test_three(): assert rolled_yield([0.9, 0.8, 0.5]) == pytest.approx(0.36)
def test_one(): assert rolled_yield([0.95]) == pytest.approx(0.95)
def test_perfect(): assert rolled_yield([1, 1]) == 1
def test_lost(): assert rolled_yield([0.9, 0]) == 0

@pytest.mark.parametrize("yields", [[], [1.1], [0.9, -0.1]])
def test_refused(yields):
    with pytest.raises(ValueError):
        rolled_yield(yields)
""",
    (
        *({"yields": [round(1 - 0.03 * ((n * k) % 7), 2) for n in range(k)]} for k in range(20)),
        {"yields": [1.2]},
        {"yields": [0.5, -0.1]},
        {"yields": [0.0, 0.5]},
    ),
    {
        "the mean": "if not yields or any(not 0 <= y <= 1 for y in yields):\n    raise ValueError('no')\nreturn sum(yields) / len(yields)",
        "the worst": "if not yields or any(not 0 <= y <= 1 for y in yields):\n    raise ValueError('no')\nreturn min(yields)",
        "no step is perfect": "if any(not 0 <= y <= 1 for y in yields):\n    raise ValueError('no')\nreturn math.prod(yields)",
        "percent taken too": "if not yields or any(y < 0 for y in yields):\n    raise ValueError('no')\nreturn math.prod(y / 100 if y > 1 else y for y in yields)",
    },
)
MAPE = Craft(
    "def mape(actual: list[float], forecast: list[float]) -> float",
    "if not actual or len(actual) != len(forecast) or 0 in actual:\n    raise ValueError('no')\nreturn 100 * sum(abs((a - f) / a) for a, f in zip(actual, forecast)) / len(actual)",
    """
if len(actual) != len(forecast) or not actual:
    raise ValueError("as many forecasts as values, and at least one")
total = 0.0
for value, expected in zip(actual, forecast):
    if value == 0:
        raise ValueError("a value of zero has no relative error")
    total += abs(value - expected) / abs(value)
return total / len(actual) * 100
""",
    """
import pytest
from main import mape

def test_two(): assert mape([100, 200], [110, 180]) == pytest.approx(10)
def test_one_side(): assert mape([50], [100]) == pytest.approx(100)
def test_exact(): assert mape([3, 4], [3, 4]) == 0
def test_negative(): assert mape([-10, 10], [-5, 5]) == pytest.approx(50)

@pytest.mark.parametrize(("actual", "forecast"), [([], []), ([1], [1, 2]), ([0, 1], [1, 1])])
def test_refused(actual, forecast):
    with pytest.raises(ValueError):
        mape(actual, forecast)
""",
    grid(
        actual=([], [1.0], [100.0, 200.0], [-4.0, 8.0], [0.0, 5.0]),
        forecast=([], [2.0], [110.0, 150.0], [5.0, 5.0], [1.0, 2.0, 3.0]),
    ),
    {
        "of the forecast": "if not actual or len(actual) != len(forecast) or 0 in actual:\n    raise ValueError('no')\nreturn 100 * sum(abs((a - f) / f) for a, f in zip(actual, forecast)) / len(actual)",
        "signs cancel": "if not actual or len(actual) != len(forecast) or 0 in actual:\n    raise ValueError('no')\nreturn abs(100 * sum((a - f) / a for a, f in zip(actual, forecast)) / len(actual))",
        "a ratio": "if not actual or len(actual) != len(forecast) or 0 in actual:\n    raise ValueError('no')\nreturn sum(abs((a - f) / a) for a, f in zip(actual, forecast)) / len(actual)",
        "zeros left out": "pairs = [(a, f) for a, f in zip(actual, forecast) if a]\nif not pairs or len(actual) != len(forecast):\n    raise ValueError('no')\nreturn 100 * sum(abs((a - f) / a) for a, f in pairs) / len(pairs)",
    },
)
DURATION = Craft(
    "def duration(seconds: int) -> str",
    "if seconds < 0:\n    raise ValueError('no')\nreturn f'{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}'",
    """
if seconds < 0:
    raise ValueError("seconds must not be negative")
minutes, rest = divmod(seconds, 60)
hours, minutes = divmod(minutes, 60)
return f"{hours}:{minutes:02d}:{rest:02d}"
""",
    """
import pytest
from main import duration

def test_zero(): assert duration(0) == "0:00:00"
def test_seconds(): assert duration(59) == "0:00:59"
def test_minute(): assert duration(60) == "0:01:00"
def test_all(): assert duration(3725) == "1:02:05"
def test_days(): assert duration(90000) == "25:00:00"
def test_negative():
    with pytest.raises(ValueError):
        duration(-1)
""",
    tuple(
        {"seconds": n}
        for n in (
            -7,
            -1,
            0,
            1,
            9,
            10,
            59,
            60,
            61,
            599,
            600,
            3599,
            3600,
            3661,
            36000,
            86399,
            86400,
            90061,
            360000,
            5,
            45,
        )
    ),
    {
        "minutes not padded": "if seconds < 0:\n    raise ValueError('no')\nreturn f'{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60:02}'",
        "starts again each day": "if seconds < 0:\n    raise ValueError('no')\nreturn f'{seconds // 3600 % 24}:{seconds // 60 % 60:02}:{seconds % 60:02}'",
        "minutes not carried": "if seconds < 0:\n    raise ValueError('no')\nreturn f'{seconds // 3600}:{seconds // 60:02}:{seconds % 60:02}'",
    },
)
JUDGED = Craft(
    "def judged(value: float, target: float, tolerance: float) -> Literal['low', 'ok', 'high']",
    "if tolerance < 0:\n    raise ValueError('no')\nif value < target - tolerance:\n    return 'low'\nreturn 'high' if value > target + tolerance else 'ok'",
    """
if tolerance < 0:
    raise ValueError("tolerance must not be negative")
if target - tolerance <= value <= target + tolerance:
    return "ok"
return "low" if value < target else "high"
""",
    """
import pytest
from main import judged

def test_ok(): assert judged(10, 10, 1) == "ok"
def test_low(): assert judged(8.9, 10, 1) == "low"
def test_high(): assert judged(11.1, 10, 1) == "high"
@pytest.mark.parametrize("value", [9, 11])
def test_limits(value): assert judged(value, 10, 1) == "ok"
def test_no_tolerance(): assert [judged(v, 5, 0) for v in (4, 5, 6)] == ["low", "ok", "high"]
def test_refused():
    with pytest.raises(ValueError):
        judged(1, 1, -1)
""",
    grid(value=(7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0), target=(10.0,), tolerance=(-1.0, 0.0, 1.0, 2.0)),
    {
        "limits left out": "if tolerance < 0:\n    raise ValueError('no')\nif value <= target - tolerance:\n    return 'low'\nreturn 'high' if value >= target + tolerance else 'ok'",
        "swapped": "if tolerance < 0:\n    raise ValueError('no')\nif value < target - tolerance:\n    return 'high'\nreturn 'low' if value > target + tolerance else 'ok'",
        "a share of the target": "if tolerance < 0:\n    raise ValueError('no')\nif value < target * (1 - tolerance):\n    return 'low'\nreturn 'high' if value > target * (1 + tolerance) else 'ok'",
    },
)
MOVING = Craft(
    "def moving_average(values: list[float], window: int) -> list[float]",
    "if window < 1:\n    raise ValueError('no')\nreturn [sum(values[n:n + window]) / window for n in range(len(values) - window + 1)]",
    """
if window <= 0:
    raise ValueError("a window holds one value at least")
found = []
for end in range(window, len(values) + 1):
    found.append(sum(values[end - window : end]) / window)
return found
""",
    """
import pytest
from main import moving_average

def test_two(): assert moving_average([1, 2, 4, 8], 2) == pytest.approx([1.5, 3, 6])
def test_one(): assert moving_average([1, 2], 1) == [1, 2]
def test_all(): assert moving_average([3, 6, 9], 3) == [6]
def test_short(): assert moving_average([1], 2) == []
@pytest.mark.parametrize("window", [0, -1])
def test_refused(window):
    with pytest.raises(ValueError):
        moving_average([1.0], window)
""",
    grid(values=([], [1.0], [1.0, 2.0, 4.0, 8.0], [3.0, 1.0, 2.0, 5.0, 4.0]), window=(-1, 0, 1, 2, 3, 5)),
    {
        "parts of a window": "if window < 1:\n    raise ValueError('no')\nreturn [sum(values[max(0, n - window + 1):n + 1]) / len(values[max(0, n - window + 1):n + 1]) for n in range(len(values))]",
        "the last one left out": "if window < 1:\n    raise ValueError('no')\nreturn [sum(values[n:n + window]) / window for n in range(len(values) - window)]",
    },
)
RUNS = Craft(
    "def run_lengths(values: list[int]) -> list[tuple[int, int]]",
    "found = []\nfor value in values:\n    if found and found[-1][0] == value:\n        found[-1] = (value, found[-1][1] + 1)\n    else:\n        found.append((value, 1))\nreturn found",
    """
import itertools
return [(value, len(list(group))) for value, group in itertools.groupby(values)]
""",
    """
from main import run_lengths

def test_runs(): assert run_lengths([1, 1, 2, 1]) == [(1, 2), (2, 1), (1, 1)]
def test_none(): assert run_lengths([]) == []
def test_one(): assert run_lengths([5]) == [(5, 1)]
def test_long(): assert run_lengths([0] * 4) == [(0, 4)]
""",
    tuple({"values": [(n * n * k) % 3 // 2 for n in range(k)]} for k in range(24)),
    {
        "not only neighbours": "return [(value, values.count(value)) for value in dict.fromkeys(values)]",
        "the last run lost": "found, n = [], 0\nfor a, b in zip(values, values[1:]):\n    n += 1\n    if a != b:\n        found.append((a, n))\n        n = 0\nreturn found",
    },
)
CRAFTS = {
    craft.entry: craft
    for craft in (
        TAKT, SCRAP, SIGMA, AVAILABILITY, MEDIAN, CPK, EOQ, KANBAN, ROLLED, MAPE, DURATION, JUDGED, MOVING, RUNS,
    )
}  # fmt: skip
WRONG = {f"{name} {what}": (name, what) for name, craft in CRAFTS.items() for what in craft.wrong}
