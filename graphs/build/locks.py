"""Accepted tests are locked: who changes one afterwards, and what for, is said, and may need a person's approval."""

from __future__ import annotations

import asyncio
import difflib
from typing import TYPE_CHECKING, Any, Literal

from langgraph.types import interrupt
from pydantic import Field

from agents.contracts import Callback, Contract, Evidence, Role
from graphs.build.board import Board
from graphs.build.planning import decided
from tools.events import Kind
from tools.verification.testing import is_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.contracts import Assignment
    from graphs.build.schemas import BuildContext, BuildState
    from graphs.session import Session
    from tools.runs.run import Run

_SHOWN = 12  # hexadecimal digits of a hash that a person is shown


class TestChange(Contract):
    """A change to a test file after its acceptance: by which assignment, for which blockers, and its SHA-256."""

    __test__ = False

    path: str
    by: str
    blockers: list[str]
    before: str
    after: str | None


class Lock(Contract):
    """A test file as it was accepted first and last, with the changes between."""

    path: str
    since: str
    accepted: str | None
    changes: list[TestChange] = Field(default_factory=list)


async def approve_tests(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Show a person which accepted tests are about to be changed, and wait; what is refused is not carried out."""
    board = await asyncio.to_thread(Board.of, session.run)
    ready = [board.assignments[entry.rpartition("#")[0]] for entry in state["ready"]]
    asked = [assignment for assignment in ready if _touches(board, assignment)]
    decision = interrupt(
        {
            "question": "Let these accepted tests be changed?",
            "answer_with": {"approve": True, "feedback": "why not, when not approved"},
            "locks": [lock.model_dump(mode="json") for a in asked for lock in _touches(board, a)],
            "blockers": [board.blockers[b].model_dump(mode="json") for a in asked for b in a.blockers],
            "assignments": [a.model_dump(mode="json") for a in asked],
        }
    )
    approved, feedback = decided(decision)
    if approved:
        return {"locked_tests": []}
    _refuse(board, asked, feedback, state["round"])
    await asyncio.to_thread(board.save, session.place, "approve_tests")
    refused = {assignment.id for assignment in asked}
    return {"locked_tests": [], "ready": [e for e in state["ready"] if e.rpartition("#")[0] not in refused]}


def after_remediate(
    state: BuildState, wants_approval: bool
) -> Literal["assigned", "tests to approve", "nothing to do"]:
    """Route on whether the manager made assignments, and whether a person wants to see those that change tests."""
    if not state.get("ready"):
        return "nothing to do"
    return "tests to approve" if wants_approval and state.get("locked_tests") else "assigned"


def locked_tests(board: Board, assignments: Iterable[Assignment]) -> list[str]:
    """The locked test files that these assignments may change."""
    return sorted({lock.path for assignment in assignments for lock in _touches(board, assignment)})


def lock_tests(run: Run, board: Board, assignment: Assignment) -> None:
    """Lock what a tester's accepted assignment left; a change to what was locked before becomes a warning."""
    if assignment.role is not Role.TESTER:
        return
    for path in filter(is_test, assignment.paths):
        lock, sha = lock_of(board, path), run.ledger.files().get(path)
        if lock is None:
            if sha is not None:
                board.fact(_key(path), Lock(path=path, since=sha, accepted=sha).model_dump(mode="json"))
        elif lock.accepted != sha:
            before = lock.accepted or lock.since
            change = TestChange(path=path, by=assignment.id, blockers=assignment.blockers, before=before, after=sha)
            again = lock.model_copy(update={"accepted": sha, "changes": [*lock.changes, change]})
            board.fact(_key(path), again.model_dump(mode="json"))
            _warn(run, board, change)


def lock_of(board: Board, path: str) -> Lock | None:
    """The lock of a test file, once it was accepted."""
    kept = board.facts.get(_key(path))
    return None if kept is None else Lock.model_validate(kept)


def lock_fact(board: Board, path: str, sha: str | None, writer: str) -> Evidence | None:
    """What the lock says of a file whose hash is `sha` and that `writer` wrote last; None for one without a lock."""
    lock = lock_of(board, path)
    if lock is None:
        return None
    changes = "".join(f", changed by {c.by} for {', '.join(c.blockers) or 'no blocker'}" for c in lock.changes)
    what = f"locked since {lock.since[:_SHOWN]}{changes}"
    if sha == lock.accepted:
        return Evidence(what=what, passed=True)
    if writer == "user":
        return Evidence(what=f"{what}, changed by the user", passed=True)
    detail = f"{path} was changed and the change was not accepted: {_arrow(lock.accepted, sha)}"
    return Evidence(what=what, passed=False, detail=detail)


def changed_tests(board: Board) -> list[TestChange]:
    """Every change to a test after its acceptance, by path."""
    locks = [Lock.model_validate(kept) for key, kept in sorted(board.facts.items()) if key.startswith(_key(""))]
    return [change for lock in locks for change in lock.changes]


def _touches(board: Board, assignment: Assignment) -> list[Lock]:
    locks = [lock_of(board, path) for path in assignment.paths]
    return [lock for lock in locks if lock is not None]


def _refuse(board: Board, assignments: Iterable[Assignment], feedback: str, round_: int) -> None:
    """Tell the manager, by the blockers, that their tests stay; they are unanswered again."""
    for assignment in assignments:
        for blocker in (board.blockers[b] for b in assignment.blockers):
            said = f": {feedback}" if feedback else ""
            message = f"{blocker.message}\nA person refused to have {', '.join(assignment.paths)} changed{said}"
            board.block(
                blocker.kind, blocker.assignment, message, path=blocker.path, sender=blocker.sender, round_=round_
            )


def _warn(run: Run, board: Board, change: TestChange) -> None:
    cause = ", ".join(change.blockers) or "no blocker"
    message = f"{change.path} was changed after its acceptance by {change.by} for {cause}: "
    message += f"{_arrow(change.before, change.after)}\n{_diff(run, change)}"
    warning = Callback(
        level="warning", sender="check", assignment=change.by, subject=change.path, message=message.rstrip()
    )
    board.raised(f"lock/{change.path}#{change.after}", [warning])
    run.events.emit(Kind.CALLBACK, **warning.model_dump(mode="json"))


def _diff(run: Run, change: TestChange) -> str:
    before = run.version(change.path, change.before) or b""
    after = run.files.read(change.path) if change.after is not None else b""
    old, new = (content.decode(errors="replace").splitlines(keepends=True) for content in (before, after))
    return "".join(difflib.unified_diff(old, new, f"a/{change.path}", f"b/{change.path}"))


def _arrow(before: str | None, after: str | None) -> str:
    old, new = (sha[:_SHOWN] if sha else "no file" for sha in (before, after))
    return f"{old} → {new}"


def _key(path: str) -> str:
    return f"lock/{path}"
