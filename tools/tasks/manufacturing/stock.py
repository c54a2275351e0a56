"""Stock: turns, reach, order quantities, safety stock, kanban and the ABC classes."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import not_negative, positive
from tools.tasks.samples import one_of, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

SILVER = (
    "E. A. Silver, D. F. Pyke, R. Peterson, Inventory Management and Production Planning and Scheduling, "
    "3rd edition, Wiley, 1998"
)


def inventory_turns(cost: float, opening: float, closing: float) -> float:
    """Cost of the goods sold over the mean of opening and closing stock."""
    if cost < 0 or opening < 0 or closing < 0 or opening + closing == 0:
        raise ValueError("nothing may be negative, and the stock not zero at both ends")
    return cost / ((opening + closing) / 2)


def days_of_inventory(stock: float, cost: float, period: int) -> float:
    """For how many days a stock lasts at the cost of the goods sold in a period (days)."""
    if stock < 0 or cost <= 0 or period <= 0:
        raise ValueError("cost and period must be positive, and stock not negative")
    return stock / cost * period


def fill_rate(ordered: int, short: int) -> float:
    """Share of the ordered pieces that came from stock."""
    if ordered <= 0 or short < 0 or short > ordered:
        raise ValueError("ordered must be positive, and short between zero and ordered")
    return (ordered - short) / ordered


def stock_accuracy(counts: list[dict[str, int]], tolerance: float) -> float:
    """Share of the items whose counted stock is near the recorded one."""
    if not counts or tolerance < 0 or any(item["recorded"] < 0 or item["counted"] < 0 for item in counts):
        raise ValueError("there must be an item, and nothing may be negative")
    right = [item for item in counts if abs(item["counted"] - item["recorded"]) <= tolerance * item["recorded"]]
    return len(right) / len(counts)


def abc_classes(usage: dict[str, float]) -> dict[str, str]:
    """ABC classes by the cumulative share of the value before each item."""
    if any(value < 0 for value in usage.values()) or (usage and sum(usage.values()) == 0):
        raise ValueError("no value may be negative, and not all may be zero")
    total = sum(usage.values())
    classes = {}
    before = 0.0
    for name in sorted(usage, key=lambda item: (-usage[item], item)):
        classes[name] = "A" if before * 100 < 80 * total else "B" if before * 100 < 95 * total else "C"
        before += usage[name]
    return classes


def _near_a_class(arguments: Mapping[str, Any]) -> bool:
    values = sorted(arguments["usage"].values(), reverse=True)
    total = sum(values)
    return any(
        abs(running - limit * total) < 1e-6 * total for running in accumulate(values) for limit in (0.8, 0.95)
    )


def _near_the_tolerance(arguments: Mapping[str, Any]) -> bool:
    return any(
        abs(abs(item["counted"] - item["recorded"]) - arguments["tolerance"] * item["recorded"]) < 1e-6
        for item in arguments["counts"]
        if item["counted"] != item["recorded"]
    )


FAMILIES = (
    Family(
        name="inventory_turns",
        title="Inventory turns",
        says="Inventory turns tell how often a stock is replaced in a period.",
        formula="inventory turns = {cost} / (({opening} + {closing}) / 2).",
        source="ISO 22400-2:2014, inventory turns = throughput / average inventory; APICS Dictionary, 16th "
        "edition (inventory turnover)",
        core=inventory_turns,
        takes=(
            Quantity(
                "cost", "cost of the goods sold in the period, in any one currency", whole(10000, 900000, 100)
            ),
            Quantity("opening", "value of the stock at the start, in the same currency", whole(1000, 90000, 10)),
            Quantity("closing", "value of the stock at the end, in the same currency", whole(1000, 90000, 10)),
        ),
        gives=Result("inventory turns", "number", better="higher", levels=(4, 12)),
        refuses=(
            *not_negative("cost", "opening", "closing"),
            Refusal("{opening} and {closing} are both zero", {"opening": 0, "closing": 0}),
        ),
        edges=({"cost": 0}, {"opening": 0}, {"cost": 12000, "opening": 1000, "closing": 3000}),
        tags=("stock", "cost"),
        noun="warehouse",
        additive=True,
    ),
    Family(
        name="days_of_inventory",
        title="Days of inventory",
        says="Days of inventory tell for how many days a stock would last at the present rate of use.",
        formula="days of inventory = {stock} / {cost} * {period}.",
        source="APICS Dictionary, 16th edition (days of supply); SCOR model, inventory days of supply",
        core=days_of_inventory,
        takes=(
            Quantity("stock", "value of the stock, in any one currency", whole(0, 90000, 10)),
            Quantity(
                "cost", "cost of the goods sold in the period, in the same currency", whole(10000, 900000, 100)
            ),
            Quantity("period", "length of the period in days", one_of(7, 28, 30, 90, 365), "int"),
        ),
        gives=Result("days of inventory", "number", unit="days", better="lower", digits=(1, 2), levels=(10, 45)),
        refuses=(*not_negative("stock"), *positive("cost", "period")),
        edges=({"stock": 0}, {"stock": 10000, "cost": 10000, "period": 30}),
        tags=("stock", "time"),
        noun="warehouse",
    ),
    Family(
        name="fill_rate",
        title="Fill rate",
        says="The fill rate is the share of the ordered pieces that could be delivered from stock.",
        formula="fill rate = ({ordered} - {short}) / {ordered}.",
        source=f"{SILVER}, chapter 7 (fraction of demand satisfied from stock)",
        core=fill_rate,
        takes=(
            Quantity("ordered", "number of pieces ordered", whole(50, 5000), "int"),
            Quantity("short", "number of them that were not in stock", whole(0, 50), "int"),
        ),
        gives=Result("fill rate", better="higher", digits=(2, 3), levels=(0.95, 0.99)),
        refuses=(
            *positive("ordered"),
            *not_negative("short"),
            Refusal("{short} is greater than {ordered}", {"ordered": 50, "short": 51}),
        ),
        edges=({"short": 0}, {"ordered": 50, "short": 50}),
        tags=("stock", "delivery"),
        noun="item",
        additive=True,
    ),
    Family(
        name="stock_accuracy",
        title="Accuracy of stock records",
        says="The accuracy of stock records is the share of the counted items whose count is near enough to the "
        "record.",
        formula="an item is right if the absolute difference of counted and recorded is at most {tolerance} * "
        "recorded; accuracy = "
        "number of right items / number of items. {counts} is a list of dicts with the keys recorded and counted.",
        source="APICS Dictionary, 16th edition (inventory accuracy)",
        core=stock_accuracy,
        takes=(
            Quantity(
                "counts",
                "the counted items, as described",
                lambda random, _: [
                    {"recorded": recorded, "counted": max(0, recorded + random.choice([0, 0, 0, 1, -1, 2, -5, 9]))}
                    for recorded in (random.randint(0, 120) for _ in range(random.randint(1, 9)))
                ],
                "list[dict[str, int]]",
            ),
            Quantity("tolerance", "tolerated difference as a share of the record", one_of(0, 0.013, 0.027, 0.051)),
        ),
        gives=Result("accuracy", better="higher", digits=(2, 3)),
        refuses=(
            Refusal("{counts} is empty", {"counts": []}),
            Refusal("any recorded or counted number is negative", {"counts": [{"recorded": 5, "counted": -1}]}),
            Refusal("any recorded or counted number is negative", {"counts": [{"recorded": -5, "counted": 5}]}),
            *not_negative("tolerance"),
        ),
        edges=({"counts": [{"recorded": 0, "counted": 0}]}, {"counts": [{"recorded": 0, "counted": 1}]}),
        fragile=_near_the_tolerance,
        tags=("stock", "list"),
    ),
    Family(
        name="abc_classes",
        title="ABC classes of items (Pareto)",
        says="ABC analysis sorts items by the value of their use: the few that make up most of the value are "
        "class A.",
        formula="sort the items by value, the largest first, and items with the same value by name. Going "
        "through them, an item is "
        '"A" if the items before it make up less than 80 % of the total value, "B" if less than 95 %, else "C" '
        "(so the first item "
        "is always A). Return a dict from name to class; an empty {usage} gives an empty dict.",
        source=f"{SILVER}, chapter 3 (A-B-C classification); J. M. Juran (Pareto principle)",
        core=abc_classes,
        takes=(
            Quantity(
                "usage",
                "a dict from the name of each item to the value of its use in a year",
                lambda random, _: {
                    f"item {number}": random.choice([random.randint(0, 90), random.randint(100, 9000)])
                    for number in range(1, random.randint(3, 13))
                },
                "dict[str, float]",
            ),
        ),
        gives=Result("ABC classes", "other", "dict[str, str]"),
        refuses=(
            Refusal("any value is negative", {"usage": {"item 1": 10, "item 2": -1}}),
            Refusal("{usage} is not empty and all values are zero", {"usage": {"item 1": 0}}),
        ),
        edges=({"usage": {}}, {"usage": {"item 1": 5}}, {"usage": {"item 2": 50, "item 1": 50}}),
        fragile=_near_a_class,
        tags=("stock", "pareto", "dict"),
    ),
)
