"""The nodes of the work itself: develop one assignment, and check what a wave of them left on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from agents import developer
from agents.contracts import RETRIES, Assignment, BlockerKind, Callback, Outcome, WrittenFile
from agents.models.approach import Approach
from agents.models.profiles import profiles
from agents.models.reading import spelled
from agents.toolbox import Toolbox
from graphs.build.board import Board
from graphs.build.inspection import Problem, definitions_stay, inspect_wave, spoken_of
from graphs.build.locks import lock_tests
from graphs.conversation import Turns, Work
from graphs.session import CASSETTE
from graphs.turns import carry_out
from tools.events import Kind
from tools.verification.claims import judged
from tools.verification.guards import write_guards
from tools.workspace.filetools import WRITING, Name, file_tools
from tools.workspace.ledger import Actor
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.tools import BaseTool

    from graphs.build.schemas import BuildContext, BuildState, DevelopInput
    from graphs.session import Session

BASIC: tuple[Name, ...] = ("list_files", "read_file", "search_files", "write_file", "edit_file")
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
    attempt = state["attempt"]
    board = await asyncio.to_thread(Board.of, session.run)
    assignment = board.assignments[state["assignment"]]
    # What the developer is told is what was there when its step began, so that a repeated step asks the same.
    before = _view(session, assignment, attempt, ())
    scope = f"develop/{assignment.id}#{attempt}"
    approach = await _approach(session, board, assignment, attempt, scope)
    await session.run.events.aemit(
        Kind.ASSIGNMENT_STARTED,
        assignment=assignment.id,
        role=assignment.role,
        title=assignment.title,
        attempt=attempt,
        rung=approach.rung,
        changed=approach.changed[-1] if approach.changed else "",
    )
    shown = await asyncio.to_thread(_shown, board, assignment, before)
    existing = {path: shown[path] for path in assignment.paths if path in shown}
    kept = {
        path: text for path, text in existing.items() if definitions_stay(session.run, assignment, attempt, path)
    }
    guards = write_guards(spoken_of(board, assignment), kept)
    view = _view(session, assignment, attempt, assignment.paths, guards)
    tools = await asyncio.to_thread(_tools, view, before, assignment)
    toolbox = Toolbox(
        tools,
        view=view,
        journal=session.journal,
        events=session.run.events,
        place=session.place,
        scope=scope,
        seen=developer.read_at_once(shown),
    )
    messages = await asyncio.to_thread(
        _briefing, board, assignment, attempt, before, state["goal"], shown, approach
    )
    work = Work(
        await session.ask(),
        toolbox,
        scope,
        "finish",
        session.context.turns,
        approach=approach,
        paths=tuple(assignment.paths),
        existing=existing,
        max_tokens=session.context.assignment_tokens,
        max_seconds=session.context.assignment_seconds,
        is_last=session.is_last,
    )
    turns = await carry_out(work, messages)
    outcome, callbacks = await asyncio.to_thread(_outcome, session, assignment, attempt, turns, approach)
    board.outcome(outcome, callbacks)
    board.fact(f"approach/{assignment.id}#{attempt}", approach.model_dump(mode="json"))
    await asyncio.to_thread(board.save, session.place, scope)
    fields = outcome.model_dump(mode="json")
    await session.run.events.aemit(Kind.ASSIGNMENT_FINISHED, role=assignment.role, **fields)
    return {"landed": [{"assignment": assignment.id, "attempt": attempt, "status": outcome.status}]}


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
        if _may_retry(own, attempt):
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


async def _approach(
    session: Session[BuildContext], board: Board, assignment: Assignment, attempt: int, scope: str
) -> Approach:
    """How this attempt is made; a retry changes one thing against the attempt before."""
    kept = board.facts.get(f"approach/{assignment.id}#{attempt - 1}")
    if not attempt or kept is None:
        return await session.approach(scope)
    last = board.last_outcome(assignment.id)
    failure = str(last.kind or "") if last is not None else ""
    return await session.approach(scope, Approach.model_validate(kept), failure)


def _view(
    session: Session[BuildContext],
    assignment: Assignment,
    attempt: int,
    owned: Sequence[str],
    guards: Sequence[Callable[[str, str, str | None], None]] = (),
) -> WorkspaceView:
    run = session.run
    actor = Actor(str(assignment.role), assignment.id, attempt)
    return WorkspaceView(
        run.files,
        run.store,
        run.ledger,
        run.events,
        actor=actor,
        base=session.tree,
        owned=owned,
        guards=guards,
    )


def _tools(view: WorkspaceView, before: WorkspaceView, assignment: Assignment) -> list[BaseTool]:
    # Few tools keep a weak model on its feet: deleting and moving are offered only where there is something to move.
    existing = any(before.exists(path) for path in assignment.paths)
    names = (*BASIC, *WRITING[2:]) if existing else BASIC
    return [*file_tools(view, names), *developer.closing_tools(view, assignment)]


def _shown(board: Board, assignment: Assignment, before: WorkspaceView) -> dict[str, str]:
    """The texts of the files that the assignment is about or builds on."""
    listing = before.paths()
    near = [path for d in assignment.depends_on if d in board.assignments for path in board.assignments[d].paths]
    if assignment.retry_for is not None and assignment.retry_for in board.assignments:
        blamed = board.assignments[assignment.retry_for]
        near += [path for a in (blamed, *(board.assignments[d] for d in blamed.depends_on)) for path in a.paths]
    wanted = [path for path in dict.fromkeys([*near, *assignment.paths]) if path in listing]
    return {path: before.text(path) for path in wanted}


def _briefing(
    board: Board,
    assignment: Assignment,
    attempt: int,
    before: WorkspaceView,
    goal: str,
    shown: Mapping[str, str],
    approach: Approach,
) -> list[Any]:
    failure = board.facts.get(f"failure/{assignment.id}", "") if attempt else ""
    blamed_for = [board.blockers[b].message for b in assignment.blockers if b in board.blockers]
    failure = "\n\n".join([*blamed_for, *([failure] if failure else [])])
    return developer.briefing(
        assignment,
        goal=goal,
        listing=before.paths(),
        shown=shown,
        failure=failure,
        textual=approach.rung.textual,
    )


def _outcome(
    session: Session[BuildContext], assignment: Assignment, attempt: int, turns: Turns, approach: Approach
) -> tuple[Outcome, list[Callback]]:
    """What the attempt came to, from the ledger, with what the agent said beside it."""
    files = [
        WrittenFile(path=r["target"] or r["path"], op=r["op"], sha256=r["after"], size=r["size"])
        for r in session.run.operations(assignment.id, attempt)
    ]
    closed = turns.get("closed", {})
    stopped = turns.get("stopped", "")
    kind = _kind(turns.get("stopped_by", "")) if stopped else None
    summary = str(closed.get("summary", ""))
    claims = [str(path) for path in closed.get("files") or []]
    written = {file.path for file in files}
    # A developer has no way to run anything, so a claim that it did is false whatever the ledger holds of others.
    said = judged(summary, written, ())
    lies = [claim.words for claim in said if not claim.true]
    lies += [claim for claim in claims if spelled(claim) not in written]
    outcome = Outcome(
        assignment=assignment.id,
        attempt=attempt,
        status="failed" if stopped else "finished",
        failure=stopped,
        kind=kind,
        files=files,
        summary=summary,
        claims=claims,
        turns=turns.get("turn", 0),
        rung=turns.get("rung", approach.rung),
        changed=approach.changed[-1] if approach.changed else "",
        claimed=len(said),
        lies=lies,
    )
    return outcome, _callbacks(session, assignment, turns)


def _kind(stopped_by: str) -> BlockerKind:
    known = {"budget": BlockerKind.BUDGET, "stuck": BlockerKind.STUCK, "context_lost": BlockerKind.CONTEXT_LOST}
    return known.get(stopped_by, BlockerKind.AGENT_FAILED)


def _callbacks(session: Session[BuildContext], assignment: Assignment, turns: Turns) -> list[Callback]:
    raised = [
        Callback(
            level=call["arguments"]["level"],
            sender=str(assignment.role),
            assignment=assignment.id,
            subject=call["arguments"]["subject"],
            message=call["arguments"]["message"],
        )
        for call in turns.get("calls", [])
        if call["name"] == "raise_callback" and not call["refused"]
    ]
    for callback in raised:
        session.run.events.emit(Kind.CALLBACK, **callback.model_dump(mode="json"))
    return raised
