"""The node that ends: what came of the task is remembered, reported and closed, whether it was solved or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agents.toolmaker import MAIN, TEST
from graphs.factory.dossier import Dossier
from graphs.factory.library import key_of, library_of
from graphs.factory.recalling import task_request
from graphs.factory.report import compose, markdown
from tools.events import Kind, now
from tools.memory.records import TaskRecord, Use, Workflow
from tools.storage import write_atomic
from tools.threads import in_thread

if TYPE_CHECKING:
    from graphs.factory.report import Report
    from graphs.factory.schemas import FactoryContext, FactoryState
    from graphs.session import Session
    from tools.memory.memory import Memory


async def settle(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Remember what came of the task, and write its report."""
    return await in_thread(_settle, state, session)


def _settle(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    run, dossier = session.run, Dossier.of(session.run)
    calls = len(session.journal.calls())
    report = compose(state, session, dossier, calls)
    memory = library_of(session)
    if memory is not None:
        _remember(session, dossier, memory, report)
    write_atomic(run.root / "report.json", report.model_dump_json(indent=2).encode() + b"\n", mode=0o644)
    write_atomic(run.root / "report.md", markdown(report).encode(), mode=0o644)
    verdict: Literal["PASS", "FAIL"] = "FAIL" if report.outcome == "failed" else "PASS"
    files = {path: sha for path, sha in run.ledger.files().items() if sha is not None}
    session.journal.end(verdict=verdict, deliverables=files)
    run.events.emit(Kind.RUN_FINISHED, verdict=verdict, outcome=report.outcome, skill=report.skill)
    run.note(status="finished", verdict=verdict, outcome=report.outcome)
    return {"verdict": verdict, "report": str(run.root / "report.md"), "calls": calls}


def _remember(session: Session[FactoryContext], dossier: Dossier, memory: Memory, report: Report) -> None:
    """Record the task, the interaction that it was, and the uses of the tools that the new one is made of."""
    library, key = memory.library, key_of(session, "task")
    for part in report.requires:
        # Only a tool that passed its exam, oracle and all, says anything about what it is made of.
        use = Use(
            key=f"{key}/{part}", skill=part, run=session.run.id, scope="part", outcome="returned", verified=True
        )
        library.record_use(use)
    library.record_task(_task_record(session, dossier, report, key))
    memory.record_workflow(
        Workflow(
            id=key,
            intent=f"{report.title}\n{report.statement}".strip(),
            steps=report.steps,
            outcome="failed" if report.outcome == "failed" else "verified",
            seconds=round(sum(report.seconds.values()), 3),
            tags=report.tags,
            at=report.finished,
        )
    )


def _task_record(session: Session[FactoryContext], dossier: Dossier, report: Report, key: str) -> TaskRecord:
    run = session.run
    texts = {}
    for path in (MAIN, TEST):
        there = session.tree is not None and path in run.store.list(session.tree)
        texts[path] = run.store.read(str(session.tree), path).decode(errors="replace") if there else ""
    return TaskRecord(
        key=key,
        run=run.id,
        task=report.task,
        domain=report.domain,
        family=report.family,
        title=report.title,
        statement=report.statement,
        decision=report.decision,
        skill=report.skill or None,
        outcome=report.outcome,
        step=report.failed_at,
        reason="\n".join(report.reasons),
        seconds=report.seconds,
        calls=report.calls,
        request=task_request(dossier.task) if "task" in dossier.facts else "",
        arm=dossier.facts.get("arm", ""),
        tags=report.tags,
        plan=dossier.facts.get("choice", {}),
        code=texts[MAIN],
        tests=texts[TEST],
        evaluation=dossier.exams[-1] if dossier.exams else {},
        at=now(),
    )
