"""The report of a build: what was promised, what was measured, what is left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from agents.contracts import VERIFICATION, Blocker, Callback, DeliverableVerdict, Evidence, Finding
from agents.models.honesty import context_lost
from graphs.build.locks import TestChange, changed_tests
from tools.events import now
from tools.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.models.journal import Journal
    from graphs.build.board import Board
    from graphs.build.schemas import BuildContext, BuildState
    from graphs.session import Session
    from tools.workspace.ledger import Ledger


class AssignmentReport(BaseModel):
    """One assignment: who did it, in how many attempts, and what the ledger saw."""

    id: str
    sequence: int
    role: str
    title: str
    attempts: int
    status: str
    files: list[str]
    retry_for: str | None = None
    findings: list[Finding] = []


class Spending(BaseModel):
    """Model calls, tokens and seconds."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    faults: int = 0


class Honesty(BaseModel):
    """What a model claimed in its finishing messages, and how much of it the ledger contradicts."""

    claims: int = 0
    lies: list[str] = []
    prompts_cut: int = 0

    @property
    def lie_rate(self) -> float:
        """The share of claims that are false; 0 when nothing was claimed."""
        return len(self.lies) / self.claims if self.claims else 0.0


class Report(BaseModel):
    """Everything a reader needs to trust a build, or not."""

    run: str
    goal: str
    finished: str
    model: str
    verdict: str
    reasons: list[str]
    summary: str
    verification: str
    sandbox: list[str]
    deliverables: list[DeliverableVerdict]
    checks: list[Evidence]
    assignments: list[AssignmentReport]
    callbacks: list[Callback]
    blockers: list[Blocker]
    debt: list[Blocker]
    tests_changed: list[TestChange] = []
    spending: dict[str, Spending]
    models: dict[str, Spending] = {}
    honesty: Honesty = Honesty()
    rungs: dict[str, int] = {}
    branch: str | None
    ledger_head: str


def compose(state: BuildState, session: Session[BuildContext], board: Board, branch: str | None) -> Report:
    """Put the report together from the board, the ledger and the journal."""
    run, verdict = session.run, board.verdict
    told = {
        "run": run.id,
        "goal": state["goal"],
        "finished": now(),
        "model": session.context.model,
        "verdict": str(state.get("verdict") or "FAIL"),
        "reasons": redacted(state.get("reasons", [])),
        "verification": session.context.verification,
        "deliverables": verdict.deliverables if verdict else [],
        "checks": verdict.checks if verdict else [],
        "branch": branch,
    }
    return Report(**told, **derived(board, run.ledger, session.journal))


def derived(board: Board, ledger: Ledger, journal: Journal) -> dict[str, Any]:
    """The fields of the report that follow from the run's records alone."""
    blockers, calls = list(board.blockers.values()), journal.calls()
    return {
        "summary": board.facts.get("summary", ""),
        "sandbox": _sandbox(ledger.commands()),
        "assignments": _assignments(board),
        "callbacks": board.callbacks,
        "blockers": blockers,
        "debt": [b for b in blockers if b.status == "debt"],
        "tests_changed": changed_tests(board),
        "spending": _spending(calls, _role),
        "models": _spending(calls, lambda call: str(call.get("model", ""))),
        "honesty": _honesty(board, calls),
        "rungs": dict(Counter(o.rung for rows in board.outcomes.values() for o in rows if o.rung)),
        "ledger_head": ledger.head,
    }


