"""What is made of a measure: its value, a comparison with a target, or something over many records.

The functions below are parts of references: each stands in a reference module as its source is here, so it may use
nothing but its arguments. `measure` gives the value of one record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
Measure = Callable[[Record], Any]


def meets(value: float, target: float, lower_is_better: bool) -> bool:
    """Whether a value reaches its target."""
    return value <= target if lower_is_better else value >= target


def gap(value: float, target: float) -> float:
    """How far a value is above its target; below it, negative."""
    return value - target


def level(value: float, medium: float, high: float) -> str:
    """The class of a value."""
    if value < medium:
        return "low"
    return "medium" if value < high else "high"


def of_each(measure: Measure, records: list[Record]) -> list[Any]:
    """The value of each record, in order."""
    return [measure(record) for record in records]


def mean_of(measure: Measure, records: list[Record]) -> float:
    """The arithmetic mean of the records' values."""
    if not records:
        raise ValueError("there are no records")
    total: float = sum(measure(record) for record in records)
    return total / len(records)


def extreme_of(measure: Measure, records: list[Record], largest: bool) -> Any:
    """The largest or the smallest value."""
    if not records:
        raise ValueError("there are no records")
    values = [measure(record) for record in records]
    return max(values) if largest else min(values)


def spread_of(measure: Measure, records: list[Record]) -> Any:
    """The largest value minus the smallest."""
    if not records:
        raise ValueError("there are no records")
    values = [measure(record) for record in records]
    return max(values) - min(values)


def name_of_extreme(measure: Measure, records: list[Record], largest: bool) -> str:
    """The name of the record with the largest or the smallest value; of equal ones, the first."""
    if not records:
        raise ValueError("there are no records")
    found, best = "", None
    for record in records:
        value = measure(record)
        if best is None or (value > best if largest else value < best):
            found, best = record["name"], value
    return found


def names_missing(measure: Measure, records: list[Record], target: float, lower_is_better: bool) -> list[str]:
    """The names of the records that miss the target, in order."""
    found = []
    for record in records:
        value = measure(record)
        if value > target if lower_is_better else value < target:
            found.append(record["name"])
    return found


def count_meeting(measure: Measure, records: list[Record], target: float, lower_is_better: bool) -> int:
    """How many records reach the target."""
    values = [measure(record) for record in records]
    return sum(1 for value in values if (value <= target if lower_is_better else value >= target))


def ranking(measure: Measure, records: list[Record], largest_first: bool) -> list[str]:
    """The names of the records by value; equal ones stay in order."""
    ranked = sorted(records, key=measure, reverse=largest_first)
    return [record["name"] for record in ranked]


def pooled(measure: Measure, records: list[Record]) -> Any:
    """The value of one record whose figures are the sums over all records."""
    if not records:
        raise ValueError("there are no records")
    for record in records:
        measure(record)
    return measure({key: sum(record[key] for record in records) for key in records[0]})


def mean_by_shift(measure: Measure, records: list[Record]) -> dict[str, float]:
    """The mean value of each shift."""
    groups: dict[str, list[float]] = {}
    for record in records:
        groups.setdefault(record["shift"], []).append(measure(record))
    return {shift: sum(values) / len(values) for shift, values in groups.items()}


def pooled_by_shift(measure: Measure, records: list[Record]) -> dict[str, Any]:
    """The value of each shift, from the sums of its records' figures."""
    sums: dict[str, Record] = {}
    for record in records:
        measure(record)
        figures = sums.setdefault(record["shift"], {})
        for key, value in record.items():
            if key != "shift":
                figures[key] = figures.get(key, 0) + value
    return {shift: measure(figures) for shift, figures in sums.items()}


def rounded(value: Any, digits: int) -> Any:
    """The number, or every number of a list or dictionary, rounded."""
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    return round(value, digits)
