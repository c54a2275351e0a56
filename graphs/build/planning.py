"""The nodes before the work: recall what is there, plan, and have the plan approved."""

from __future__ import annotations

import asyncio
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph.types import interrupt

from agents import manager
from agents.contracts import BlockerKind, Callback, Plan
from graphs.build.board import Board
from tools.errors import BudgetExhausted, ModelFault, UsageError
from tools.events import Kind
from tools.redaction import redact
from tools.sandbox import Sandbox
from tools.threads import in_thread
from tools.verification.attestation import signing_key
from tools.workspace.repository import Repository

if TYPE_CHECKING:
    from graphs.build.schemas import BuildContext, BuildState
    from graphs.session import Session

LONGEST_GOAL = 100_000
SHORTEST_GOAL = 3


def checked_goal(goal: str | None) -> str:
    """The goal without surrounding space.

    Raises:
        UsageError: it is empty, has no words, or is too long.
    """
    text = (goal or "").strip()
    if sum(char.isalpha() for char in text) < SHORTEST_GOAL:
        raise UsageError(
            f"the goal {text!r} says nothing that could be built; say in a sentence what the program does"
        )
    if len(text) > LONGEST_GOAL:
        raise UsageError(
            f"the goal has {len(text)} characters, at most {LONGEST_GOAL} are taken; put the details into a file of the "
            f"repository and build with --into"
        )
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):  # lone surrogates, which no file or wire can hold
        raise UsageError("the goal is not valid Unicode; save it as UTF-8 and try again")
    return text


async def recall(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Look at what is there: the goal, the model, the workspace or the repository to build into."""
    goal = redact(checked_goal(state.get("goal")))
    await asyncio.to_thread(signing_key)  # a key that cannot sign is told of now, not after hours of work
    await session.ask()
    tree = await in_thread(_prepare, session, goal, state.get("into"))
    return {
        "goal": goal,
        "tree": tree,
        "workspace": str(session.run.workspace),
        "planned": 0,
        "ready": [],
        "landed": None,
        "open_blockers": 0,
        "round": 0,
        "rounds_left": session.context.max_rounds,
        "revisions": [],
        "verdict": None,
        "reasons": [],
    }


async def plan(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Have the manager plan the assignments, and validate the plan by code."""
    files = await asyncio.to_thread(_listing, session)
    revisions = state.get("revisions", [])
    board = await asyncio.to_thread(Board.of, session.run)
    try:
        ask = await session.ask()
        found = await manager.plan(state["goal"], files, ask, scope=f"plan#{len(revisions)}", feedback=revisions)
    except (ModelFault, BudgetExhausted) as error:
        board.block(_why(error), "", f"there is no plan: {error}", sender="manager", round_=0)
        await asyncio.to_thread(board.save, session.place, "plan")
        return {"planned": 0, "ready": [], "open_blockers": 1, "rounds_left": 0}
    board.plan(found.assignments)
    board.fact("summary", found.summary)
    await asyncio.to_thread(board.save, session.place, "plan")
    await session.run.events.aemit(Kind.PLAN, **found.model_dump(mode="json"))
    return {"planned": len(found.assignments), "ready": first_wave(found), "approved": False}


async def approve_plan(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Show the plan to a person and wait; an answer with feedback sends it back to the manager."""
    board = await asyncio.to_thread(Board.of, session.run)
    decision = interrupt(
        {
            "question": "Approve this plan?",
            "answer_with": {"approve": True, "feedback": "what to change, when not approved"},
            "summary": board.facts.get("summary", ""),
            "assignments": [a.model_dump(mode="json") for a in board.assignments.values()],
        }
    )
    approved, feedback = decided(decision)
    if approved:
        return {"approved": True}
    return {"approved": False, "revisions": [*state.get("revisions", []), feedback or "not good enough"]}


def decided(decision: object) -> tuple[bool, str]:
    """Read a person's answer to an approval: `{"approve": bool, "feedback": str}`, a bool, or a word."""
    if isinstance(decision, dict):
        return bool(decision.get("approve")), str(decision.get("feedback") or "")
    if isinstance(decision, str):
        return decision.strip().lower() in ("y", "yes", "approve", "ok"), decision
    return bool(decision), ""


def after_plan(state: BuildState, wants_approval: bool) -> Literal["planned", "to approve", "no valid plan"]:
    """Route on whether there is a plan, and whether a person wants to see it."""
    if not state.get("ready"):
        return "no valid plan"
    return "to approve" if wants_approval else "planned"


def first_wave(found: Plan) -> list[str]:
    """The assignments that depend on nothing, as `id#attempt`."""
    return [f"{a.id}#0" for a in found.assignments if a.sequence == 1]


def _why(error: ModelFault | BudgetExhausted) -> BlockerKind:
    if isinstance(error, BudgetExhausted):
        return BlockerKind.BUDGET
    return BlockerKind.CONTEXT_LOST if error.kind == "context_lost" else BlockerKind.INVALID_PLAN


def _prepare(session: Session[BuildContext], goal: str, into: str | None) -> str:
    run = session.run
    settings = session.context.model_dump(mode="json")
    run.note(goal=goal, into=into, settings=settings, status="running")
    session.journal.open(goal=goal, into=into, version=version("millwright"), settings=settings)
    run.events.emit(Kind.RUN_STARTED, run=run.id, goal=goal, into=into, settings=settings)
    if session.context.sandbox == "off":
        run.events.emit(Kind.SANDBOX, level="off", banner=Sandbox.choose("off").banner)
    board = Board.of(run)
    board.clear()
    if into and session.tree is None:
        tree = _bring_in(session, board, into)
    else:
        run.files.sweep()
        tree = run.store.take(run.files, base=session.tree)
    board.save(session.place, "recall")
    return tree


def _bring_in(session: Session[BuildContext], board: Board, into: str) -> str:
    run = session.run
    with closing(Repository.open(Path(into))) as repository:
        commit, tree = repository.import_head(run.store)
        branch, dirty = repository.head_branch, repository.dirty
    run.store.restore(tree, run.files)
    board.fact(
        "base",
        {
            "commit": commit,
            "tree": tree,
            "files": run.store.take(run.files),  # without what no workspace gets, such as links and submodules
            "branch": branch,
            "path": str(Path(into).absolute()),
        },
    )
    if dirty:
        message = (
            "the repository has uncommitted changes; the build starts from its last commit and leaves them alone"
        )
        warning = Callback(level="warning", sender="millwright", assignment="", subject=into, message=message)
        board.raised("recall", [warning])
        run.events.emit(Kind.CALLBACK, **warning.model_dump(mode="json"))
    return tree


def _listing(session: Session[BuildContext]) -> dict[str, int]:
    assert session.tree is not None
    return {path: entry.size for path, entry in session.run.store.list(session.tree).items()}
