"""The last nodes: have the delivery approved, then write report, patch series, branch and zip."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph.types import interrupt

from agents.models.journal import read_cassette
from graphs.build import series
from graphs.build.board import Board
from graphs.build.planning import decided
from graphs.build.report import Report, compose, markdown
from graphs.skills import settle
from tools.events import Kind
from tools.storage import write_atomic
from tools.threads import in_thread
from tools.verification.attestation import ATTESTATION, REPORT, WORKSPACE, Facts, attestation, signing_key
from tools.verification.evidence import LOGS, PATCHES, READABLE, RUN, settled
from tools.workspace.archive import write_zip
from tools.workspace.ledger import sha256
from tools.workspace.repository import Repository
from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from graphs.build.schemas import BuildContext, BuildState
    from graphs.session import Session
    from tools.runs.run import Run
    from tools.workspace.snapshots import FileEntry


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
    return await in_thread(_deliver, state, session)


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
    commits = series.commits(run, board, session.tree)
    branch = _branch(state, session, commits)
    report = compose(state, session, board, branch)
    _write_report(run, report)
    _write_patches(run.root / "patches", dict(run.store.patches(commits)))
    _end_cassette(run, session, report)
    members = _members(run, session.tree)
    members[ATTESTATION] = _attested(run, board, session.tree, members)
    write_atomic(run.root / ATTESTATION, members[ATTESTATION], mode=0o644)
    archive = run.root / f"{run.id}.zip"
    write_zip(archive, members)
    settle(session, verified=report.verdict == "PASS")
    run.note(status="finished", verdict=report.verdict, branch=branch)
    run.events.emit(Kind.DELIVERED, verdict=report.verdict, archive=str(archive), branch=branch)
    # A thread that was copied brought the workspace of the run it was copied from.
    places = {"workspace": run.workspace, "report": run.root / "report.md", "archive": archive}
    return {**{name: str(place) for name, place in places.items()}, "branch": branch or ""}


def _branch(state: BuildState, session: Session[BuildContext], commits: list[str]) -> str | None:
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


def _write_patches(folder: Path, patches: dict[str, bytes]) -> None:
    """Write the patch series in the place of one that an earlier delivery left."""
    for name, content in patches.items():
        write_atomic(folder / name, content, mode=0o644)
    for old in folder.glob("*.patch"):
        if old.name not in patches:
            old.unlink()


def _end_cassette(run: Run, session: Session[BuildContext], report: Report) -> None:
    files = {d.path: d.sha256 for d in report.deliverables}
    session.journal.end(verdict=report.verdict, deliverables=files)


def _members(run: Run, tree: str | None) -> dict[str, bytes]:
    """Everything the zip holds: the code, the proof and the recording."""
    members = {name: (run.root / name).read_bytes() for name in (*LOGS, REPORT, READABLE)}
    members[RUN] = settled(run.manifest)
    members |= {PATCHES + path.name: path.read_bytes() for path in sorted((run.root / "patches").glob("*.patch"))}
    return members | {WORKSPACE + path: run.store.read(tree or EMPTY_TREE, path) for path in _delivered(run, tree)}


def _delivered(run: Run, tree: str | None) -> dict[str, FileEntry]:
    """The files that stand in the workspace; what is too large for it was not verified either."""
    files = run.store.list(tree or EMPTY_TREE)
    return {path: entry for path, entry in files.items() if entry.size <= run.files.quota.file_bytes}


def _attested(run: Run, board: Board, tree: str | None, members: dict[str, bytes]) -> bytes:
    """The statement about this delivery, signed if the environment names a key."""
    facts = Facts(
        report=json.loads(members[REPORT]),
        run=json.loads(members[RUN]),
        version=read_cassette(run.root / "cassette.jsonl")[0]["version"],
        digests={name: sha256(content) for name, content in members.items()},
        written=frozenset(path for path, sha in run.ledger.files().items() if sha is not None),
        base=board.facts.get("base"),
        executable=frozenset(path for path, entry in _delivered(run, tree).items() if entry.executable),
    )
    return attestation(facts, signing_key())
