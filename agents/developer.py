"""The developer and, with another brief, the tester: writes the files that one assignment owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, Field

from agents.advice import advice
from agents.contracts import Assignment, Role
from tools.errors import ToolRefused
from tools.verification.parsing import may_be_empty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.tools import BaseTool

    from tools.skills.offering import Offered
    from tools.workspace.view import WorkspaceView

SHOWN_CHARACTERS = 24_000
LISTED_FILES = 100

SYSTEM = """\
You are a {role} in a small software crew. You work on one assignment, alone, and only through the tools.

- Write each file whole with write_file; change a piece of an existing one with edit_file. Never leave anything out,
  never write a placeholder.
- You may change only the files of your assignment. Read others with read_file.
- If something outside your files stops you, say so with raise_callback (level "blocker") and do what you can.
- When every file is written, call finish. What you claim there is compared with what is on disk.
{craft}"""

CRAFT = {
    Role.DEVELOPER: """- Write plain, typed, documented Python that needs only the standard library unless told otherwise.
- Do not write tests: a tester writes them from the same description, without your help.""",
    Role.TESTER: """- Write pytest tests from the description of what the code must do. Test behaviour and edges
  through the public names.
- Every test must be able to fail: assert exact values, never just that something exists.""",
}


SYSTEM_TEXTUAL = """\
You are a {role} in a small software crew. You work on one assignment, alone, and answer with files as text.

- Write each file whole. Never leave anything out, never write a placeholder.
- You may change only the files of your assignment.
- What you write is compared with what was asked.
{craft}"""


class Finish(BaseModel):
    """Say that the assignment is done."""

    summary: str = Field(description="What you did, in one or two sentences.")
    files: list[str] = Field(default_factory=list, description="The files you wrote.")


class RaiseCallback(BaseModel):
    """Tell the crew something: a blocker, a warning or a piece of information."""

    level: str = Field(pattern="^(info|warning|blocker)$", description="info, warning or blocker.")
    subject: str = Field(min_length=1, description="What it is about, such as a file.")
    message: str = Field(min_length=1, description="The whole message.")


def briefing(
    assignment: Assignment,
    *,
    goal: str,
    listing: Mapping[str, int],
    shown: Mapping[str, str],
    skills: Sequence[Offered] = (),
    failure: str = "",
    textual: bool = False,
) -> list[BaseMessage]:
    """The opening messages: the rules, the surroundings, and the task last.

    `shown` are files to read without asking: those depended on, and the assignment's own if they exist. `skills` are
    those that fit the task. `failure` is the whole error of the attempt before this one. A `textual` one is not
    told of tools.
    """
    rules = SYSTEM_TEXTUAL if textual else SYSTEM
    system = rules.format(role=assignment.role, craft=CRAFT[assignment.role])
    parts = [f"The whole goal, of which you do one part:\n{goal}", _listed(listing, assignment), *_texts(shown)]
    parts.append(advice(skills, assignment.role, textual=textual))
    if failure:
        parts.append(f"The attempt before this one failed. This is the whole error:\n{failure}")
    parts.append(_task(assignment))
    return [SystemMessage(system), HumanMessage("\n\n".join(part for part in parts if part))]


def closing_tools(view: WorkspaceView, assignment: Assignment) -> list[BaseTool]:
    """`raise_callback`, and `finish`, which refuses while a promised file is not on disk."""

    def finish(summary: str, files: list[str] | None = None) -> str:
        visible = view.paths()
        missing = [p for p in assignment.paths if not visible.get(p) and not (p in visible and may_be_empty(p))]
        if missing:
            raise ToolRefused(
                f"not finished: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or empty on disk; "
                f"write with write_file, then call finish",
                reason="unfinished",
            )
        return "Finished."

    def raise_callback(level: str, subject: str, message: str) -> str:
        return "Noted. Go on with what you can do, then call finish."

    return [
        StructuredTool.from_function(raise_callback, description=RaiseCallback.__doc__, args_schema=RaiseCallback),
        StructuredTool.from_function(finish, description=Finish.__doc__, args_schema=Finish),
    ]


def _task(assignment: Assignment) -> str:
    checks = [f"- {check.kind} {check.path} {check.value}".replace("  ", " ") for check in assignment.checks]
    measured = "\n\nMeasured afterwards:\n" + "\n".join(checks) if checks else ""
    files = "\n".join(f"- {path}" for path in assignment.paths)
    return f"Your assignment {assignment.id}: {assignment.title}\n\n{assignment.task}{measured}\n\nYour files:\n{files}"


def _listed(listing: Mapping[str, int], assignment: Assignment) -> str:
    """The files of the workspace; of very many, those beside the assignment's own first."""
    if not listing:
        return ""
    shown = list(listing)
    if len(listing) > LISTED_FILES:
        folders = {path.rpartition("/")[0] for path in assignment.paths}
        shown = sorted(listing, key=lambda path: path.rpartition("/")[0] not in folders)[:LISTED_FILES]
    lines = [f"- {path} ({listing[path]} bytes)" for path in shown]
    lines += [f"- and {len(listing) - len(shown)} more files"] if len(shown) < len(listing) else []
    return "Files in the workspace:\n" + "\n".join(lines)


def read_at_once(shown: Mapping[str, str]) -> list[str]:
    """Those of the shown files that the briefing has room for in full; the others are named only."""
    room = SHOWN_CHARACTERS
    found = []
    for path, text in shown.items():
        if len(text) <= room:
            found.append(path)
            room -= len(text)
    return found


def _texts(shown: Mapping[str, str]) -> Sequence[str]:
    whole = read_at_once(shown)
    return [
        f"{path}:\n```\n{text}\n```"
        if path in whole
        else f"{path} is long; read what you need of it with read_file."
        for path, text in shown.items()
    ]
