"""The librarian: decides whether a task is solved by a tool that is there, by adapting one, or by writing anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agents.answers import answer
from agents.contracts import Contract, Sentence
from tools.skills.offering import Offered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.models.caller import Ask
    from tools.tasks import Task

DECIDING = """\
You are the librarian of a small software crew. A task came in, and the library found tools that may help. You decide
how the task is solved; you write no code.

Answer with one JSON object and nothing else:
{"decision": "reuse", "tool": "takt_time-1", "why": "..."}

- "reuse": the tool does exactly what the task asks, with the same parameters and units. It is tried on the task at once.
- "adapt": the tool does a part of the task, or nearly does it. A developer is shown its code and may import it.
- "write": none of the tools helps; "tool" is then empty. When in doubt, write.
"""


class Found(Offered):
    """A tool that the library found for a task, as it was then, with what it needs to run."""

    signature: str = ""
    statement: str = ""
    score: float = 0.0

    def solves(self, task: Task) -> bool:
        """Whether it was made for this very task: the same signature and the same statement."""
        return bool(self.signature) and (self.signature, self.statement) == (task.signature, task.statement)


class Choice(Contract):
    """How a task is to be solved, with which tool, and why."""

    decision: Literal["reuse", "adapt", "write"]
    tool: str = ""
    why: Sentence


async def decide(task: Task, found: Sequence[Found], ask: Ask, *, scope: str = "decide") -> Choice:
    """Choose between reusing, adapting and writing, given what the library found.

    Raises:
        ModelFault: of kind `invalid_answer` when no valid answer came.
    """
    tools = "\n\n".join(_shown(tool) for tool in found)
    messages: list[BaseMessage] = [
        SystemMessage(DECIDING),
        HumanMessage(
            f"Tools of the library, the most similar first:\n\n{tools}\n\n"
            f"The task: {task.title}\n\n{task.signature}\n\n{task.statement}"
        ),
    ]
    return await answer(ask, scope, messages, Choice, lambda choice: choice_problems(choice, found))


def choice_problems(choice: Choice, found: Sequence[Found]) -> list[str]:
    """Everything that makes a choice unusable."""
    known = [tool.id for tool in found]
    if choice.decision == "write":
        return [f'"tool" is {choice.tool!r}, but "write" uses none; leave it empty'] if choice.tool else []
    if choice.tool not in known:
        return [f"{choice.tool!r} is none of the tools {', '.join(known)}"]
    return []


def _shown(tool: Found) -> str:
    told = f"{tool.id} ({tool.evidence})" if tool.evidence else tool.id
    return f"{told}\n{tool.signature or tool.entry}\n{tool.description}"
