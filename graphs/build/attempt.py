"""One attempt at one assignment: what the developer is given, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents import developer
from graphs.authoring import Author
from graphs.build.inspection import definitions_stay, spoken_of
from graphs.skills import Bench, fitting
from tools.verification.guards import write_guards
from tools.workspace.filetools import WRITING, Name, file_tools
from tools.workspace.ledger import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from agents.contracts import Assignment, Callback, Outcome
    from agents.models.approach import Approach
    from agents.toolbox import Toolbox
    from graphs.build.board import Board
    from graphs.build.schemas import BuildContext
    from graphs.conversation import Turns, Work
    from graphs.session import Session
    from tools.skills.offering import Offered
    from tools.workspace.view import WorkspaceView

BASIC: tuple[Name, ...] = ("list_files", "read_file", "search_files", "write_file", "edit_file")


@dataclass(frozen=True)
class Attempt:
    """One developer at one assignment, for the `number`-th time, from 0."""

    session: Session[BuildContext]
    board: Board
    assignment: Assignment
    number: int

    @property
    def author(self) -> Author:
        """The developer as an author of files."""
        actor = Actor(str(self.assignment.role), self.assignment.id, self.number)
        return Author(self.session, actor, self.session.tree)

    @property
    def scope(self) -> str:
        """The name of this attempt in the journal."""
        return self.author.scope

    async def approach(self) -> Approach:
        """How this attempt is made; a retry changes one thing against the attempt before."""
        kept = self.board.facts.get(f"approach/{self.assignment.id}#{self.number - 1}") if self.number else None
        return await self.author.approach(kept, self.board.last_outcome(self.assignment.id))

    async def work(self, goal: str, approach: Approach) -> tuple[Work, list[BaseMessage]]:
        """The tools and limits of the developer, and its opening messages."""
        # What the developer is told is what was there when its step began, so that a repeated step asks the same.
        before = self.author.view()
        shown = await asyncio.to_thread(self._shown, before)
        existing = {path: shown[path] for path in self.assignment.paths if path in shown}
        skills = await self._skills()
        # An agent that answers in text has no way to call one.
        offered = () if approach.rung.textual else skills
        toolbox = await asyncio.to_thread(self._toolbox, before, shown, existing, offered)
        messages = await asyncio.to_thread(self._briefing, goal, before, shown, approach, skills)
        return await self.author.work(toolbox, approach, paths=self.assignment.paths, existing=existing), messages

    def outcome(self, turns: Turns, approach: Approach) -> tuple[Outcome, list[Callback]]:
        """What the attempt came to, from the ledger, with what the agent raised."""
        return self.author.outcome(turns, approach), self.author.callbacks(turns)

    async def _skills(self) -> tuple[Offered, ...]:
        """The skills of the library that fit the task, unless the run is to do without."""
        if not self.session.context.skills:
            return ()
        return await fitting(self.session, self.scope, f"{self.assignment.title}\n{self.assignment.task}")

    def _toolbox(
        self,
        before: WorkspaceView,
        shown: Mapping[str, str],
        existing: Mapping[str, str],
        skills: Sequence[Offered],
    ) -> Toolbox:
        run, assignment = self.session.run, self.assignment
        kept = {p: text for p, text in existing.items() if definitions_stay(run, assignment, self.number, p)}
        view = self.author.view(assignment.paths, write_guards(spoken_of(self.board, assignment), kept))
        tools = _tools(view, before, assignment) + Bench(self.session, self.scope, lambda: view.key).tools(skills)
        return self.author.toolbox(view, tools, developer.read_at_once(shown))

    def _shown(self, before: WorkspaceView) -> dict[str, str]:
        """The texts of the files that the assignment is about or builds on."""
        listing, assignment, planned = before.paths(), self.assignment, self.board.assignments
        near = [path for d in assignment.depends_on if d in planned for path in planned[d].paths]
        if assignment.retry_for is not None and assignment.retry_for in planned:
            blamed = planned[assignment.retry_for]
            near += [path for a in (blamed, *(planned[d] for d in blamed.depends_on)) for path in a.paths]
        wanted = [path for path in dict.fromkeys([*near, *assignment.paths]) if path in listing]
        return {path: before.text(path) for path in wanted}

    def _briefing(
        self,
        goal: str,
        before: WorkspaceView,
        shown: Mapping[str, str],
        approach: Approach,
        skills: Sequence[Offered],
    ) -> list[BaseMessage]:
        board, assignment = self.board, self.assignment
        failure = board.facts.get(f"failure/{assignment.id}", "") if self.number else ""
        blamed_for = [board.blockers[b].message for b in assignment.blockers if b in board.blockers]
        return developer.briefing(
            assignment,
            goal=goal,
            listing=before.paths(),
            shown=shown,
            skills=skills,
            failure="\n\n".join([*blamed_for, *([failure] if failure else [])]),
            textual=approach.rung.textual,
        )


def _tools(view: WorkspaceView, before: WorkspaceView, assignment: Assignment) -> list[BaseTool]:
    # Few tools keep a weak model on its feet: deleting and moving are offered only where there is something to move.
    existing = any(before.exists(path) for path in assignment.paths)
    names = (*BASIC, *WRITING[2:]) if existing else BASIC
    return [*file_tools(view, names), *developer.closing_tools(view, assignment)]
