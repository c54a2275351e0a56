"""The nodes of the work itself: develop one assignment, and check what a wave of them left on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from agents.contracts import RETRIES, Assignment, BlockerKind
from agents.models.profiles import profiles
from graphs.build.attempt import Attempt
from graphs.build.board import Board
from graphs.build.inspection import Problem, inspect_wave
from graphs.build.locks import lock_tests
from graphs.session import CASSETTE
from graphs.turns import carry_out
from tools.events import Kind

if TYPE_CHECKING:
    from graphs.build.schemas import BuildContext, BuildState, DevelopInput
    from graphs.session import Session

CURED_BY_CHECK = {
    BlockerKind.MISSING_FILE,
    BlockerKind.EMPTY_FILE,
    BlockerKind.LOST_FILE,
    BlockerKind.LOST_DEFINITION,
    BlockerKind.SYNTAX_ERROR,
    BlockerKind.CONTRACT_VIOLATION,
    BlockerKind.FALSE_CLAIM,
    BlockerKind.STUCK,
    BlockerKind.AGENT_FAILED,
    BlockerKind.CONTEXT_LOST,
    BlockerKind.RAISED,
}


async def develop(state: DevelopInput, session: Session[BuildContext]) -> dict[str, Any]:
    """Let one developer carry out one assignment with the validated file tools."""
    board = await asyncio.to_thread(Board.of, session.run)
    attempt = Attempt(session, board, board.assignments[state["assignment"]], state["attempt"])
    assignment, number = attempt.assignment, attempt.number
    approach = await attempt.approach()
    await session.run.events.aemit(
        Kind.ASSIGNMENT_STARTED,
        assignment=assignment.id,
        role=assignment.role,
        title=assignment.title,
        attempt=number,
        rung=approach.rung,
        changed=approach.changed[-1] if approach.changed else "",
    )
    turns = await carry_out(*await attempt.work(state["goal"], approach))
    outcome, callbacks = await asyncio.to_thread(attempt.outcome, turns, approach)
    board.outcome(outcome, callbacks)
    board.fact(f"approach/{assignment.id}#{number}", approach.model_dump(mode="json"))
    await asyncio.to_thread(board.save, session.place, attempt.scope)
    fields = outcome.model_dump(mode="json")
    await session.run.events.aemit(Kind.ASSIGNMENT_FINISHED, role=assignment.role, **fields)
    return {"landed": [{"assignment": assignment.id, "attempt": number, "status": outcome.status}]}


async def check(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Measure what the wave left on disk; decide who tries again and who is next."""
    update = await asyncio.to_thread(_check, state, session)
    return {**update, "landed": None}


def after_check(state: BuildState) -> Literal["more work", "all landed"]:
    """Route on whether assignments are ready."""
    return "more work" if state.get("ready") else "all landed"


def _check(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    run = session.run
    board = Board.of(run)
    landed = [(board.assignments[x["assignment"]], x["attempt"]) for x in state.get("landed", [])]
    tree = run.store.take(run.files, base=session.tree)
    problems = inspect_wave(run, board, landed, before=session.tree, after=tree)
    retries = []
    for assignment, attempt in landed:
        own = [p for p in problems if p.assignment == assignment.id]
        if _may_retry(own, attempt) and not (assignment.retry_for and _in_vain(board, assignment)):
            retries.append(f"{assignment.id}#{attempt + 1}")
        elif not own:
            _accept(board, assignment)
            lock_tests(run, board, assignment)
    _remember(session, board, landed, problems)
    waiting = {entry.split("#")[0] for entry in retries}
    for assignment, _ in landed:
        if assignment.id not in waiting:
            _reopen_uncured(board, assignment, problems, state["round"])
    for problem in problems:
        if problem.assignment not in waiting or not problem.retry:
            board.block(
                problem.kind,
                _blamed(board, problem.assignment),
                problem.message,
                path=problem.path,
                sender=problem.sender,
                round_=state["round"],
            )
        if problem.assignment in waiting:
            board.fact(f"failure/{problem.assignment}", _failure_text(problems, problem.assignment))
    for assignment, _ in landed:
        if assignment.retry_for and assignment.id not in waiting:
            board.give_up(assignment.retry_for, _in_vain(board, assignment))
    board.save(session.place, "check")
    ready = retries or _next_wave(board)
    return {"tree": tree, "ready": ready, "open_blockers": len(board.open_blockers())}


def _remember(
    session: Session[BuildContext], board: Board, landed: list[tuple[Assignment, int]], problems: list[Problem]
) -> None:
    """Count for the model's profile on which rung each attempt worked; a replay teaches nothing."""
    if session.context.model.startswith(CASSETTE):
        return
    attempts = []
    for assignment, attempt in landed:
        last = board.last_outcome(assignment.id)
        failed = any(p.assignment == assignment.id and p.retry for p in problems)
        if last is not None and last.kind is not BlockerKind.BUDGET:
            attempts.append((last.rung, f"{session.run.id}/{session.place}/{assignment.id}#{attempt}", not failed))
    profiles().remember(session.context.model, attempts)


def _may_retry(problems: list[Problem], attempt: int) -> bool:
    curable = [p for p in problems if p.retry]
    return bool(curable) and attempt < RETRIES and all(p.kind is not BlockerKind.BUDGET for p in problems)


def _in_vain(board: Board, assignment: Assignment) -> str:
    """Why trying again is of no use: this attempt and the one before it ended in the same way and wrote nothing.

    Before the first attempt of a remediation came the last one at what it remediates.
    """
    tried = sorted(board.outcomes.get(assignment.id, []), key=lambda outcome: outcome.attempt)
    earlier = board.last_outcome(assignment.retry_for) if assignment.retry_for else None
    *before, last = [*([earlier] if earlier else []), *tried]
    if not before or not last.stopped_by or last.stopped_by != before[-1].stopped_by:
        return ""
    if last.files or before[-1].files:
        return ""
    return f"{assignment.id} ended as the attempt before it ({last.stopped_by}) and wrote nothing, so no more was tried"


def _accept(board: Board, assignment: Assignment) -> None:
    """Close what this assignment cured: its own blockers, and those it was made for that code can judge."""
    for blocker in board.open_blockers():
        own = blocker.assignment == assignment.id and blocker.kind is not BlockerKind.RAISED
        if blocker.kind in CURED_BY_CHECK and (own or blocker.id in assignment.blockers):
            board.close(blocker, by=assignment.id, evidence="checked on disk")


def _reopen_uncured(board: Board, assignment: Assignment, problems: list[Problem], round_: int) -> None:
    """What a failed remediation was meant to cure still stands."""
    if any(p.assignment == assignment.id for p in problems):
        for blocker in board.open_blockers():
            if blocker.id in assignment.blockers:
                board.still_open(blocker, round_)


def _blamed(board: Board, assignment: str) -> str:
    """The planned assignment behind a remediation."""
    known = board.assignments.get(assignment)
    return assignment if known is None else known.retry_for or assignment


def _next_wave(board: Board) -> list[str]:
    waiting = [a for a in board.assignments.values() if a.retry_for is None and a.id not in board.outcomes]
    wave = min((a.sequence for a in waiting), default=0)
    return [f"{a.id}#0" for a in waiting if a.sequence == wave]


def _failure_text(problems: list[Problem], assignment: str) -> str:
    return "\n\n".join(p.message for p in problems if p.assignment == assignment)
