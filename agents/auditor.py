"""The auditor: reads what an assignment wrote, with no way to change it, and answers with findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, Field

from agents.answers import answer
from agents.contracts import Assignment, Blocker, Contract, Finding
from tools.errors import ToolRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.tools import BaseTool

    from agents.models.caller import Ask

SYSTEM = """\
You are the auditor of a small software crew. You read what was written for one assignment and compare it with what was
asked. You cannot change anything and you do not rewrite anything.

Report with submit_review. A finding of severity "blocker" is something that is wrong: the code does not do what the
assignment says, or would fail. Style, taste and ideas are at most "warning". No finding is a good answer.
"""

RECHECK = """\
You are the auditor of a small software crew. Earlier you found the problem below; since then the file was changed.
Answer with one JSON object and nothing else: {"resolved": true or false, "reason": "..."}. Judge this problem alone.
"""


class Review(BaseModel):
    """Hand in the review."""

    findings: list[Finding] = Field(default_factory=list, description="Empty when nothing is wrong.")


class Recheck(Contract):
    """Whether one finding still stands."""

    resolved: bool
    reason: str = ""


def briefing(assignment: Assignment, *, goal: str, shown: Mapping[str, str]) -> list[BaseMessage]:
    """The opening messages: the rules, the files in full, the assignment they must fulfil."""
    files = "\n\n".join(f"{path}:\n```\n{text}\n```" for path, text in shown.items()) or "(no file was written)"
    return [
        SystemMessage(SYSTEM),
        HumanMessage(
            f"The whole goal:\n{goal}\n\nWhat was written:\n\n{files}\n\n"
            f"The assignment {assignment.id}: {assignment.title}\n\n{assignment.task}"
        ),
    ]


def review_tool(paths: list[str]) -> BaseTool:
    """`submit_review`, which takes findings about files that exist."""

    def submit_review(findings: list[Finding] | None = None) -> str:
        strange = sorted({f.path for f in findings or []} - set(paths))
        if strange:
            raise ToolRefused(
                f"{strange[0]!r} is no file of the workspace; a finding names one of {', '.join(paths)}"
            )
        return "Review received."

    return StructuredTool.from_function(submit_review, description=Review.__doc__, args_schema=Review)


async def recheck(blocker: Blocker, text: str, ask: Ask, *, scope: str, seconds: float) -> Recheck:
    """Judge whether a finding is resolved in the file as it is now.

    Raises:
        ModelFault: no valid answer came.
    """
    messages = [
        SystemMessage(RECHECK),
        HumanMessage(
            f"{blocker.path} as it is now:\n```\n{text}\n```\n\nThe problem you found:\n{blocker.message}"
        ),
    ]
    return await answer(ask, scope, messages, Recheck, seconds=seconds)
