"""An author at work: the files it owns and sees, its tools and limits, and what the ledger says it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.contracts import BlockerKind, Callback, Outcome, WrittenFile
from agents.models.approach import Approach
from agents.models.reading import spelled
from agents.toolbox import Toolbox
from graphs.conversation import Turns, Work
from tools.events import Kind
from tools.verification.claims import judged, outright
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.tools import BaseTool

    from graphs.context import AuthoringContext
    from graphs.session import Session
    from tools.storage import Record
    from tools.workspace.ledger import Actor


@dataclass(frozen=True)
class Author:
    """One attempt of one agent at files of its own; it sees the tree `base`, and its own files as they are."""

    session: Session[AuthoringContext]
    actor: Actor
    base: str | None

    @property
    def scope(self) -> str:
        """The name of this attempt in the journal."""
        return f"develop/{self.actor.assignment}#{self.actor.attempt}"

    async def approach(self, before: Record | None, last: Outcome | None) -> Approach:
        """How this attempt is made; after the approach `before`, with one thing changed that its outcome suggests."""
        if before is None:
            return await self.session.approach(self.scope)
        failure = last.stopped_by if last is not None else ""
        in_vain = last is not None and bool(failure) and not last.files
        tried = Approach.model_validate(before)
        return await self.session.approach(self.scope, tried, failure, patient=not in_vain)

    def view(
        self, owned: Sequence[str] = (), guards: Sequence[Callable[[str, str, str | None], None]] = ()
    ) -> WorkspaceView:
        """The workspace as this author sees it, with what it may write, and what guards each write."""
        run = self.session.run
        return WorkspaceView(
            run.files,
            run.store,
            run.ledger,
            run.events,
            actor=self.actor,
            base=self.base,
            owned=owned,
            guards=guards,
        )

    def toolbox(self, view: WorkspaceView, tools: Sequence[BaseTool], seen: Sequence[str] = ()) -> Toolbox:
        """The tools of this attempt, journalled; it was shown the files `seen` already."""
        session = self.session
        return Toolbox(
            tools,
            view=view,
            journal=session.journal,
            events=session.run.events,
            place=session.place,
            scope=self.scope,
            seen=seen,
        )

    async def work(
        self, toolbox: Toolbox, approach: Approach, *, paths: Sequence[str], existing: Mapping[str, str]
    ) -> Work:
        """The work of writing `paths`, of which `existing` were there with their texts, within the run's limits."""
        settings = self.session.context
        return Work(
            await self.session.ask(),
            toolbox,
            self.scope,
            "finish",
            settings.turns,
            approach=approach,
            paths=tuple(paths),
            existing=existing,
            max_tokens=settings.assignment_tokens,
            max_seconds=settings.assignment_seconds,
            is_last=self.session.is_last,
        )

    def outcome(self, turns: Turns, approach: Approach) -> Outcome:
        """What the attempt came to, from the ledger, with what the agent said beside it."""
        run, assignment, number = self.session.run, self.actor.assignment, self.actor.attempt
        closed, stopped = turns.get("closed", {}), turns.get("stopped", "")
        summary, claims = str(closed.get("summary", "")), [str(path) for path in closed.get("files") or []]
        files = [_written(record) for record in run.operations(assignment, number)]
        known = {_written(record).path for record in run.operations(assignment)}
        # An author has no way to run anything, so a claim that it did is false whatever the ledger holds of others.
        said = judged(summary, {file.path for file in files}, ())
        told = [path for path in outright(summary) if not any(f"/{name}".endswith(f"/{path}") for name in known)]
        return Outcome(
            assignment=assignment,
            attempt=number,
            status="failed" if stopped else "finished",
            failure=stopped,
            kind=_kind(turns.get("stopped_by", "")) if stopped else None,
            stopped_by=turns.get("stopped_by", ""),
            files=files,
            summary=summary,
            claims=list(dict.fromkeys([*claims, *told])),
            turns=turns.get("turn", 0),
            rung=turns.get("rung", approach.rung),
            changed=approach.changed[-1] if approach.changed else "",
            claimed=len(said),
            lies=[c.words for c in said if not c.true] + [path for path in claims if spelled(path) not in known],
        )

    def callbacks(self, turns: Turns) -> list[Callback]:
        """What the agent raised while it worked; it is told on the event log as well."""
        raised = [
            Callback(
                level=call["arguments"]["level"],
                sender=self.actor.role,
                assignment=self.actor.assignment,
                subject=call["arguments"]["subject"],
                message=call["arguments"]["message"],
            )
            for call in turns.get("calls", [])
            if call["name"] == "raise_callback" and not call["refused"]
        ]
        for callback in raised:
            self.session.run.events.emit(Kind.CALLBACK, **callback.model_dump(mode="json"))
        return raised


def _written(record: Record) -> WrittenFile:
    return WrittenFile(
        path=record["target"] or record["path"], op=record["op"], sha256=record["after"], size=record["size"]
    )


def _kind(stopped_by: str) -> BlockerKind:
    known = {"budget": BlockerKind.BUDGET, "stuck": BlockerKind.STUCK, "context_lost": BlockerKind.CONTEXT_LOST}
    return known.get(stopped_by, BlockerKind.AGENT_FAILED)
