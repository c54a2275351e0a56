"""A skill as it is offered to an agent: a tool with the schema of its interface, whose code runs in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping  # noqa: TC003 - pydantic reads the hints
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict

from tools.errors import ToolRefused
from tools.skills.calling import Answer  # noqa: TC001 - pydantic reads the hints
from tools.skills.program import Program, program_of
from tools.skills.standing import evidence_of

if TYPE_CHECKING:
    from tools.memory.library import Library
    from tools.memory.records import Skill

PREFIX = "skill_"
"""Sets the skills apart from the tools that read and write files, and from what models call those."""

LONGEST_ANSWER = 8_000
"""Characters of a skill's answer that an agent is shown."""

LONGEST_NAME = 64
"""Characters that every provider takes in a tool's name."""


class Offered(BaseModel):
    """All that is needed to offer a skill and to run it, without the library that it came from."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    entry: str
    description: str
    parameters: dict[str, Any]
    code: str
    requires: dict[str, str]
    evidence: str

    @property
    def tool(self) -> str:
        """The name of its tool."""
        return f"{PREFIX}{self.name}"[:LONGEST_NAME]

    @property
    def program(self) -> Program:
        """The program that runs it."""
        return Program(self.entry, self.code, self.requires)


class SkillTool(BaseTool):
    """A skill as a LangChain tool; its arguments are those of its interface, whatever they are called."""

    answer: Callable[[Mapping[str, Any]], Answer]

    def _run(self, /, **arguments: Any) -> str:
        return shown(self.name, self.answer(arguments))


def offered(skill: Skill, library: Library) -> Offered:
    """A skill with everything that it needs to run."""
    program = program_of(skill, library)
    return Offered(
        id=skill.id,
        name=skill.name,
        entry=program.entry,
        description=skill.description,
        parameters=skill.parameters,
        code=program.code,
        requires=dict(program.requires),
        evidence=evidence_of(skill),
    )


def skill_tool(skill: Offered, answer: Callable[[Mapping[str, Any]], Answer]) -> BaseTool:
    """The tool of an offered skill; `answer` runs it in the sandbox, blocks, and may raise ToolRefused."""
    return SkillTool(
        name=skill.tool, description=skill.description, args_schema=dict(skill.parameters), answer=answer
    )


def shown(name: str, answer: Answer) -> str:
    """What an agent is told of an answer.

    Raises:
        ToolRefused: the skill did not come to an answer.
    """
    if answer.kind == "returned":
        text = json.dumps(answer.value, ensure_ascii=False)
        cut = f"… ({len(text)} characters in all)" if len(text) > LONGEST_ANSWER else ""
        return text[:LONGEST_ANSWER] + cut
    if answer.kind == "raised":
        return f"{name} raised {answer.error[:LONGEST_ANSWER]}"
    raise ToolRefused(f"{name} gave no answer: {answer.error[:LONGEST_ANSWER]}; do without it", reason=answer.kind)
