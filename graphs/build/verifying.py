"""The node that proves: files, definitions, tests and commands, measured by us; the verdict is computed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from agents.contracts import Assignment, BlockerKind, Evidence, Role
from agents.verifier import judge
from graphs.build.board import Board
from graphs.build.inspection import check_problem, file_problem
from graphs.build.locks import lock_fact
from graphs.build.schemas import BuildState  # noqa: TC001 - LangGraph reads a router's hints
from graphs.build.trials import Facts, Trials
from graphs.running import Confined, Runner
from tools.errors import PathRefused
from tools.events import Kind
from tools.verification.testing import is_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphs.build.schemas import BuildContext
    from graphs.session import Session


async def verify(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Measure every deliverable again, run the tests and commands in the sandbox, and compute the verdict."""
    board = await asyncio.to_thread(Board.of, session.run)
    tree = await asyncio.to_thread(session.run.store.take, session.run.files, base=session.tree)
    facts, checks = await measure(session, board, tree, state["round"], Confined(session, tree))
    return await asyncio.to_thread(_conclude, session, board, facts, checks, tree)


async def measure(
    session: Session[BuildContext], board: Board, tree: str, round_: int, run: Runner
) -> tuple[Facts, list[Evidence]]:
    """The facts of every promised path of `tree`, and of every acceptance command; `run` runs what is to be run.

    What fails opens blockers on the board, and what passes closes them.
    """
    planned = board.planned()
    facts = await asyncio.to_thread(_file_facts, session, board, planned, tree, round_)
    if session.context.verification == "quick" or not planned:
        return facts, []
    trials = Trials(session.run, board, tree, round_, run, session.context)
    noticed = await trials.tests(facts)
    return facts, [*noticed, *await trials.commands()]


def after_verify(state: BuildState) -> Literal["FAIL, rounds left", "settled"]:
    """Route on the verdict, and on whether there is something to mend and a round to mend it in."""
    mendable = state["open_blockers"] and state["rounds_left"] > 0
    return "FAIL, rounds left" if state["verdict"] == "FAIL" and mendable else "settled"


def _conclude(
    session: Session[BuildContext],
    board: Board,
    facts: Facts,
    checks: Sequence[Evidence],
    tree: str,
) -> dict[str, Any]:
    run, planned = session.run, board.planned()
    files = {}
    for assignment in planned:
        for path in assignment.paths:
            info = run.files.info(path)
            if info is not None:
                files[path] = (info.sha256, info.size)
    verdict = judge(planned, facts, files, list(board.blockers.values()), checks)
    board.fact("verdict", verdict.model_dump(mode="json"))
    board.save(session.place, "verify")
    run.events.emit(Kind.VERDICT, sequence=99, ledger=run.ledger.head, **verdict.model_dump(mode="json"))
    return {
        "tree": tree,
        "verdict": "PASS" if verdict.passed else "FAIL",
        "reasons": verdict.reasons,
        "open_blockers": len(board.hopeful()),
    }


def _file_facts(
    session: Session[BuildContext], board: Board, planned: Sequence[Assignment], tree: str, round_: int
) -> Facts:
    """Exists, parses, is what the ledger saw, and holds what its checks ask for: per promised path."""
    run = session.run
    facts: Facts = {path: [] for a in planned for path in a.paths}
    for assignment in planned:
        for path in assignment.paths:
            problem = file_problem(run, tree, path)
            detail = "" if problem is None else problem[1]
            facts[path].append(Evidence(what="exists and parses", passed=problem is None, detail=detail))
            if problem is None:
                facts[path] += _ledger_facts(session, board, assignment, path)
            elif not _blocked(board, path):
                kind = BlockerKind.LOST_FILE if _was_there(session, path) else problem[0]
                board.block(kind, assignment.id, problem[1], path=path, sender="verifier", round_=round_)
        for check in assignment.checks:
            if check.kind == "command":
                continue
            try:
                wrong = check_problem(run, tree, check) or ""
            except PathRefused as error:
                wrong = str(error)
            facts.setdefault(check.path, []).append(
                Evidence(what=f"{check.kind} {check.value}", passed=not wrong, detail=wrong)
            )
    return facts


def _ledger_facts(
    session: Session[BuildContext], board: Board, assignment: Assignment, path: str
) -> list[Evidence]:
    """Who wrote a file last, whether it still is what they wrote, and what its lock says."""
    record, info = session.run.ledger.last_write(path), session.run.files.info(path)
    if record is None:
        return [Evidence(what="was written by the crew", passed=False, detail=f"the ledger has no write of {path}")]
    sha, writer = (None if info is None else info.sha256), record["actor"]["role"]
    if is_test(path) and writer not in (Role.TESTER, "user", "millwright"):
        told = f"{path} was last written by a {writer}"
        return [Evidence(what="was written by a tester", passed=False, detail=told)]
    same = sha == record["after"]
    detail = "" if same else f"{path} is not what the ledger saw written"
    found = [Evidence(what="is what the ledger saw written", passed=same, detail=detail)]
    locked = lock_fact(board, path, sha, writer)
    return found if locked is None else [*found, locked]


def _blocked(board: Board, path: str) -> bool:
    return any(blocker.path == path for blocker in board.open_blockers())


def _was_there(session: Session[BuildContext], path: str) -> bool:
    return session.tree is not None and path in session.run.store.list(session.tree)
