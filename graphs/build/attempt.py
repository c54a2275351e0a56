"""One attempt at one assignment: what the developer is given, and what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents import developer
from agents.contracts import Assignment, BlockerKind, Callback, Outcome, WrittenFile
from agents.models.approach import Approach
from agents.models.reading import spelled
from agents.toolbox import Toolbox
from graphs.build.inspection import definitions_stay, spoken_of
from graphs.conversation import Turns, Work
from tools.events import Kind
from tools.verification.claims import judged
from tools.verification.guards import write_guards
from tools.workspace.filetools import WRITING, Name, file_tools
from tools.workspace.ledger import Actor
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from graphs.build.board import Board
    from graphs.build.schemas import BuildContext
    from graphs.session import Session
    from tools.storage import Record

BASIC: tuple[Name, ...] = ("list_files", "read_file", "search_files", "write_file", "edit_file")


@dataclass(frozen=True)
class Attempt:
    """One developer at one assignment, for the `number`-th time, from 0."""

    session: Session[BuildContext]
    board: Board
    assignment: Assignment
    number: int

    @property
    def scope(self) -> str:
        """The name of this attempt in the journal."""
        return f"develop/{self.assignment.id}#{self.number}"

    async def approach(self) -> Approach:
        """How this attempt is made; a retry changes one thing against the attempt before."""
        kept = self.board.facts.get(f"approach/{self.assignment.id}#{self.number - 1}")
        if not self.number or kept is None:
            return await self.session.approach(self.scope)
        last = self.board.last_outcome(self.assignment.id)
        failure = str(last.kind or "") if last is not None else ""
        return await self.session.approach(self.scope, Approach.model_validate(kept), failure)

    async def work(self, goal: str, approach: Approach) -> tuple[Work, list[BaseMessage]]:
        """The tools and limits of the developer, and its opening messages."""
        # What the developer is told is what was there when its step began, so that a repeated step asks the same.
        before = self._view(())
        shown = await asyncio.to_thread(self._shown, before)
        existing = {path: shown[path] for path in self.assignment.paths if path in shown}
        toolbox = await asyncio.to_thread(self._toolbox, before, shown, existing)
        messages = await asyncio.to_thread(self._briefing, goal, before, shown, approach)
        settings = self.session.context
        work = Work(
            await self.session.ask(),
            toolbox,
            self.scope,
            "finish",
            settings.turns,
            approach=approach,
            paths=tuple(self.assignment.paths),
            existing=existing,
            max_tokens=settings.assignment_tokens,
            max_seconds=settings.assignment_seconds,
            is_last=self.session.is_last,
        )
        return work, messages

    def outcome(self, turns: Turns, approach: Approach) -> tuple[Outcome, list[Callback]]:
        """What the attempt came to, from the ledger, with what the agent said beside it."""
        run, closed, stopped = self.session.run, turns.get("closed", {}), turns.get("stopped", "")
        summary, claims = str(closed.get("summary", "")), [str(path) for path in closed.get("files") or []]
        files = [_written(record) for record in run.operations(self.assignment.id, self.number)]
        known = {_written(record).path for record in run.operations(self.assignment.id)}
        # A developer has no way to run anything, so a claim that it did is false whatever the ledger holds of others.
        said = judged(summary, {file.path for file in files}, ())
        outcome = Outcome(
            assignment=self.assignment.id,
            attempt=self.number,
            status="failed" if stopped else "finished",
            failure=stopped,
            kind=_kind(turns.get("stopped_by", "")) if stopped else None,
            files=files,
            summary=summary,
            claims=claims,
            turns=turns.get("turn", 0),
            rung=turns.get("rung", approach.rung),
            changed=approach.changed[-1] if approach.changed else "",
            claimed=len(said),
            lies=[c.words for c in said if not c.true] + [path for path in claims if spelled(path) not in known],
        )
        return outcome, self._callbacks(turns)

    def _view(
        self, owned: Sequence[str], guards: Sequence[Callable[[str, str, str | None], None]] = ()
    ) -> WorkspaceView:
        run = self.session.run
        actor = Actor(str(self.assignment.role), self.assignment.id, self.number)
        return WorkspaceView(
            run.files,
            run.store,
            run.ledger,
            run.events,
            actor=actor,
            base=self.session.tree,
            owned=owned,
            guards=guards,
        )

    def _toolbox(self, before: WorkspaceView, shown: Mapping[str, str], existing: Mapping[str, str]) -> Toolbox:
        run, assignment = self.session.run, self.assignment
        kept = {p: text for p, text in existing.items() if definitions_stay(run, assignment, self.number, p)}
        view = self._view(assignment.paths, write_guards(spoken_of(self.board, assignment), kept))
        return Toolbox(
            _tools(view, before, assignment),
            view=view,
            journal=self.session.journal,
            events=run.events,
            place=self.session.place,
            scope=self.scope,
            seen=developer.read_at_once(shown),
        )

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
        self, goal: str, before: WorkspaceView, shown: Mapping[str, str], approach: Approach
    ) -> list[BaseMessage]:
        board, assignment = self.board, self.assignment
        failure = board.facts.get(f"failure/{assignment.id}", "") if self.number else ""
        blamed_for = [board.blockers[b].message for b in assignment.blockers if b in board.blockers]
        return developer.briefing(
            assignment,
            goal=goal,
            listing=before.paths(),
            shown=shown,
            failure="\n\n".join([*blamed_for, *([failure] if failure else [])]),
            textual=approach.rung.textual,
        )

    def _callbacks(self, turns: Turns) -> list[Callback]:
        raised = [
            Callback(
                level=call["arguments"]["level"],
                sender=str(self.assignment.role),
                assignment=self.assignment.id,
                subject=call["arguments"]["subject"],
                message=call["arguments"]["message"],
            )
            for call in turns.get("calls", [])
            if call["name"] == "raise_callback" and not call["refused"]
        ]
        for callback in raised:
            self.session.run.events.emit(Kind.CALLBACK, **callback.model_dump(mode="json"))
        return raised


def _tools(view: WorkspaceView, before: WorkspaceView, assignment: Assignment) -> list[BaseTool]:
    # Few tools keep a weak model on its feet: deleting and moving are offered only where there is something to move.
    existing = any(before.exists(path) for path in assignment.paths)
    names = (*BASIC, *WRITING[2:]) if existing else BASIC
    return [*file_tools(view, names), *developer.closing_tools(view, assignment)]


def _written(record: Record) -> WrittenFile:
    return WrittenFile(
        path=record["target"] or record["path"], op=record["op"], sha256=record["after"], size=record["size"]
    )


def _kind(stopped_by: str) -> BlockerKind:
    known = {"budget": BlockerKind.BUDGET, "stuck": BlockerKind.STUCK, "context_lost": BlockerKind.CONTEXT_LOST}
    return known.get(stopped_by, BlockerKind.AGENT_FAILED)
