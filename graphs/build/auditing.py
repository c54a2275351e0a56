"""The nodes of review: audit what landed, and turn blockers into assignments that remediate them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Literal

from agents import auditor, manager
from agents.contracts import FIRST_REMEDIATION, Assignment, Blocker, BlockerKind, Callback, Finding
from agents.toolbox import Toolbox
from graphs.build.board import Board
from graphs.build.locks import locked_tests
from graphs.build.schemas import BuildState  # noqa: TC001 - LangGraph reads a router's hints
from graphs.conversation import Work
from graphs.turns import carry_out
from tools.errors import BudgetExhausted, ModelFault
from tools.events import Kind
from tools.workspace.filetools import READING, file_tools
from tools.workspace.ledger import Actor
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphs.build.schemas import BuildContext
    from graphs.session import Session


async def audit(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Have what landed read: new assignments in full, remediated findings one by one. Findings are frozen."""
    board = await asyncio.to_thread(Board.of, session.run)
    unread = [
        a
        for a in board.assignments.values()
        if a.retry_for is None and a.id not in board.findings and _wrote(board, a)
    ]
    doubtful = [b for b in board.open_blockers() if b.kind is BlockerKind.REVIEW_FINDING and _answered(board, b)]
    reviews = await asyncio.gather(*(_review(state, session, board, a) for a in unread))
    rechecks = await asyncio.gather(*(_recheck(state, session, b) for b in doubtful))
    found = (zip(unread, reviews, strict=True), zip(doubtful, rechecks, strict=True))
    await asyncio.to_thread(_conclude, session, board, *found, state["round"])
    return {"open_blockers": len(board.unanswered())}


async def remediate(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Have the manager turn the open blockers into assignments."""
    board = await asyncio.to_thread(Board.of, session.run)
    round_ = state["round"] + 1
    first = FIRST_REMEDIATION + sum(a.retry_for is not None for a in board.assignments.values())
    try:
        assignments = await manager.remediate(
            state["goal"],
            board.unanswered(),
            board.owners(),
            await session.ask(),
            scope=f"remediate#{round_}",
            first=first,
        )
    except (ModelFault, BudgetExhausted) as error:
        message = f"no remediation: {error}"
        failed = Callback(
            level="warning", sender="manager", assignment="", subject=f"round {round_}", message=message
        )
        await session.run.events.aemit(Kind.CALLBACK, **failed.model_dump(mode="json"))
        board.raised(f"remediate#{round_}", [failed])
        await asyncio.to_thread(board.save, session.place, "remediate")
        return {"ready": [], "round": round_, "rounds_left": 0}
    assignments = [a.model_copy(update={"round": round_}) for a in assignments]
    board.assign(assignments)
    await asyncio.to_thread(board.save, session.place, "remediate")
    await session.run.events.aemit(
        Kind.PLAN,
        summary=f"remediation round {round_}",
        assignments=[a.model_dump(mode="json") for a in assignments],
    )
    left = session.context.max_rounds - round_
    return {
        "ready": [f"{a.id}#0" for a in assignments],
        "locked_tests": locked_tests(board, assignments),
        "round": round_,
        "rounds_left": max(0, left),
    }


def after_audit(state: BuildState) -> Literal["blockers", "clean, or no rounds left"]:
    """Route on open blockers and on the rounds that are left."""
    return "blockers" if state["open_blockers"] and state["rounds_left"] > 0 else "clean, or no rounds left"


def _wrote(board: Board, assignment: Assignment) -> bool:
    return any(outcome.files for outcome in board.outcomes.get(assignment.id, []))


def _answered(board: Board, blocker: Blocker) -> str:
    """The latest assignment that was carried out for a blocker; empty when there is none."""
    ids = [a.id for a in board.assignments.values() if blocker.id in a.blockers and a.id in board.outcomes]
    return ids[-1] if ids else ""


async def _review(
    state: BuildState, session: Session[BuildContext], board: Board, assignment: Assignment
) -> list[Finding] | str:
    """The findings about one assignment, or why there is no review."""
    deadline = time.monotonic() + session.context.audit_seconds
    scope = f"audit/{assignment.id}@{state['round']}"
    run = session.run
    view = WorkspaceView(
        run.files, run.store, run.ledger, run.events, actor=Actor("auditor", assignment.id), base=session.tree
    )
    paths = await asyncio.to_thread(view.paths)
    shown = {path: await asyncio.to_thread(view.text, path) for path in assignment.paths if path in paths}
    tools = [*file_tools(view, READING), auditor.review_tool(list(paths))]
    toolbox = Toolbox(
        tools, view=view, journal=session.journal, events=run.events, place=session.place, scope=scope
    )
    work = Work(
        await session.ask(),
        toolbox,
        scope,
        "submit_review",
        session.context.turns,
        deadline,
        await session.approach(scope),
        is_last=session.is_last,
    )
    messages = auditor.briefing(assignment, goal=state["goal"], shown=shown)
    turns = await carry_out(work, messages)
    if "closed" not in turns:
        return f"no review of {assignment.id}: {turns.get('stopped')}"
    return auditor.Review.model_validate(turns["closed"]).findings


def _conclude(
    session: Session[BuildContext],
    board: Board,
    reviews: Iterable[tuple[Assignment, list[Finding] | str]],
    rechecks: Iterable[tuple[Blocker, str]],
    round_: int,
) -> None:
    for assignment, findings in reviews:
        _record(board, assignment, findings, round_)
    for blocker, resolved in rechecks:
        if resolved:
            board.close(blocker, by=_answered(board, blocker), evidence=f"auditor: {resolved}")
        else:
            board.still_open(blocker, round_)
    board.save(session.place, "audit")


def _record(board: Board, assignment: Assignment, findings: list[Finding] | str, round_: int) -> None:
    events = board.run.events
    if isinstance(findings, str):
        missed = Callback(
            level="warning", sender="auditor", assignment=assignment.id, subject=assignment.title, message=findings
        )
        events.emit(Kind.CALLBACK, **missed.model_dump(mode="json"))
        board.raised(f"audit/{assignment.id}", [missed])
        findings = []
    board.reviewed(assignment.id, findings)
    events.emit(Kind.REVIEW, assignment=assignment.id, findings=[f.model_dump(mode="json") for f in findings])
    owners = board.owners()
    for finding in findings:
        if finding.severity == "blocker":
            where = f" (line {finding.line})" if finding.line else ""
            board.block(
                BlockerKind.REVIEW_FINDING,
                owners.get(finding.path, assignment.id),
                f"{finding.path}{where}: {finding.problem}",
                path=finding.path,
                sender="auditor",
                round_=round_,
            )


async def _recheck(state: BuildState, session: Session[BuildContext], blocker: Blocker) -> str:
    """Why a finding is resolved now; empty when it is not, or cannot be judged."""
    assert session.tree is not None
    if blocker.path not in session.run.store.list(session.tree):
        return ""
    content = await asyncio.to_thread(session.run.store.read, session.tree, blocker.path)
    scope = f"recheck/{blocker.id}@{state['round']}"
    try:
        found = await auditor.recheck(
            blocker,
            content.decode(errors="replace"),
            await session.ask(),
            scope=scope,
            seconds=session.context.audit_seconds,
        )
    except (ModelFault, BudgetExhausted) as error:
        await session.run.events.aerror(Kind.MODEL_FAILURE, error, scope=scope)
        return ""
    return (found.reason or "resolved") if found.resolved else ""
