"""The inventor: turns a wish for tools into one small task that others can solve and test without asking back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import Field, StringConstraints

from agents.answers import answer
from agents.contracts import Contract, Sentence
from tools.errors import ToolRefused
from tools.memory.records import Example  # noqa: TC001 - pydantic reads the hints
from tools.skills.interface import read_interface
from tools.tasks import Task
from tools.tasks.given import example_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.models.caller import Ask

SHORTEST_STATEMENT = 80
INVENTING = """\
You invent one small programming task for a software crew that collects tools. You write no solution.

Answer with one JSON object and nothing else:
{"title": "...", "entry": "takt_time", "signature": "def takt_time(minutes: float, demand: int) -> float",
 "statement": "...", "tags": ["..."],
 "examples": [{"arguments": {"minutes": 480.0, "demand": 240}, "result": 2.0}]}

Rules:
- The task is one function that anyone can compute again: no files, network, clock, randomness or state. Its parameters
  and its result are annotated with what JSON can hold: int, float, bool, str, list[...], dict[str, ...] or None.
- "statement" says everything its authors need, who do not see this conversation: what every parameter means with its
  unit and range, what the result is, how it is rounded, what happens at the edges, and which input raises ValueError.
- "examples" are at least two, with the exact results.
- The task is none of those that were set before.
"""


class Invention(Contract):
    """A task as the inventor answers it."""

    title: Sentence
    entry: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{2,63}$")]
    signature: Sentence
    statement: Sentence
    tags: list[str] = Field(default_factory=list, max_length=8)
    examples: list[Example] = Field(min_length=2)


async def invent(prompt: str, before: Sequence[str], ask: Ask, *, scope: str = "invent") -> Task:
    """Invent a task about `prompt` that is none of those with the titles `before`.

    Raises:
        ModelFault: of kind `invalid_answer` when no valid task came.
    """
    known = "\n".join(f"- {title}" for title in before) or "(none)"
    messages: list[BaseMessage] = [
        SystemMessage(INVENTING),
        HumanMessage(f"Tasks that were set before:\n{known}\n\nWhat the task is to be about:\n{prompt}"),
    ]
    found = await answer(ask, scope, messages, Invention, lambda made: invention_problems(made, before))
    return Task(
        id=found.entry,
        domain="prompt",
        family=found.entry,
        title=found.title,
        entry=found.entry,
        signature=found.signature,
        statement=found.statement,
        tags=tuple(found.tags),
        source="",
        examples=tuple(found.examples),
    )


def invention_problems(made: Invention, before: Sequence[str]) -> list[str]:
    """Everything that makes an invented task unusable, in sentences that the inventor can act on."""
    wrong = [f"the title {made.title!r} was set before; invent another task"] if made.title in before else []
    try:
        interface = read_interface(f'{made.signature.rstrip(": ")}:\n    """{made.entry}."""\n', made.entry)
    except ToolRefused as refusal:
        return [*wrong, f"the signature cannot be used: {refusal}"]
    names = list(interface.parameters.get("properties", {}))
    if len(made.statement) < SHORTEST_STATEMENT:
        wrong.append(f"the statement has {len(made.statement)} characters; say everything that an author needs")
    wrong += [
        f"the statement does not speak of the parameter {name!r}" for name in names if name not in made.statement
    ]
    wrong += [w for example in made.examples for w in example_problems(example, interface.parameters)]
    return wrong
