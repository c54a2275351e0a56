"""What a build knows of its work, typed: the plan, outcomes, callbacks, blockers, locks and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from agents.contracts import Assignment, Blocker, BlockerKind, Callback, Contract, Finding, Outcome, Verdict
from tools.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.runs.lineage import Position
    from tools.runs.run import Run

Value = TypeVar("Value", bound=Contract)


@dataclass
class Board:
    """The register of one build, read once, and the changes of one task, written once."""

    run: Run
    assignments: dict[str, Assignment]
    outcomes: dict[str, list[Outcome]]
    callbacks: list[Callback]
    blockers: dict[str, Blocker]
    findings: dict[str, list[Finding]]
    verdict: Verdict | None
    facts: dict[str, Any]
    _changes: list[tuple[str, str, Any]] = field(default_factory=list)
    _events: list[tuple[Kind, dict[str, Any]]] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> Board:
        """Read the board of a run as its present history knows it."""
        tables, typed = run.register.read(), _Typed.of(run)
        outcomes: dict[str, list[Outcome]] = {}
        for row in tables.get("outcome", {}).values():
            outcome = typed.value(Outcome, row)
            outcomes.setdefault(outcome.assignment, []).append(outcome)
        verdict = tables.get("fact", {}).get("verdict")
        return cls(
            run,
            {key: typed.value(Assignment, row) for key, row in tables.get("assignment", {}).items()},
            outcomes,
            [typed.value(Callback, row) for rows in tables.get("callback", {}).values() for row in rows],
            {key: typed.value(Blocker, row) for key, row in tables.get("blocker", {}).items()},
            {k: [typed.value(Finding, f) for f in rows] for k, rows in tables.get("finding", {}).items()},
            None if verdict is None else Verdict.model_validate(verdict),
            dict(tables.get("fact", {})),
        )

    def clear(self) -> None:
        """Begin anew, for a new goal in the same workspace; what the workspace began with stays known."""
        for table, rows in self.run.register.read().items():
            self._changes += [(table, key, None) for key in rows if (table, key) != ("fact", "base")]

    def plan(self, assignments: Iterable[Assignment]) -> None:
        """Put a plan on the board, in place of one that was there."""
        self._changes += [("assignment", key, None) for key in self.assignments]
        self.assignments = {}
        self.assign(assignments)

    def assign(self, assignments: Iterable[Assignment]) -> None:
        """Add assignments to the plan."""
        for assignment in assignments:
            self.assignments[assignment.id] = assignment
            self._changes.append(("assignment", assignment.id, assignment.model_dump(mode="json")))

    def outcome(self, outcome: Outcome, callbacks: list[Callback]) -> None:
        """Record what an attempt came to, with everything the agent raised."""
        self.outcomes.setdefault(outcome.assignment, []).append(outcome)
        key = f"{outcome.assignment}#{outcome.attempt}"
        self._changes.append(("outcome", key, outcome.model_dump(mode="json")))
        self.raised(key, callbacks)

    def raised(self, key: str, callbacks: list[Callback]) -> None:
        """Record callbacks under a key of their own."""
        self.callbacks += callbacks
        if callbacks:
            self._changes.append(("callback", key, [c.model_dump(mode="json") for c in callbacks]))

    def reviewed(self, assignment: str, findings: list[Finding]) -> None:
        """Record the findings about an assignment; an empty list says that it was read."""
        self.findings[assignment] = findings
        self._changes.append(("finding", assignment, [f.model_dump(mode="json") for f in findings]))

    def block(
        self, kind: BlockerKind, assignment: str, message: str, *, path: str = "", sender: str, round_: int
    ) -> Blocker:
        """Open a blocker, unless the same one is open already."""
        for known in self.open_blockers():
            if (known.kind, known.assignment, known.path) == (kind, assignment, path):
                self._put(known.model_copy(update={"message": message, "round": round_}))
                return self.blockers[known.id]
        blocker = Blocker(
            id=f"B{len(self.blockers) + 1}",
            kind=kind,
            assignment=assignment,
            path=path,
            message=message,
            sender=sender,
            round=round_,
        )
        self._put(blocker)
        self._events.append((Kind.BLOCKER, blocker.model_dump(mode="json")))
        return blocker

    def close(self, blocker: Blocker, *, by: str, evidence: str) -> None:
        """Mark a blocker as resolved, with what shows it."""
        self._put(blocker.model_copy(update={"status": "resolved", "resolved_by": by, "evidence": evidence}))
        self._events.append((Kind.BLOCKER_CLOSED, {"id": blocker.id, "by": by, "evidence": evidence}))

    def to_debt(self) -> None:
        """Turn every blocker that is still open into debt, which says why it was given up, if it was."""
        reasons = self._given_up()
        for blocker in self.open_blockers():
            said = "; ".join(filter(None, [blocker.message, reasons.get(blocker.assignment, "")]))
            self._put(blocker.model_copy(update={"status": "debt", "message": said}))

    def give_up(self, assignment: str, why: str) -> None:
        """Make no further assignment for what is wrong with this one, when there is a reason."""
        for blocker in self.open_blockers():
            if why and blocker.assignment == assignment and not blocker.given_up:
                self._put(blocker.model_copy(update={"given_up": why}))

    def fact(self, key: str, value: Any) -> None:
        """Record one value."""
        self.facts[key] = value
        self._changes.append(("fact", key, value))

    def open_blockers(self) -> list[Blocker]:
        """The blockers that are neither resolved nor debt."""
        return [b for b in self.blockers.values() if b.status == "open"]

    def hopeful(self) -> list[Blocker]:
        """The open blockers whose assignment was not given up."""
        reasons = self._given_up()
        return [b for b in self.open_blockers() if b.assignment not in reasons]

    def unanswered(self) -> list[Blocker]:
        """The hopeful blockers that no assignment made since they were last seen is meant to cure."""
        answers = [(b, a.round) for a in self.assignments.values() for b in a.blockers]
        return [o for o in self.hopeful() if not any(b == o.id and made > o.round for b, made in answers)]

    def still_open(self, blocker: Blocker, round_: int) -> None:
        """Note that a blocker was looked at in this round and still stands."""
        self._put(blocker.model_copy(update={"round": round_}))

    def last_outcome(self, assignment: str) -> Outcome | None:
        """The outcome of the latest attempt."""
        return max(self.outcomes.get(assignment, []), key=lambda o: o.attempt, default=None)

    def planned(self) -> list[Assignment]:
        """The assignments of the plan, without those that remediate."""
        return [a for a in self.assignments.values() if a.retry_for is None]

    def owners(self) -> dict[str, str]:
        """The planned assignment that owns each path."""
        return {path: a.id for a in self.planned() for path in a.paths}

    def save(self, place: Position, task: str) -> None:
        """Write every change of this task, once, and tell of it. Blocks: call it in a thread from async code."""
        self.run.register.write(place, task, self._changes)
        for kind, data in self._events:
            self.run.events.emit(kind, **data)
        self._changes, self._events = [], []

    def _given_up(self) -> dict[str, str]:
        return {b.assignment: b.given_up for b in self.blockers.values() if b.given_up}

    def _put(self, blocker: Blocker) -> None:
        self.blockers[blocker.id] = blocker
        self._changes.append(("blocker", blocker.id, blocker.model_dump(mode="json")))


class _Typed:
    """The register's rows as frozen values, each validated once: a board is read for every assignment."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Contract]] = {}

    @classmethod
    def of(cls, run: Run) -> _Typed:
        """The one of this run and process."""
        found: _Typed = run.resources.setdefault("typed rows", cls())
        return found

    def value(self, kind: type[Value], row: Any) -> Value:
        """A row as a value; the row is kept with it, so that its identity stays its own."""
        known = self._known.get(id(row))
        if known is None:
            known = self._known[id(row)] = (row, kind.model_validate(row))
        found = known[1]
        assert isinstance(found, kind)
        return found
