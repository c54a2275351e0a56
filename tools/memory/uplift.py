"""Whether the memory helps: what was solved with it and without it, and how long a task takes that a tool solves.

Each request counts once, by the first time that it was asked: the same request again is no new evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tools.memory.evidence import Count, newcombe, trials_needed, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.memory.database import Database, Row

LIFT = 0.1
"""The difference of two rates that `needed` speaks of."""


@dataclass(frozen=True)
class Side:
    """The requests of one arm: how many were solved, and the medians of what those took."""

    count: Count
    seconds: float | None
    calls: float | None

    def to_dict(self) -> dict[str, Any]:
        """The side as JSON holds it, with Wilson's interval of its rate."""
        low, high = wilson(self.count)
        return {
            "solved": self.count.won,
            "tasks": self.count.trials,
            "interval": [round(low, 4), round(high, 4)],
            "median_seconds": self.seconds,
            "median_calls": self.calls,
        }


@dataclass(frozen=True)
class Uplift:
    """One comparison. Its difference is of rates, with minus without, in Newcombe's interval."""

    given: Side
    without: Side

    @property
    def difference(self) -> tuple[float, float]:
        """Between which bounds the difference of the rates lies."""
        return newcombe(self.given.count, self.without.count)

    @property
    def needed(self) -> int:
        """So many requests a side show a lift of `LIFT` over the rate without."""
        count = self.without.count
        base = count.won / count.trials if count.trials else 0.5
        return trials_needed(min(base, 1 - LIFT), min(base, 1 - LIFT) + LIFT)

    @property
    def verdict(self) -> str:
        """What the interval allows to be said."""
        low, high = self.difference
        if low > 0:
            return "the memory helps"
        if high < 0:
            return "the memory harms"
        return "not enough data"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON holds it."""
        return {
            "with": self.given.to_dict(),
            "without": self.without.to_dict(),
            "difference": [round(bound, 4) for bound in self.difference],
            "needed": self.needed,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Reuse:
    """How many tasks of the factory a tool solved that was there, and the median seconds of those and of new ones."""

    tasks: int
    reused: int
    reused_seconds: float | None
    made_seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return {**vars(self), "share": self.reused / self.tasks if self.tasks else None}


def uplift_of(database: Database, graph: str, family: str | None = None) -> Uplift:
    """The comparison for the runs of one graph, or for one family of its tasks."""
    rows = database.read(_FIRST_TIMES, {"graph": graph, "family": family})
    return Uplift(*(_side([row for row in rows if row["arm"] == arm]) for arm in ("with", "without")))


def families(database: Database) -> dict[str, Uplift]:
    """The comparison for each family of the factory that was ever held out."""
    sql = "SELECT DISTINCT family FROM efforts WHERE arm = 'without' AND graph = 'factory' AND family != '' ORDER BY 1"
    return {row["family"]: uplift_of(database, "factory", row["family"]) for row in database.read(sql)}


def reuse_of(database: Database) -> Reuse:
    """What tools that were there did for the factory."""
    rows = database.read("SELECT way, seconds FROM efforts WHERE graph = 'factory'")
    by_way = {way: [row["seconds"] for row in rows if row["way"] == way] for way in ("reused", "made")}
    return Reuse(len(rows), len(by_way["reused"]), _median(by_way["reused"]), _median(by_way["made"]))


def _side(rows: list[Row]) -> Side:
    solved = [row for row in rows if row["solved"]]
    seconds, calls = (_median(row[name] for row in solved) for name in ("seconds", "calls"))
    return Side(Count(len(solved), len(rows)), seconds, calls)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 3) if known else None


_FIRST_TIMES = """
    SELECT arm, solved, seconds, calls FROM efforts
    WHERE graph = :graph AND (:family IS NULL OR family = :family) AND rowid IN (
        SELECT min(rowid) FROM efforts WHERE arm != '' AND solved IS NOT NULL GROUP BY graph, request)
"""
