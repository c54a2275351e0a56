"""The nodes of the work itself: a developer writes the code, and another author, who never sees it, its tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agents import developer, toolmaker
from graphs.authoring import Author
from graphs.factory.dossier import Dossier
from graphs.factory.generating import by_pynguin
from graphs.factory.schemas import FactoryState  # noqa: TC001 - LangGraph reads a router's hints
from graphs.turns import carry_out
from tools.events import Kind
from tools.workspace.filetools import file_tools
from tools.workspace.ledger import Actor
from tools.workspace.trees import EMPTY_TREE
from tools.workspace.view import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.messages import BaseMessage

    from agents.contracts import Assignment
    from agents.models.approach import Approach
    from graphs.conversation import Work
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.workspace.filetools import Name

FIRST: tuple[Name, ...] = ("read_file", "write_file")
AGAIN: tuple[Name, ...] = ("read_file", "write_file", "edit_file")


async def write(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Let a developer write the code; what the library found is shown when the decision is to adapt."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    await _attempt(session, dossier, toolmaker.coding(dossier.task, dossier.shown), state["coded"])
    return {"coded": state["coded"] + 1}


async def author(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Let an author who knows the statement alone write the tests, or pynguin, which knows the reference alone."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    if not await by_pynguin(session, dossier, state["tested"]):
        await _attempt(session, dossier, toolmaker.testing(dossier.task), state["tested"])
    return {"tested": state["tested"] + 1}


def after_author(state: FactoryState) -> Literal["tool to prove", "code to examine"]:
    """Route on what the tests are for: a tool that is there, or code that is being written."""
    return "tool to prove" if state["decision"] == "reuse" else "code to examine"


@dataclass(frozen=True)
class Piece:
    """One author at one of the two files, for the `number`-th time, from 0."""

    session: Session[FactoryContext]
    dossier: Dossier
    assignment: Assignment
    number: int

    @property
    def hand(self) -> Author:
        """The author, who sees no file but its own: neither the code nor the tests of the other."""
        actor = Actor(str(self.assignment.role), self.assignment.id, self.number)
        return Author(self.session, actor, EMPTY_TREE)

    async def approach(self) -> Approach:
        """How this attempt is made; a retry changes one thing against the attempt before."""
        kept = self.dossier.facts.get(f"approach/{self.assignment.id}#{self.number - 1}")
        last = self.dossier.outcomes.get(f"{self.assignment.id}#{self.number - 1}")
        return await self.hand.approach(kept, last)

    async def work(self, approach: Approach) -> tuple[Work, list[BaseMessage]]:
        """The tools and limits of the author, and its opening messages."""
        existing = await asyncio.to_thread(self._existing)
        view = self.hand.view(self.assignment.paths)
        tools = [*file_tools(view, AGAIN if existing else FIRST), *developer.closing_tools(view, self.assignment)]
        toolbox = self.hand.toolbox(view, tools, developer.read_at_once(existing))
        messages = developer.briefing(
            self.assignment,
            goal=self.dossier.task.title,
            listing={path: len(text.encode()) for path, text in existing.items()},
            shown=existing,
            failure=self.dossier.facts.get(f"failure/{self.assignment.id}", "") if self._again else "",
            textual=approach.rung.textual,
        )
        return await self.hand.work(toolbox, approach, paths=self.assignment.paths, existing=existing), messages

    @property
    def _again(self) -> bool:
        """Whether this author made the attempt before; what pynguin wrote is not its to see."""
        return self.number > 0 and not self.dossier.author(self.assignment.id, self.number - 1)

    def _existing(self) -> Mapping[str, str]:
        """What the author wrote before, as it was when this step began, so that a repeated step asks the same."""
        run, tree = self.session.run, self.session.tree
        here = run.store.list(tree) if tree is not None and self._again else {}
        paths = [path for path in self.assignment.paths if path in here]
        return {path: decoded(path, run.store.read(str(tree), path)) for path in paths}


async def _attempt(session: Session[FactoryContext], dossier: Dossier, assignment: Assignment, number: int) -> None:
    """Carry out one attempt and record what it came to."""
    piece = Piece(session, dossier, assignment, number)
    approach = await piece.approach()
    told = {"assignment": assignment.id, "role": assignment.role, "title": assignment.title, "attempt": number}
    changed = approach.changed[-1] if approach.changed else ""
    await session.run.events.aemit(Kind.ASSIGNMENT_STARTED, **told, rung=approach.rung, changed=changed)
    turns = await carry_out(*await piece.work(approach))
    outcome = await asyncio.to_thread(piece.hand.outcome, turns, approach)
    await asyncio.to_thread(piece.hand.callbacks, turns)
    dossier.outcome(outcome)
    dossier.fact(f"approach/{assignment.id}#{number}", approach.model_dump(mode="json"))
    await asyncio.to_thread(dossier.save, session.place, piece.hand.scope)
    fields = outcome.model_dump(mode="json")
    await session.run.events.aemit(Kind.ASSIGNMENT_FINISHED, role=assignment.role, **fields)
