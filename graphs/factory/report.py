"""The report of a task: what was asked, how it was decided, tried and examined, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from graphs.factory.schemas import Decision, Outcome  # noqa: TC001 - pydantic reads the hints
from tools.events import now
from tools.redaction import redacted

if TYPE_CHECKING:
    from graphs.factory.dossier import Dossier
    from graphs.factory.schemas import FactoryContext, FactoryState
    from graphs.session import Session
    from tools.storage import Record


class Report(BaseModel):
    """Everything a reader needs to trust what came of a task, or not."""

    run: str
    title: str
    task: str = ""
    domain: str = ""
    family: str = ""
    signature: str = ""
    statement: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    finished: str
    model: str
    decision: Decision
    why: str
    outcome: Outcome
    skill: str
    requires: list[str] = []
    failed_at: str = ""
    reasons: list[str] = []
    found: list[str] = []
    steps: list[dict[str, Any]] = []
    exam: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    calls: int = 0


def compose(state: FactoryState, session: Session[FactoryContext], dossier: Dossier, calls: int) -> Report:
    """Put the report together from the state and the register."""
    task = dossier.task if "task" in dossier.facts else None
    asked = (
        {}
        if task is None
        else task.model_dump(include={"domain", "family", "signature", "statement", "source", "tags"})
    )
    exam = dossier.exams[-1] if dossier.exams else {}
    failed = state["outcome"] == "failed"
    return Report(
        **asked,
        run=session.run.id,
        title=state["title"],
        task="" if task is None else task.id,
        finished=now(),
        model=session.context.model,
        decision=state["decision"],
        why=dossier.facts.get("choice", {}).get("why", ""),
        outcome=state["outcome"],
        skill=state["skill"],
        requires=exam.get("requires", []) if exam.get("passed") else [],
        failed_at=(_failed_at(exam) or "admit") if failed else "",
        reasons=redacted(state["reasons"]) if failed else [],
        found=[tool.id for tool in dossier.found],
        steps=_steps(dossier),
        exam=exam,
        seconds=state.get("seconds", {}),
        calls=calls,
    )


def markdown(report: Report) -> str:
    """The report as a person reads it."""
    verdict = "FAIL" if report.outcome == "failed" else "PASS"
    lines = [f"# {verdict}: {_line(report.title)}", ""]
    lines += [f"Run `{report.run}`, model `{report.model}`, {report.calls} model calls.", ""]
    lines += [
        f"Decided to {report.decision}: {_line(report.why)}." if report.why else f"Decided to {report.decision}."
    ]
    lines += [
        f"{report.outcome.capitalize()}: `{report.skill}`." if report.skill else f"{report.outcome.capitalize()}.",
        "",
    ]
    if report.reasons:
        lines += [
            f"## Why it failed at {report.failed_at or 'once'}",
            "",
            *(f"- {_line(r)}" for r in report.reasons),
            "",
        ]
    if report.exam:
        lines += ["## Exam", "", "| step | result | seconds |", "|---|---|---|"]
        lines += [_exam_row(step) for step in report.exam["steps"]]
        lines.append("")
    lines += ["## What was done", "", *(f"- {_line(_told(step))}" for step in report.steps), ""]
    lines += ["## The task", "", f"`{report.signature}`", "", report.statement, ""] if report.statement else []
    if report.source:
        lines += [f"Source: {_line(report.source)}", ""]
    spent = ", ".join(f"{name} {seconds:.1f}" for name, seconds in report.seconds.items())
    return "\n".join([*lines, f"Seconds: {spent}."]) + "\n"


def _failed_at(exam: Record) -> str:
    if not exam:
        return "draw"
    return next((str(step["name"]) for step in exam["steps"] if not step["passed"]), "")


def _steps(dossier: Dossier) -> list[dict[str, Any]]:
    """What was done: the decision, the tool that was tried, then all attempts, then all examinations."""
    found: list[dict[str, Any]] = []
    if "choice" in dossier.facts:
        found.append({"step": "decide", **dossier.facts["choice"]})
    if "reuse" in dossier.facts:
        found.append({"step": "prove", **dossier.facts["reuse"]})
    for attempt in [dossier.facts["refused/tests"]] if "refused/tests" in dossier.facts else []:
        said = {"status": "failed", "failure": attempt["why"], "by": attempt["by"]}
        found.append({"step": "write", "what": "tests", "attempt": 0, **said})
    for outcome in dossier.outcomes.values():
        said = {
            "status": outcome.status,
            "failure": outcome.failure,
            "rung": outcome.rung,
            "changed": outcome.changed,
        }
        by = dossier.author(outcome.assignment, outcome.attempt)
        said |= {"by": by} if by else {}
        found.append({"step": "write", "what": outcome.assignment, "attempt": outcome.attempt, **said})
    exams = ((exam, {"passed": exam["passed"], "blames": exam["blames"]}) for exam in dossier.exams)
    return [*found, *({"step": "exam", "failed_at": _failed_at(exam), **said} for exam, said in exams)]


def _told(step: dict[str, Any]) -> str:
    if step["step"] == "decide":
        return f"decided to {step['decision']} {step['tool']}".rstrip() + f": {step['why']}"
    if step["step"] == "prove":
        return f"tried {step['tool']}: " + (
            "it solves the task" if step["solved"] else f"it does not: {step['why']}"
        )
    if step["step"] == "write":
        said = step["failure"] or step["status"]
        by = f" by {step['by']}" if "by" in step else ""
        return f"{step['what']}, attempt {step['attempt'] + 1}{by}: {said}"
    return (
        "exam passed"
        if step["passed"]
        else f"exam failed at {step['failed_at']}, which blames the {' and '.join(step['blames'])}"
    )


def _exam_row(step: Record) -> str:
    cell = _line(step["detail"]).replace("|", "\\|")
    return f"| {step['name']} | {'passed' if step['passed'] else 'FAILED'}: {cell} | {step['seconds']:.2f} |"


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
