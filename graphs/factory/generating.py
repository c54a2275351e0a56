"""The other author of tests: pynguin, which searches the task's reference and never sees the tool's code.

It gets one try, for from the same reference it would find much the same again. Where there is no reference, or the exam
says that its tests do not tell enough, the model writes the tests, and is shown nothing of what pynguin wrote: that says
what the reference answers.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from agents.contracts import Outcome, WrittenFile
from agents.toolmaker import TEST, TESTS
from graphs.authoring import Author
from graphs.running import Confined
from tools.errors import FileMissing, ToolRefused
from tools.events import Kind
from tools.skills.pynguin.authoring import write_tests
from tools.skills.pynguin.interpreter import find_pynguin
from tools.workspace.ledger import Actor
from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from graphs.factory.dossier import Dossier
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.storage import Record
    from tools.workspace.view import WorkspaceView

PYNGUIN = "pynguin"
"""The role under which the ledger names it."""


async def by_pynguin(session: Session[FactoryContext], dossier: Dossier, number: int) -> bool:
    """Let pynguin write the tests if it was chosen and has not tried yet; tell whether it did.

    Raises:
        UsageError: it was chosen and is not installed here.
        SandboxUnavailable: nothing here confines a process.
    """
    author = Author(session, Actor(PYNGUIN, TESTS, number), EMPTY_TREE)
    view = author.view([TEST])
    if number and dossier.author(TESTS, number - 1):
        await asyncio.to_thread(_withdraw, session, view)
    task = dossier.task
    if session.context.tests != PYNGUIN or number or not (task.reference and task.inputs):
        return False
    told = {"assignment": TESTS, "role": PYNGUIN, "title": f"Tests: {task.title}", "attempt": number}
    await session.run.events.aemit(Kind.ASSIGNMENT_STARTED, **told, rung="", changed="")
    made = await session.make(f"{PYNGUIN}/{TESTS}", lambda: _made(session, dossier))
    outcome = await asyncio.to_thread(_put, session, dossier, author, view, made)
    await session.run.events.aemit(Kind.ASSIGNMENT_FINISHED, role=PYNGUIN, **outcome.model_dump(mode="json"))
    return outcome.status == "finished"


async def _made(session: Session[FactoryContext], dossier: Dossier) -> Record:
    """The tests and who wrote them, or why there are none."""
    pynguin = await asyncio.to_thread(find_pynguin)
    try:
        written = await write_tests(Confined(session, EMPTY_TREE), pynguin, dossier.task)
    except ToolRefused as refusal:
        return {"author": pynguin.name, "text": "", "why": str(refusal)}
    return {"author": written.author, "text": written.text, "why": ""}


def _put(
    session: Session[FactoryContext], dossier: Dossier, author: Author, view: WorkspaceView, made: Record
) -> Outcome:
    """Write the tests, if there are any, and record what the attempt came to."""
    number = author.actor.attempt
    if made["why"]:
        dossier.fact(f"refused/{TESTS}", {"by": made["author"], "why": made["why"]})
        return Outcome(assignment=TESTS, attempt=number, status="failed", failure=made["why"])
    view.key = f"{session.place}/{PYNGUIN}/write"
    written = view.write(TEST, made["text"])
    file = WrittenFile(path=TEST, op=written["op"], sha256=written["after"], size=written["size"])
    outcome = Outcome(assignment=TESTS, attempt=number, status="finished", files=[file])
    dossier.fact(f"author/{TESTS}#{number}", made["author"])
    dossier.outcome(outcome)
    dossier.save(session.place, author.scope)
    return outcome


def _withdraw(session: Session[FactoryContext], view: WorkspaceView) -> None:
    """Take pynguin's tests away before the model writes its own; done once, however often the step is repeated."""
    view.key = f"{session.place}/{PYNGUIN}/withdraw"
    with suppress(FileMissing):
        view.delete(TEST)
