"""Proving a task of the factory: its logs, its recording, its files, and its exam sat once more."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from agents.models.journal import read_cassette
from agents.toolmaker import MAIN, TEST
from graphs.factory.composing import composed, imported
from graphs.factory.dossier import Dossier
from graphs.factory.generating import PYNGUIN
from graphs.factory.report import Report, markdown
from millwright.recordings import check_asked, check_made, check_told, whole_calls
from tools.errors import ProofBroken, UsageError
from tools.runs.run import Run
from tools.skills.exam import examine
from tools.skills.running import confined
from tools.storage import Record, read_lines
from tools.verification.proof import Proof, carried_out
from tools.verification.records import check_events, check_ledger
from tools.workspace.ledger import check_chain

if TYPE_CHECKING:
    from pathlib import Path

    from tools.sandbox.sandbox import Policy


def prove_task(source: str, root: Path, *, rerun: bool, sandbox: Policy) -> Proof:
    """Check every claim of a finished task of the factory, in its own directory. Blocks.

    Raises:
        UsageError: it is not finished.
    """
    if not (root / "report.json").is_file():
        raise UsageError(
            f"task {root.name!r} is not finished; `millwright runs resume {root.name}` goes on with it"
        )
    proof = Proof(source)
    with closing(Run(root)) as run:
        task = _Task(run)
        proof.checks = carried_out(
            [
                ("ledger", task.check_ledger),
                ("events", task.check_events),
                ("cassette", task.check_cassette),
                ("files", task.check_files),
                ("report", task.check_report),
                ("exam", lambda: task.check_exam(sandbox) if rerun else None),
            ]
        )
        if proof.holds:
            proof.run, proof.claimed = task.report.run, task.verdict
    return proof


class _Task:
    """A finished task, beside the evidence for it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = [record for record, _ in read_lines(run.root / "ledger.jsonl")]
        self._events = [record for record, _ in read_lines(run.root / "events.jsonl")]

    @cached_property
    def report(self) -> Report:
        """The report as it was written, not yet believed."""
        return Report.model_validate_json((self._run.root / "report.json").read_bytes())

    @property
    def verdict(self) -> str:
        """What the report comes to."""
        return "FAIL" if self.report.outcome == "failed" else "PASS"

    @cached_property
    def dossier(self) -> Dossier:
        """What the run knew of its task at its end."""
        return Dossier.of(self._run)

    def check_ledger(self) -> str:
        """The chain is whole."""
        path = self._run.root / "ledger.jsonl"
        check_ledger(path, self._ledger, check_chain(path))
        return f"{len(self._ledger)} lines, each chained to the one before"

    def check_events(self) -> str:
        """The events have no gap and tell of nothing that the ledger lacks."""
        return check_events(self._events, self._ledger)

    def check_cassette(self) -> str:
        """The recorded calls are whole, and with what pynguin wrote they account for every write of an author."""
        _, lines = read_cassette(self._run.root / "cassette.jsonl")
        calls = whole_calls(lines)
        check_told(calls, self._events)
        made = [record for record in self._ledger if record["actor"]["role"] == PYNGUIN]
        check_made(lines, made)
        check_asked(calls, [record for record in self._ledger if record not in made])
        end: Record = next((line for line in reversed(lines) if line["kind"] == "end"), {})
        if end.get("verdict") != self.verdict:
            raise ProofBroken(f"cassette.jsonl ends with {end.get('verdict')!r}, the report with {self.verdict!r}")
        return f"{len(calls)} model calls, whole"

    def check_files(self) -> str:
        """Every file is what the ledger saw written last."""
        written = {path: sha for path, sha in self._run.ledger.files().items() if sha is not None}
        for path, last in sorted(written.items()):
            info = self._run.files.info(path)
            if info is None or info.sha256 != last:
                raise ProofBroken(f"workspace/{path} is not what the ledger saw written last ({last})")
        return f"{len(written)} files are what the ledger saw written"

    def check_report(self) -> str:
        """The report says of the exam what the register holds, and its readable form is its rendering."""
        exams = self.dossier.exams
        if self.report.exam != (exams[-1] if exams else {}):
            raise ProofBroken("report.json tells of another exam than register.jsonl")
        if markdown(self.report).encode() != (self._run.root / "report.md").read_bytes():
            raise ProofBroken("report.md is not the rendering of report.json")
        return "as the register has it; report.md is its rendering"

    def check_exam(self, sandbox: Policy) -> str | None:
        """The exam ends as it did; there is none where a tool was reused or nothing was written."""
        exam = self.report.exam
        if not exam.get("passed"):
            return None
        task = self.dossier.task
        code, tests = (self._run.files.read(path).decode() for path in (MAIN, TEST))
        program = composed(task.entry, code, imported(code, self.dossier.shown))
        least = float(self._run.manifest["settings"]["least_score"])
        found = asyncio.run(
            examine(confined(sandbox), program, tests, signature=task.signature, task=task, least_score=least)
        )
        if found.failed is not None:
            raise ProofBroken(f"the exam passed when it was recorded, and fails now at {found.failed.name}")
        return f"passed again, in {len(found.steps)} steps"
