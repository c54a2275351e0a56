"""What goes into a task of the factory, what comes out, what is kept between nodes, and how it may be set up."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from graphs.context import AuthoringContext
from tools.tasks import domains

Decision = Literal["reuse", "adapt", "write"]
Outcome = Literal["admitted", "reused", "duplicate", "failed"]


class GivenTask(TypedDict, total=False):
    """A task of one's own: `signature` and `statement` are enough; what is left out is read from the signature."""

    signature: Required[Annotated[str, Field(description="What to write: def name(parameter: type, ...) -> type.")]]
    statement: Required[
        Annotated[
            str,
            Field(description="All that an author needs: every parameter, unit, rounding, edge and error."),
        ]
    ]
    title: Annotated[str, Field(description="What it is about, in a few words.")]
    tags: Annotated[list[str], Field(description="Words to find the tool by.")]
    examples: Annotated[
        list[dict[str, Any]],
        Field(description='Calls with their right results: {"arguments": {"minutes": 480}, "result": 2.0}.'),
    ]
    reference: Annotated[
        str, Field(description="A program of yours that computes it; no model sees it. It proves the tool.")
    ]
    inputs: Annotated[
        list[dict[str, Any]], Field(description="Arguments on which a tool is compared with the reference.")
    ]
    id: Annotated[str, Field(description="The same for every task that is this one.")]
    domain: Annotated[str, Field(description="The field that it belongs to.")]
    family: Annotated[str, Field(description="What its variants have in common.")]
    entry: Annotated[str, Field(description="The function's name, as the signature has it.")]
    source: Annotated[str, Field(description="Where its formula stands.")]


class FactoryInput(TypedDict, total=False):
    """Nothing, for the next task of the stream; or a prompt, or a task of your own, which goes first."""

    prompt: Annotated[str, Field(description="What a task is to be invented about, in a sentence or more.")]
    task: Annotated[GivenTask, Field(description="A task of your own.")]


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

    domain: str = Field(
        "any",
        description="Where tasks are drawn from; any mixes all.",
        json_schema_extra=lambda schema: schema.update(enum=list(domains())),
    )
    seed: int = Field(0, ge=0, description="The stream of tasks: the same seed draws the same ones.")
    number: int | None = Field(
        None, ge=0, description="Which task of the stream, from 0; the next one if it is left out."
    )
    tries: int = Field(3, ge=1, le=10, description="Most attempts at the code, and most at its tests.")
    least_score: float = Field(
        0.6, ge=0, le=1, description="The share of small changes to the code that its tests must notice."
    )
    tests: Literal["model", "pynguin"] = Field(
        "model",
        description="Who writes the tests of new code. pynguin: found on the task's reference by the pynguin that is "
        "installed here; a task without a reference, and tests that the exam rejects, go to the model.",
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
