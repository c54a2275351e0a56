"""What is known of one task, typed: the task, what the library found, attempts, examinations, and why things failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agents.contracts import Outcome
from agents.librarian import Found
from tools.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.runs.lineage import Position
    from tools.runs.run import Run
    from tools.storage import Record

MOST_SHOWN = 3
"""Tools whose code a developer is shown: two or three help, more do not."""


@dataclass
class Dossier:
    """The register of one task, read once, and the changes of one step, written once."""

    run: Run
    facts: dict[str, Any]
    found: list[Found]
    outcomes: dict[str, Outcome]
    exams: list[Record]
    _changes: list[tuple[str, str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> Dossier:
        """Read what a run's present history knows of its task. Blocks: call it in a thread from async code."""
        tables = run.register.read()
        return cls(
            run,
            dict(tables.get("fact", {})),
            [Found.model_validate(row) for row in tables.get("found", {}).values()],
            {key: Outcome.model_validate(row) for key, row in tables.get("outcome", {}).items()},
            list(tables.get("exam", {}).values()),
        )

    @property
    def task(self) -> Task:
        """The task."""
        return Task.model_validate(self.facts["task"])

    @property
    def shown(self) -> list[Found]:
        """The tools whose code the developer is shown: the one to adapt, then what else was found."""
        choice = self.facts.get("choice", {})
        if choice.get("decision") != "adapt":
            return []
        return sorted(self.found, key=lambda tool: tool.id != choice["tool"])[:MOST_SHOWN]

    def clear(self) -> None:
        """Begin anew, for another task in the same run."""
        for table, rows in self.run.register.read().items():
            self._changes += [(table, key, None) for key in rows]
        self.facts = {}

    def fact(self, key: str, value: Any) -> None:
        """Record one value."""
        self.facts[key] = value
        self._changes.append(("fact", key, value))

    def recalled(self, found: Iterable[Found]) -> None:
        """Record what the library found, best first."""
        self.found = list(found)
        self._changes += [("found", tool.id, tool.model_dump(mode="json")) for tool in self.found]

    def author(self, assignment: str, number: int) -> str:
        """Who made an attempt, if it was not the model."""
        return str(self.facts.get(f"author/{assignment}#{number}", ""))

    def outcome(self, outcome: Outcome) -> None:
        """Record what an attempt came to."""
        key = f"{outcome.assignment}#{outcome.attempt}"
        self.outcomes[key] = outcome
        self._changes.append(("outcome", key, outcome.model_dump(mode="json")))

    def exam(self, exam: Record) -> None:
        """Record an examination."""
        self.exams.append(exam)
        self._changes.append(("exam", str(len(self.exams)), exam))

    def failed(self, assignment: str, why: str) -> None:
        """Record what the next attempt of an author has to be told."""
        self.fact(f"failure/{assignment}", why)

    def tool(self, skill: str) -> Found | None:
        """One of the tools that were found."""
        return next((tool for tool in self.found if tool.id == skill), None)

    def save(self, place: Position, step: str) -> None:
        """Write every change of this step, once. Blocks."""
        self.run.register.write(place, step, self._changes)
        self._changes = []
