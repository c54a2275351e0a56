"""The last nodes: have the delivery approved, then write report, patch series, branch and zip."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph.types import interrupt

from graphs.build.board import Board
from graphs.build.planning import decided
from graphs.build.report import Report, compose, markdown
from tools.events import Kind
from tools.storage import canonical, write_atomic
from tools.workspace.archive import write_zip
from tools.workspace.repository import Repository
from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from agents.contracts import Assignment
    from graphs.build.schemas import BuildContext, BuildState
    from graphs.session import Session
    from tools.runs.run import Run

LOGS = ("ledger.jsonl", "events.jsonl", "register.jsonl", "lineage.jsonl", "cassette.jsonl")


async def approve_delivery(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Show the verdict to a person and wait before anything is delivered into the repository."""
    decision = interrupt(
        {
            "question": "Deliver this as a branch of the repository?",
            "answer_with": {"approve": True},
            "into": state.get("into"),
            "verdict": state["verdict"],
            "reasons": state.get("reasons", []),
            "workspace": str(session.run.workspace),
        }
    )
    return {"approved": decided(decision)[0]}


async def deliver(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Write the report, the patch series and the zip; into a repository, add a branch and touch nothing else."""
    return await asyncio.to_thread(_deliver, state, session)


def wants_delivery_approval(state: BuildState, context: BuildContext) -> bool:
    """Tell whether a person has to be asked before delivering into a repository."""
    return "delivery" in context.approve and bool(state.get("into"))


def after_verdict(state: BuildState, context: BuildContext | None) -> Literal["to approve", "deliver"]:
    """Route on whether delivery is to be approved."""
    return "to approve" if context is not None and wants_delivery_approval(state, context) else "deliver"


def _deliver(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    run = session.run
    board = Board.of(run)
    board.to_debt()
    board.save(session.place, "deliver")
    commits = _commits(run, board, session.tree)
    branch = _branch(state, session, board, commits)
    report = compose(state, session, board, branch)
    _write_report(run, report)
    patches = run.store.patches(commits)
    for name, content in patches:
        write_atomic(run.root / "patches" / name, content, mode=0o644)
    _end_cassette(run, session, report)
    archive = run.root / f"{run.id}.zip"
    write_zip(archive, _members(run, session.tree))
    run.note(status="finished", verdict=report.verdict, branch=branch)
    run.events.emit(Kind.DELIVERED, verdict=report.verdict, archive=str(archive), branch=branch)
    return {"report": str(run.root / "report.md"), "archive": str(archive), "branch": branch or ""}


def _commits(run: Run, board: Board, tree: str | None) -> list[str]:
    """One commit per assignment in the order of its sequence, each with only the files it owns."""
    base = board.facts.get("base")
    parent_tree = base["tree"] if base else EMPTY_TREE
    parents = [base["commit"]] if base else []
    commits: list[str] = []
    if tree is None:
        return commits
    for number, assignment in enumerate(sorted(board.assignments.values(), key=lambda a: (a.sequence, a.id))):
        after = run.store.subset(parent_tree, tree, _last_written_by(run, assignment))
        if after == parent_tree:
            continue
        commit = run.store.commit(
            after,
            parents=parents,
            author=f"{assignment.role} <{assignment.role}@millwright.invalid>",
            assignment=assignment.id,
            message=f"{assignment.title}\n\n{assignment.task}",
            run=run.id,
            at=_epoch(run) + number,
        )
        commits.append(commit)
        parents, parent_tree = [commit], after
    return commits


def _last_written_by(run: Run, assignment: Assignment) -> list[str]:
    """The paths whose final content this assignment wrote."""
    last = {path: run.ledger.last_write(path) for path in assignment.paths}
    return [path for path, record in last.items() if record and record["actor"]["assignment"] == assignment.id]


def _epoch(run: Run) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(run.manifest["created"]).timestamp())


def _branch(state: BuildState, session: Session[BuildContext], board: Board, commits: list[str]) -> str | None:
    """Add the branch to the user's repository, when there is one and nobody refused."""
    into = state.get("into")
    refused = wants_delivery_approval(state, session.context) and not state.get("approved")
    if not into or refused or not commits:
        return None
    name = f"millwright/{session.run.id[:8]}"
    with closing(Repository.open(Path(into))) as repository:
        return repository.deliver_branch(session.run.store, commits[-1], name)


def _write_report(run: Run, report: Report) -> None:
    write_atomic(run.root / "report.json", report.model_dump_json(indent=2).encode() + b"\n", mode=0o644)
    write_atomic(run.root / "report.md", markdown(report).encode(), mode=0o644)


def _end_cassette(run: Run, session: Session[BuildContext], report: Report) -> None:
    files = {d.path: d.sha256 for d in report.deliverables}
    session.journal.end(verdict=report.verdict, deliverables=files)


def _members(run: Run, tree: str | None) -> dict[str, bytes]:
    """Everything the zip holds: the code, the proof and the recording."""
    members = {name: (run.root / name).read_bytes() for name in LOGS if (run.root / name).exists()}
    members |= {name: (run.root / name).read_bytes() for name in ("report.md", "report.json")}
    members["run.json"] = canonical(run.manifest)
    members |= {
        f"patches/{path.name}": path.read_bytes() for path in sorted((run.root / "patches").glob("*.patch"))
    }
    if tree is not None:
        members |= {f"workspace/{path}": run.store.read(tree, path) for path in run.store.list(tree)}
    return members