def markdown(report: Report) -> str:
    """The report as a person reads it."""
    title = _one_line(report.summary or report.goal)
    lines = [f"# {report.verdict}: {title}", "", f"Goal: {_one_line(report.goal)}", ""]
    lines += [f"Run `{report.run}`, model `{report.model}`, verification `{report.verification}`."]
    lines += [f"Sandbox: {'; '.join(report.sandbox)}." if report.sandbox else "No code was run.", ""]
    if report.reasons:
        lines += ["## Why it did not pass", "", *(f"- {_one_line(reason)}" for reason in report.reasons), ""]
    lines += ["## Deliverables", "", "| file | verdict | evidence | blockers |", "|---|---|---|---|"]
    lines += [_deliverable_row(d) for d in report.deliverables]
    if report.checks:
        lines += ["", "| check | verdict |", "|---|---|"]
        lines += [
            f"| {_cell(c.what)} | {'PASS' if c.passed else 'FAIL'} {_cell(c.detail)}".rstrip() + " |"
            for c in report.checks
        ]
    lines += [
        "",
        "## Assignments",
        "",
        "| # | assignment | role | attempts | status | files |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_assignment_row(a) for a in sorted(report.assignments, key=lambda a: (a.sequence, a.id))]
    lines += [f"| {VERIFICATION} | final verification | verifier | 1 | {report.verdict} | |", ""]
    lines += _blocker_section(report.blockers)
    lines += _tests_section(report.tests_changed)
    if report.callbacks:
        lines += ["## Callbacks", ""]
        lines += [
            f"- {c.level} from {c.sender} ({c.assignment or '-'}), {_one_line(c.subject)}: {_one_line(c.message)}"
            for c in report.callbacks
        ]
        lines += [""]
    lines += ["## Model", "", "| role or model | calls | tokens | seconds | of no use |", "|---|---|---|---|---|"]
    by_model = {name: spent for name, spent in report.models.items() if name != "all"}
    lines += [
        f"| {_cell(name)} | {s.calls} | {s.tokens} | {s.seconds:.1f} | {s.faults} |"
        for name, s in (*report.spending.items(), *by_model.items())
    ]
    lines += ["", _trust(report)]
    lines += [
        "",
        f"Ledger head `{report.ledger_head}`; `millwright verify {report.run}` checks all of this again.",
        "",
    ]
    return "\n".join(lines)


def _assignments(board: Board) -> list[AssignmentReport]:
    found = []
    for assignment in board.assignments.values():
        outcomes = board.outcomes.get(assignment.id, [])
        last = board.last_outcome(assignment.id)
        found.append(
            AssignmentReport(
                id=assignment.id,
                sequence=assignment.sequence,
                role=str(assignment.role),
                title=assignment.title,
                attempts=len(outcomes),
                status=last.status if last else "not started",
                files=sorted({path for outcome in outcomes for path in outcome.files_created}),
                retry_for=assignment.retry_for,
                findings=board.findings.get(assignment.id, []),
            )
        )
    return found


def _trust(report: Report) -> str:
    said = report.honesty
    asked = ", ".join(f"{count} attempts as {rung}" for rung, count in sorted(report.rungs.items())) or "none"
    text = f"Attempts: {asked}. Claims in finishing messages: {said.claims}, contradicted by the ledger: "
    text += f"{len(said.lies)} ({said.lie_rate:.0%})"
    if said.lies:
        text += f": {'; '.join(_one_line(lie) for lie in said.lies)}"
    return f"{text}. Prompts of which the model did not read the front: {said.prompts_cut}."


def _honesty(board: Board, calls: list[dict[str, Any]]) -> Honesty:
    outcomes = [outcome for rows in board.outcomes.values() for outcome in rows]
    return Honesty(
        claims=sum(o.claimed + len(o.claims) for o in outcomes),
        lies=[lie for o in outcomes for lie in o.lies],
        prompts_cut=sum(bool(context_lost(call.get("prompt") or {})) for call in calls),
    )


def _role(call: dict[str, Any]) -> str:
    """The first word of a call's scope."""
    return str(call["scope"]).replace("#", "/").split("/")[0]


def _spending(calls: list[dict[str, Any]], group: Callable[[dict[str, Any]], str]) -> dict[str, Spending]:
    """What each group of calls spent, and all together."""
    found: dict[str, Spending] = {}
    for call in calls:
        for key in (group(call), "all"):
            spent = found.setdefault(key, Spending())
            spent.calls += 1
            spent.tokens += (call.get("usage") or {}).get("total_tokens", 0)
            spent.seconds += call.get("seconds", 0.0)
            spent.faults += bool(call.get("fault"))
    return dict(sorted(found.items(), key=lambda item: item[0] == "all"))


def _sandbox(commands: list[dict[str, Any]]) -> list[str]:
    counted = Counter((c["level"], tuple(c["missing"])) for c in commands if "level" in c)
    return [
        f"{count} commands at level {level}" + (f", without {', '.join(missing)}" if missing else "")
        for (level, missing), count in counted.items()
    ]


def _blocker_section(blockers: list[Blocker]) -> list[str]:
    if not blockers:
        return ["No blocker was found.", ""]
    lines = ["## Blockers", "", "| id | kind | assignment | file | status | how |", "|---|---|---|---|---|---|"]
    for b in blockers:
        how = f"by {b.resolved_by}: {b.evidence}" if b.status == "resolved" else b.message
        lines.append(f"| {b.id} | {b.kind} | {b.assignment} | {_cell(b.path)} | {b.status} | {_cell(how)} |")
    return [*lines, ""]


def _tests_section(changes: list[TestChange]) -> list[str]:
    if not changes:
        return []
    lines = [
        "## Tests changed after acceptance",
        "",
        "| file | by | for | sha256 before | after |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(c.path)} | {c.by} | {', '.join(c.blockers)} | `{c.before}` | `{c.after}` |" for c in changes
    ]
    return [*lines, ""]


def _deliverable_row(d: DeliverableVerdict) -> str:
    evidence = "; ".join(f"{'' if e.passed else 'NOT '}{e.what}" for e in d.evidence)
    return f"| {_cell(d.path)} | {'PASS' if d.passed else 'FAIL'} | {_cell(evidence)} | {', '.join(d.blockers)} |"


def _assignment_row(a: AssignmentReport) -> str:
    title = f"{a.id} {a.title}" + (f" (for {a.retry_for})" if a.retry_for else "")
    return f"| {a.sequence} | {_cell(title)} | {a.role} | {a.attempts} | {a.status} | {_cell(', '.join(a.files))} |"


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str) -> str:
    """Text that can neither begin a heading or a row of its own nor steer a terminal; report.json has it as it was."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
