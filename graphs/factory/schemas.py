"""What goes into a task of the factory, what comes out, what is kept between nodes, and how it may be set up."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import TypedDict

from graphs.context import AuthoringContext

Decision = Literal["reuse", "adapt", "write"]
Outcome = Literal["admitted", "reused", "duplicate", "failed"]


class FactoryInput(TypedDict, total=False):
    """The task; without one it is invented from the prompt, and without that drawn from the context's domain."""

    task: Annotated[dict[str, Any], Field(description="A whole task, with the fields of tools.tasks.Task.")]
    prompt: Annotated[str, Field(description="What the task to invent is to be about, in a sentence or more.")]


class FactoryOutput(TypedDict, total=False):
    """What a task came to; the code and its tests are in the run's directory."""

    run: Annotated[str, Field(description="The run's id, which is the thread's.")]
    title: Annotated[str, Field(description="What the task is about.")]
    decision: Annotated[Decision, Field(description="How it was solved in the end, or tried.")]
    outcome: Annotated[Outcome, Field(description="What came of it.")]
    skill: Annotated[str, Field(description="The id of the tool that solves it, if one does.")]
    verdict: Annotated[Literal["PASS", "FAIL"], Field(description="PASS when a proved tool solves the task.")]
    reasons: Annotated[list[str], Field(description="Where and why it failed, in full.")]
    workspace: Annotated[str, Field(description="Directory of the code and its tests.")]
    report: Annotated[str, Field(description="Path of the report, in Markdown.")]
    seconds: Annotated[dict[str, float], Field(description="Seconds spent in each phase.")]
    calls: Annotated[int, Field(description="Model calls that were made.")]


def added(known: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """Add up the seconds of each phase; a task that is drawn begins anew."""
    known = {} if "draw" in found else known
    return {**known, **{name: round(known.get(name, 0.0) + spent, 3) for name, spent in found.items()}}


class FactoryState(FactoryInput, FactoryOutput, total=False):
    """References and counts only: contents stand in the run's directory, so checkpoints stay small."""

    position: str
    tree: str
    oracle: bool
    candidate: str
    coded: int
    tested: int
    blames: list[str]
    seconds: Annotated[dict[str, float], added]


class FactoryContext(AuthoringContext):
    """The settings of the factory: the form in Studio, and the `context` argument in code."""

    graph: ClassVar[str] = "factory"
    inputs: ClassVar[tuple[str, ...]] = ("task", "prompt")

    domain: str = Field("any", description="Where tasks are drawn from: manufacturing, text, …, or any.")
    seed: int = Field(0, ge=0, description="The stream of tasks: the same seed draws the same ones.")
    number: int = Field(0, ge=0, description="Which task of the stream.")
    tries: int = Field(3, ge=1, le=10, description="Most attempts at the code, and most at its tests.")
    least_score: float = Field(
        0.6, ge=0, le=1, description="The share of small changes to the code that its tests must notice."
    )
    hold_out: float = Field(
        0.125,
        ge=0,
        le=0.5,
        description="The share of tasks that are not shown what the library found, so that its worth can be measured. "
        "A tool that was made for the very task is always used.",
    )
    remember: bool = Field(
        True, description="Look for tools in the library and keep what is learnt there; a replay does neither."
    )
