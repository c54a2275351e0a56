"""What goes into a build, what comes out, what is kept between nodes, and how it may be set up."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from graphs.context import AuthoringContext

Approval = Literal["plan", "tests", "delivery"]


class BuildInput(TypedDict, total=False):
    """What to build, and where it is to be delivered."""

    goal: Required[Annotated[str, Field(description="What to build, in a sentence or more.")]]
    into: Annotated[
        str, Field(description="Path of an existing git repository to build into, on a branch of its own.")
    ]


class BuildOutput(TypedDict, total=False):
    """What a build came to; the files themselves are in the run's directory."""

    run: Annotated[str, Field(description="The run's id, which is the thread's.")]
    verdict: Annotated[
        Literal["PASS", "FAIL"], Field(description="PASS only when everything promised was measured.")
    ]
    reasons: Annotated[list[str], Field(description="Why it did not pass.")]
    workspace: Annotated[str, Field(description="Directory of the files.")]
    report: Annotated[str, Field(description="Path of the report, in Markdown.")]
    archive: Annotated[str, Field(description="Path of the zip with code, ledger, events, report and cassette.")]
    branch: Annotated[str, Field(description="Branch made in the repository that was built into, if any.")]


def gathered(known: list[dict[str, Any]], found: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Collect what parallel developers return; None empties the list when it was taken up."""
    return [] if found is None else [*known, *found]


class BuildState(BuildInput, BuildOutput, total=False):
    """References and counts only: contents stand in the run's directory, so checkpoints stay small."""

    position: str
    tree: str
    planned: int
    ready: list[str]
    locked_tests: list[str]
    landed: Annotated[list[dict[str, Any]], gathered]
    open_blockers: int
    round: int
    rounds_left: int
    revisions: list[str]
    approved: bool


class DevelopInput(TypedDict, total=False):
    """What one developer is sent."""

    run: str
    position: str
    tree: str
    goal: str
    assignment: str
    attempt: int


class BuildContext(AuthoringContext):
    """The settings of a build: the form in Studio, and the `context` argument in code."""

    graph: ClassVar[str] = "build"
    inputs: ClassVar[tuple[str, ...]] = ("goal", "into")

    verification: Literal["quick", "standard", "thorough"] = Field(
        "standard",
        description="quick: files exist and parse. standard: tests and commands are run as well. "
        "thorough: tests are repeated more often and must notice small changes to the code.",
    )
    mutation_score: float = Field(
        0.6, ge=0, le=1, description="thorough: the share of changes to the code that the tests must notice."
    )
    approve: list[Approval] = Field(default_factory=list, description="Stop and ask before these steps.")
    max_rounds: int = Field(3, ge=0, le=20, description="How often blockers may go back to the manager.")
    skills: bool = Field(
        True, description="Offer developers and testers the tools of this machine's library that fit their work."
    )
    hold_out: float = Field(
        0,
        ge=0,
        le=0.5,
        description="The share of builds that are not offered the tools that fit, so that their worth can be measured.",
    )
    audit_seconds: float = Field(300, gt=0, description="Most seconds for the audit of one assignment.")
