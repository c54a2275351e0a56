"""What a run claims, taken up one by one against its own evidence, with the code that the run itself used.

The evidence is opened as a run of its own in a private directory, so the same functions that planned, judged and
reported read it again. Every check returns what it saw and raises `ProofBroken` for the first thing that does not hold.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from dulwich.objects import Blob

from agents.models.journal import Journal, read_cassette
from agents.verifier import judge
from graphs.build.board import Board
from graphs.build.report import Report, derived, markdown
from millwright.recordings import check_asked, check_told, whole_calls
from tools.errors import ProofBroken
from tools.events import Kind
from tools.runs.run import Run
from tools.verification.attestation import (
    ATTESTATION,
    REPORT,
    WORKSPACE,
    Facts,
    first_changed,
    first_difference,
    read_attestation,
    stated_executables,
    statement,
)
from tools.verification.dsse import require_signature
from tools.verification.evidence import PATCHES, READABLE, RUN, Bundle, bundle_of, check_members
from tools.verification.patching import Base, take_back
from tools.verification.records import agrees, check_events, check_ledger, hashes
from tools.workspace.trees import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from agents.contracts import Verdict
    from tools.storage import Record

CASSETTE = "cassette.jsonl"


class Claims:
    """The claims of one run, beside the evidence for them."""

    def __init__(self, source: Path) -> None:
        """Take up a zip or a run's directory; what is damaged shows in the check that needs it."""
        self._source = source
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was unpacked."""
        self._stack.close()

    @cached_property
    def bundle(self) -> Bundle:
        """The members, unpacked."""
        return self._stack.enter_context(bundle_of(self._source))

    @cached_property
    def run(self) -> Run:
        """The evidence as a run."""
        return self._stack.enter_context(closing(Run(self.bundle.folder)))

    @cached_property
    def journal(self) -> Journal:
        """The model calls of the run."""
        return self._stack.enter_context(closing(Journal(self.bundle.folder / CASSETTE, self.run.lineage)))

    @cached_property
    def report(self) -> Record:
        """The report as it was written, not yet believed."""
        return self.bundle.record(REPORT)

    @cached_property
    def ledger(self) -> list[Record]:
        """The lines of the ledger."""
        return self.bundle.lines("ledger.jsonl")

    @cached_property
    def events(self) -> list[Record]:
        """The lines of the event log."""
        return self.bundle.lines("events.jsonl")

    @property
    def version(self) -> str:
        """The version of Millwright that made the run."""
        header, _ = read_cassette(self.bundle.folder / CASSETTE)
        return str(header["version"])

    @cached_property
    def tree(self) -> str:
        """The id of the workspace as a git tree."""
        return self.run.store.take(self.run.files)

    @property
    def board(self) -> Board:
        """What the run knew of its work at its end, read anew."""
        return Board.of(self.run)

    @property
    def verdict(self) -> Verdict:
        """The verdict that the register holds."""
        found = self.board.verdict
        if found is None:
            raise ProofBroken("register.jsonl holds no verdict")
        return found

    @cached_property
    def measured(self) -> list[Record]:
        """The events of the verification that gave the verdict: from its first command to its end."""
        said = self.verdict.model_dump(mode="json")
        begin, found = 0, []
        for number, event in enumerate(self.events):
            if event["event"] == Kind.VERDICT:
                if agrees({name: event.get(name) for name in said}, said):
                    found = [*self.events[begin : number + 1], *_end_of_step(self.events[number + 1 :])]
                begin = number + 1
        if not found:
            raise ProofBroken("no VERDICT in events.jsonl is the verdict that register.jsonl holds")
        return found

    def check_members(self) -> str:
        """The members are those of a run, and each is the one that the manifest names."""
        return check_members(self.bundle)

    def check_statement(self, key: Ed25519PublicKey | None) -> str:
        """The statement says what follows from the members, and the owner of `key` signed it if one is given."""
        if not (self.bundle.folder / ATTESTATION).is_file():
            raise ProofBroken(f"{ATTESTATION} is missing; export the run again")
        envelope, stated = read_attestation(self.bundle.read(ATTESTATION))
        signed_by = require_signature(envelope, key) if key else ""
        executable = self.bundle.executable
        if executable is None:
            executable = stated_executables(stated)
        wrong = first_changed(stated, self.bundle.digests)
        wrong = wrong or first_difference(stated, statement(self._facts(executable)))
        if wrong:
            raise ProofBroken(wrong)
        for path in executable:
            (self.run.workspace / path).chmod(0o755)
        what = f"{len(stated['subject'])} files as its subjects, every other member beside them"
        return f"{what}; signed by {signed_by}" if signed_by else what

    def check_ledger(self) -> str:
        """The chain is whole and its end is the one that the report names."""
        return check_ledger(self.bundle.folder / "ledger.jsonl", self.ledger, self.report["ledger_head"])

    def check_events(self) -> str:
        """The events have no gap and tell of nothing that the ledger lacks; the verdict is among them."""
        seen = check_events(self.events, self.ledger)
        head = next(event["ledger"] for event in self.measured if event["event"] == Kind.VERDICT)
        if head not in hashes(self.ledger):
            raise ProofBroken(f"the VERDICT was given at the head {head!r}, which the ledger never had")
        return seen

    def check_cassette(self) -> str:
        """The recorded calls are whole, they account for every write of an agent, and they end as the report does."""
        _, lines = read_cassette(self.bundle.folder / CASSETTE)
        calls = whole_calls(lines)
        check_told(calls, self.events)
        check_asked(calls, self.ledger)
        deliverables = {d["path"]: d["sha256"] for d in self.report["deliverables"]}
        said = {"kind": "end", "verdict": self.report["verdict"], "deliverables": deliverables}
        if {name: lines[-1].get(name) for name in said} != said:
            raise ProofBroken("cassette.jsonl does not end with the verdict and the deliverables of the report")
        return f"{len(calls)} model calls, whole; they end as the report does"

    def check_files(self) -> str:
        """Every file is what the ledger saw written last, and every deliverable what the report names."""
        digests = {n.removeprefix(WORKSPACE): d for n, d in self.bundle.digests.items() if n.startswith(WORKSPACE)}
        written = self.run.ledger.files()
        for path, last in sorted(written.items()):
            if digests.get(path) != last and path not in self._admitted():
                raise ProofBroken(f"workspace/{path} is not what the ledger saw written last ({last})")
        foreign = sorted(digests.keys() - written.keys())
        base = self.board.facts.get("base")
        if foreign and base is None:
            raise ProofBroken(f"workspace/{foreign[0]} was written by nobody: the ledger does not know it")
        for deliverable in self.report["deliverables"]:
            path = deliverable["path"]
            info = self.run.files.info(path)
            found = (None, 0) if info is None else (info.sha256, info.size)
            if found != (deliverable["sha256"], deliverable["size"]):
                raise ProofBroken(f"workspace/{path} is not the {deliverable['sha256']} that the report names")
        if base is None and self._verified_tree() != self.tree:
            raise ProofBroken(f"the workspace is tree {self.tree}, but tree {self._verified_tree()} was verified")
        seen = f"{len(digests)} files; what the crew wrote is what the ledger and the report name"
        return f"{seen}; {len(foreign)} are from commit {base['commit'][:12]}" if base else seen

    def check_report(self) -> str:
        """The report is what the records give, and its readable form is its rendering."""
        report = Report.model_validate(self.report)
        if report.model_dump_json(indent=2).encode() + b"\n" != self.bundle.read(REPORT):
            raise ProofBroken(f"{REPORT} is not spelled as Millwright writes it: it was edited")
        verdict = self.verdict
        given = Report.model_validate(
            {
                **self.report,
                **derived(self.board, self.run.ledger, self.journal),
                "verdict": "PASS" if verdict.passed else "FAIL",
                "reasons": verdict.reasons,
                "deliverables": verdict.deliverables,
                "checks": verdict.checks,
            }
        )
        for name in Report.model_fields:
            if _unordered(getattr(report, name)) != _unordered(getattr(given, name)):
                raise ProofBroken(f"{name!r} of {REPORT} is not what the run's records give")
        if self.bundle.noted not in (None, report.verdict):
            raise ProofBroken(f"{RUN} says {self.bundle.noted!r}, {REPORT} says {report.verdict!r}")
        if markdown(report).encode() != self.bundle.read(READABLE):
            raise ProofBroken(f"{READABLE} is not the rendering of {REPORT}")
        return f"as the records give it; {READABLE} is its rendering"

    def check_judgement(self) -> None:
        """The verdict follows from its own evidence and from the blockers.

        Raises:
            ProofBroken: naming what does not follow.
        """
        board, verdict = self.board, self.verdict
        again = judge(
            board.planned(),
            {d.path: d.evidence for d in verdict.deliverables},
            {d.path: (d.sha256, d.size) for d in verdict.deliverables if d.sha256 is not None},
            list(board.blockers.values()),
            verdict.checks,
        )
        if (again.passed, sorted(again.reasons)) != (verdict.passed, sorted(verdict.reasons)):
            said, found = ("PASS" if v.passed else "FAIL" for v in (verdict, again))
            raise ProofBroken(
                f"the verdict says {said} for {verdict.reasons}; its evidence gives {found} for {again.reasons}"
            )
        for said_of, found_of in zip(verdict.deliverables, again.deliverables, strict=True):
            if _unordered([said_of]) != _unordered([found_of]):
                raise ProofBroken(f"the verdict on {said_of.path} does not follow from its own evidence")

    def check_patches(self) -> str:
        """The patches lead from the base, or from nothing, to the workspace."""
        names = self.bundle.digests
        patches = {n.removeprefix(PATCHES): self.bundle.read(n) for n in names if n.startswith(PATCHES)}
        files = {n.removeprefix(WORKSPACE): self.bundle.read(n) for n in names if n.startswith(WORKSPACE)}
        left = take_back(patches, files)
        base = self.board.facts.get("base")
        if base is None and left.files:
            raise ProofBroken(f"no patch gives the whole of workspace/{min(left.files)}")
        if base is not None and self._tree_of(left, set(files)) != base["files"]:
            raise ProofBroken(f"without the patches the workspace is not what commit {base['commit']} brought")
        origin = "nothing" if base is None else f"commit {base['commit'][:12]}"
        return f"{len(patches)} patches lead from {origin} to the {len(files)} files of the workspace"

    def _tree_of(self, left: Base, present: set[str]) -> str:
        """The id of the tree that is left when every patch is taken back."""
        changed = (present ^ left.files.keys()) | left.modes.keys()
        entries = {
            path: Entry(left.modes[path], Blob.from_string(left.files[path]).id.decode())
            if path in left.files
            else None
            for path in changed
        }
        return self.run.store.trees.edited(self.tree, entries)[0]

    def commands(self) -> dict[str, Record]:
        """The last run of each purpose in the verification that gave the verdict."""
        tree = self._verified_tree()
        runs = (event for event in self.measured if event["event"] == Kind.COMMAND and event["tree"] == tree)
        return {event["purpose"]: event for event in runs}

    def _facts(self, executable: frozenset[str]) -> Facts:
        return Facts(
            report=self.report,
            run=self.bundle.record(RUN),
            version=self.version,
            digests=self.bundle.digests,
            written=frozenset(path for path, last in self.run.ledger.files().items() if last is not None),
            base=self.board.facts.get("base"),
            executable=executable,
        )

    def _verified_tree(self) -> str | None:
        step = self.measured[-1]
        if step["event"] != Kind.STEP or step["tree"] not in self.run.lineage.trees():
            raise ProofBroken("lineage.jsonl does not know the tree that was verified")
        return str(step["tree"])

    def _admitted(self) -> set[str]:
        """Paths of which the report itself says that something is wrong."""
        failed = {d["path"] for d in self.report["deliverables"] if not d["passed"]}
        return failed | {debt["path"] for debt in self.report["debt"]}


def _end_of_step(events: list[Record]) -> list[Record]:
    """The STEP that a VERDICT belongs to, if it was reached before another verdict."""
    for event in events:
        if event["event"] == Kind.STEP:
            return [event]
    return []


def _unordered(value: Any) -> Any:
    """A field of a report without the order of its blockers, which a log that is read again does not keep."""
    if isinstance(value, list) and value and hasattr(value[0], "model_dump"):
        found = [item.model_dump(mode="json") for item in value]
        for item in found:
            if isinstance(item.get("blockers"), list):
                item["blockers"].sort()
        return sorted(found, key=repr)
    return sorted(value) if isinstance(value, list) else value
