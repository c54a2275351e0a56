"""What a wave of developers left on disk, measured against what was promised, claimed and there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.contracts import Assignment, BlockerKind, Callback
from tools.errors import NotText, PathRefused
from tools.verification.omissions import lost_definitions
from tools.verification.parsing import definitions, may_be_empty, syntax_problem
from tools.verification.testing import is_test
from tools.workspace.names import checked
from tools.workspace.view import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.contracts import Check
    from graphs.build.board import Board
    from tools.runs.run import Run


@dataclass(frozen=True)
class Problem:
    """Something measured that is not as promised; `retry` tells whether the same developer may cure it."""

    kind: BlockerKind
    assignment: str
    message: str
    path: str = ""
    retry: bool = True
    sender: str = "check"


def inspect_wave(
    run: Run, board: Board, landed: Sequence[tuple[Assignment, int]], *, before: str | None, after: str
) -> list[Problem]:
    """Every problem of the assignments that landed, and of files that nobody should have touched."""
    found: list[Problem] = []
    for assignment, attempt in landed:
        found += _assignment_problems(run, board, assignment, attempt, before, after)
    mine = {path for assignment, _ in landed for path in assignment.paths}
    found += _foreign_changes(run, board, mine, before, after)
    return found


def file_problem(run: Run, tree: str, path: str) -> tuple[BlockerKind, str] | None:
    """Why a promised file is not there, empty or unreadable in a tree; None when it is fine."""
    if path not in run.store.list(tree):
        return BlockerKind.MISSING_FILE, f"{path} was promised and is not on disk"
    content = run.store.read(tree, path)
    if not content.strip() and not may_be_empty(path):
        return BlockerKind.EMPTY_FILE, f"{path} is empty"
    try:
        problem = syntax_problem(path, decoded(path, content))
    except NotText as error:
        return BlockerKind.SYNTAX_ERROR, str(error)
    return (BlockerKind.SYNTAX_ERROR, problem) if problem else None


def check_problem(run: Run, tree: str, check: Check) -> str | None:
    """Why an acceptance check that reads a file does not hold; None when it does, or is a command."""
    if check.kind == "command":
        return None
    path = checked(check.path)
    if path not in run.store.list(tree):
        return f"{path} is not on disk, so it cannot hold {check.value!r}"
    text = run.store.read(tree, path).decode(errors="replace")
    if check.kind == "defines" and check.value not in definitions(text):
        return f"{path} does not define {check.value!r}"
    if check.kind == "contains" and check.value not in text:
        return f"{path} does not contain {check.value!r}"
    return None


def _assignment_problems(
    run: Run, board: Board, assignment: Assignment, attempt: int, before: str | None, after: str
) -> Iterator[Problem]:
    outcome = board.last_outcome(assignment.id)
    if outcome is not None and outcome.kind is not None:
        yield Problem(outcome.kind, assignment.id, f"{assignment.id} was not finished: {outcome.failure}")
    for path in assignment.paths:
        problem = file_problem(run, after, path)
        if problem is not None:
            yield Problem(problem[0], assignment.id, problem[1], path)
        else:
            if definitions_stay(run, assignment, attempt, path):
                yield from _lost_definitions(run, spoken_of(board, assignment), assignment, path, before, after)
            yield from _unledgered(run, assignment, path)
    for check in assignment.checks:
        wrong = _checked(run, after, check)
        if wrong:
            yield Problem(BlockerKind.CONTRACT_VIOLATION, assignment.id, wrong, check.path)
    if outcome is not None:
        yield from _false_claims(run, assignment, outcome.claims)
    yield from _raised(board, assignment, attempt)


def _checked(run: Run, tree: str, check: Check) -> str | None:
    try:
        return check_problem(run, tree, check)
    except PathRefused as error:
        return str(error)


def definitions_stay(run: Run, assignment: Assignment, attempt: int, path: str) -> bool:
    """Whether what a file defines has to stay.

    Not what an earlier attempt at the same work wrote, which was refused, nor tests that a remediation is to mend.
    """
    if assignment.retry_for is not None and is_test(path):
        return False
    mine = (r for r in run.operations(assignment.id) if r["actor"]["attempt"] < attempt)
    return all((r["target"] or r["path"]) != path for r in mine)


def spoken_of(board: Board, assignment: Assignment) -> str:
    """Everything that an assignment says, with the blockers it answers: a definition named there may go."""
    blamed = [board.blockers[b].message for b in assignment.blockers if b in board.blockers]
    return "\n".join([assignment.title, assignment.task, *blamed])


def _lost_definitions(
    run: Run, said: str, assignment: Assignment, path: str, before: str | None, after: str
) -> Iterator[Problem]:
    """A definition that was there and is gone, unless the task speaks of it."""
    if before is None or not path.endswith(".py") or path not in run.store.list(before):
        return
    old = run.store.read(before, path).decode(errors="replace")
    new = run.store.read(after, path).decode(errors="replace")
    lost = lost_definitions(path, old, new, said)
    if lost:
        names = ", ".join(lost)
        yield Problem(BlockerKind.LOST_DEFINITION, assignment.id, f"{path} no longer defines {names}", path)


def _unledgered(run: Run, assignment: Assignment, path: str) -> Iterator[Problem]:
    info = run.files.info(path)
    expected = run.ledger.files().get(path)
    if info is not None and expected is not None and info.sha256 != expected:
        message = f"{path} is not what the ledger saw {assignment.id} write: something else changed it"
        yield Problem(BlockerKind.CONTRACT_VIOLATION, assignment.id, message, path)


def _false_claims(run: Run, assignment: Assignment, claims: Sequence[str]) -> Iterator[Problem]:
    written = {r["target"] or r["path"] for r in run.operations(assignment.id)}
    for claim in claims:
        try:
            path = checked(claim)
        except PathRefused:
            path = claim
        if path not in written:
            message = f"{assignment.id} claims to have written {claim}; the ledger has no such write"
            yield Problem(BlockerKind.FALSE_CLAIM, assignment.id, message, path, retry=False)


def _raised(board: Board, assignment: Assignment, attempt: int) -> Iterator[Problem]:
    key = f"{assignment.id}#{attempt}"
    for row in board.run.register.read().get("callback", {}).get(key, []):
        callback = Callback.model_validate(row)
        if callback.level == "blocker":
            message = f"{callback.sender} of {assignment.id} raised about {callback.subject}: {callback.message}"
            yield Problem(
                BlockerKind.RAISED, assignment.id, message, callback.subject, retry=False, sender=callback.sender
            )


def _foreign_changes(run: Run, board: Board, mine: set[str], before: str | None, after: str) -> Iterator[Problem]:
    """Files outside this wave that were lost or changed while it worked."""
    if before is None:
        return
    owners = board.owners()
    for change in run.store.diff(before, after):
        if change.path in mine:
            continue
        owner = owners.get(change.path, "")
        if change.after is None:
            message = f"{change.path} was there before this wave and is gone, and no developer deleted it"
            yield Problem(BlockerKind.LOST_FILE, owner, message, change.path, retry=False)
        elif owner or change.before is not None:
            message = f"{change.path} was changed by something other than its owner"
            yield Problem(BlockerKind.CONTRACT_VIOLATION, owner, message, change.path, retry=False)
