"""What a session of the factory tells: a line for each task, and a summary at its end."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millwright.driving import Result

PHASES = ("draw", "recall", "decide", "prove", "write", "author", "examine", "admit", "settle")

WIDEST = 120
"""Characters of a task's title that a line of progress shows; a prompt may be much longer."""

LAST = 1_000
"""So many tasks of each outcome are kept for the medians; a session has no end."""


@dataclass(frozen=True)
class Done:
    """One finished task of a session; `number` counts from 1, seconds are per phase, `reuse` is the rate so far.

    `proof` says what the exam of a new tool counted.
    """

    number: int
    run: str
    outcome: str
    total: float
    reuse: float
    library: int
    title: str = ""
    decision: str = ""
    skill: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    calls: int = 0
    reasons: list[str] = field(default_factory=list)
    proof: str = ""

    @property
    def solved(self) -> bool:
        """Whether a proved tool solves the task."""
        return self.outcome != "failed"

    def to_dict(self) -> dict[str, Any]:
        """The task as a line of the log."""
        return {"kind": "task", **asdict(self), "solved": self.solved}

    def line(self) -> str:
        """The task as a line of progress."""
        spent = " ".join(f"{name} {self.seconds[name]:.1f}" for name in PHASES if self.seconds.get(name, 0) >= 0.05)
        tool = f" {self.skill}" if self.skill else ""
        title = " ".join(self.title.split())
        title = title if len(title) <= WIDEST else title[: WIDEST - 1] + "…"
        return (
            f"{self.number:>4}  {self.outcome:<9} {self.decision:<5} {title}{tool}  [{self.total:.1f} s: {spent}]  "
            f"reuse {self.reuse:.0%}, {self.library} tools"
        )


@dataclass
class Summary:
    """What a session came to; `seconds` is its length, `home` the data directory with the tools.

    `broken`: it ended because it could not go on.
    """

    total: int = 0
    successful: int = 0
    failed: int = 0
    reused: int = 0
    suspended: int = 0
    seconds: float = 0.0
    library: int = 0
    home: str = ""
    stopped: str = ""
    broken: bool = False
    _took: dict[str, deque[float]] = field(default_factory=dict, repr=False)

    @property
    def average(self) -> float:
        """Seconds for a task."""
        return self.seconds / self.total if self.total else 0.0

    @property
    def per_minute(self) -> float:
        """Tasks in a minute."""
        return 60 * self.total / self.seconds if self.seconds else 0.0

    @property
    def reuse_rate(self) -> float:
        """The share of finished tasks that a tool solved which was there already."""
        return self.reused / self.total if self.total else 0.0

    def median_of(self, outcome: str) -> float | None:
        """The median seconds of the last tasks that came to this outcome; None before the first."""
        return round(median(self._took[outcome]), 3) if outcome in self._took else None

    def finished(self, result: Result, seconds: float, library: int, proof: str) -> Done:
        """Count a finished task, which took so many seconds and leaves so many tools, and say what there is to tell."""
        details = result.details
        outcome = details.get("outcome", "failed")
        self.total += 1
        self.successful += outcome != "failed"
        self.failed += outcome == "failed"
        self.reused += outcome == "reused"
        self._took.setdefault(outcome, deque(maxlen=LAST)).append(seconds)
        self.library = library
        told: dict[str, Any] = {
            name: details[name] for name in ("title", "decision", "skill", "seconds", "calls") if name in details
        }
        return Done(
            number=self.total,
            run=result.run,
            outcome=outcome,
            total=round(seconds, 3),
            reuse=self.reuse_rate,
            library=library,
            reasons=result.reasons,
            proof=proof,
            **told,
        )

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON holds it."""
        rates = {"average": self.average, "per_minute": self.per_minute, "reuse_rate": self.reuse_rate}
        counted = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        medians = {f"{outcome}_seconds": self.median_of(outcome) for outcome in ("reused", "admitted")}
        return {
            "kind": "summary",
            **counted,
            **{name: round(rate, 3) for name, rate in rates.items()},
            **medians,
        }

    def lines(self) -> list[str]:
        """The summary as a person reads it."""
        rows = [
            ("tasks", f"{self.total} finished, {self.successful} successful, {self.failed} failed"),
            ("time", f"{self.seconds:.1f} s, {self.average:.1f} s a task, {self.per_minute:.1f} tasks a minute"),
            ("reuse", f"{self.reuse_rate:.0%} of the tasks were solved by a tool that was there{self._compared()}"),
            ("library", f"{self.library} tools in {self.home}"),
        ]
        rows += (
            [("suspended", f"{self.suspended}, resumed first by the next `millwright factory run`")]
            if self.suspended
            else []
        )
        rows += [("stopped", self.stopped)] if self.stopped else []
        return [f"{name:<10} {text}" for name, text in rows]

    def _compared(self) -> str:
        """How long such a task took, and one that left a new tool."""
        reused, made = self.median_of("reused"), self.median_of("admitted")
        return "" if reused is None or made is None else f": {reused:.1f} s each, a new tool {made:.1f} s (medians)"
