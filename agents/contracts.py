"""What the roles say to each other: plans, assignments, callbacks, findings, verdicts and the report."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FIRST_REMEDIATION = 100
VERIFICATION = 99
RETRIES = 3

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Contract(BaseModel):
    """A frozen value that one role hands to another."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Role(StrEnum):
    """Who may own files: the code's author or, another role, the tests' author."""

    DEVELOPER = "developer"
    TESTER = "tester"


class Check(Contract):
    """One acceptance check that code can measure."""

    kind: Literal["defines", "contains", "command"]
    path: str = Field("", description="File to look at, for defines and contains.")
    value: str = Field(
        description="defines: a function or class name; contains: a text; command: a command line that must exit with 0."
    )


class Assignment(Contract):
    """A planned unit of work: what to do, which files it owns and promises, and how that is measured."""

    id: Id
    role: Role = Role.DEVELOPER
    title: Sentence
    task: Sentence
    paths: list[str] = Field(
        min_length=1, description="Files that this assignment creates or changes, and it alone."
    )
    checks: list[Check] = Field(default_factory=list)
    depends_on: list[Id] = Field(default_factory=list)
    sequence: int = Field(0, description="Wave, from 1; 99 is the verification; from 100 on, remediation.")
    retry_for: Id | None = Field(None, description="The assignment whose blocker this one remediates.")
    blockers: list[str] = Field(default_factory=list, description="The blockers that this assignment answers.")
    round: int = Field(0, description="The round of remediation it was made in; 0 for planned work.")


class Plan(Contract):
    """The manager's answer to a goal."""

    summary: Sentence
    assignments: list[Assignment] = Field(min_length=1)


class BlockerKind(StrEnum):
    """Why something must be remediated."""

    MISSING_FILE = "missing_file"
    EMPTY_FILE = "empty_file"
    LOST_FILE = "lost_file"
    LOST_DEFINITION = "lost_definition"
    SYNTAX_ERROR = "syntax_error"
    CONTRACT_VIOLATION = "contract_violation"
    FALSE_CLAIM = "false_claim"
    TEST_FAILURE = "test_failure"
    TOOTHLESS_TEST = "toothless_test"
    COMMAND_FAILED = "command_failed"
    REVIEW_FINDING = "review_finding"
    CONTEXT_LOST = "context_lost"
    STUCK = "stuck"
    AGENT_FAILED = "agent_failed"
    INVALID_PLAN = "invalid_plan"
    BUDGET = "budget"
    RAISED = "raised"


class Callback(Contract):
    """What an agent raises while it works."""

    level: Literal["info", "warning", "blocker"]
    sender: str
    assignment: str
    subject: str
    message: str
    kind: BlockerKind = BlockerKind.RAISED


class Blocker(Contract):
    """A typed problem that must be remediated, and what became of it."""

    id: Id
    kind: BlockerKind
    assignment: str
    path: str = ""
    message: str
    sender: str
    round: int = 0
    status: Literal["open", "resolved", "debt"] = "open"
    resolved_by: str = ""
    evidence: str = ""
    given_up: str = Field("", description="Why no further assignment is made for what is to blame.")


class Finding(Contract):
    """What the auditor found in a file it read."""

    path: str
    severity: Literal["blocker", "warning"] = "warning"
    problem: Sentence
    line: int | None = None


class WrittenFile(Contract):
    """One file operation of an attempt, as the ledger has it."""

    path: str
    op: str
    sha256: str | None
    size: int


class Outcome(Contract):
    """What one attempt at an assignment came to, measured, with what the agent said beside it."""

    assignment: str
    attempt: int
    status: Literal["finished", "failed"]
    failure: str = ""
    kind: BlockerKind | None = None
    stopped_by: str = Field("", description="What stopped it: a fault of the model by its name, or a limit.")
    files: list[WrittenFile] = Field(default_factory=list)
    summary: str = ""
    claims: list[str] = Field(default_factory=list)
    turns: int = 0
    rung: str = Field("", description="How the model was asked: native calls, or files as text.")
    changed: str = Field("", description="The one thing that differs from the attempt before.")
    claimed: int = Field(0, description="How many claims the finishing message made.")
    lies: list[str] = Field(default_factory=list, description="Those that the ledger contradicts.")

    @property
    def files_created(self) -> list[str]:
        """The paths that the ledger saw written, each once, sorted."""
        return sorted({file.path for file in self.files if file.sha256 is not None})


class Evidence(Contract):
    """One measured fact behind a verdict."""

    what: str
    passed: bool
    detail: str = ""


class DeliverableVerdict(Contract):
    """PASS or FAIL of one promised file."""

    path: str
    assignment: str
    passed: bool
    sha256: str | None
    size: int
    evidence: list[Evidence]
    blockers: list[str] = Field(default_factory=list)


class Verdict(Contract):
    """What the final verification measured."""

    passed: bool
    reasons: list[str]
    deliverables: list[DeliverableVerdict]
    checks: list[Evidence] = Field(default_factory=list)
