"""The node that proves a tool that is there: by the task's oracle, or where it has none by an author's tests."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agents.toolmaker import TEST
from graphs.factory.dossier import Dossier
from graphs.factory.library import key_of, library_of
from graphs.factory.schemas import FactoryState  # noqa: TC001 - LangGraph reads a router's hints
from graphs.running import Confined
from tools.errors import ToolRefused
from tools.events import Kind
from tools.memory.records import Use
from tools.skills.calling import call
from tools.skills.comparing import same
from tools.skills.exam import examine
from tools.skills.interface import agrees, read_interface, signature_of
from tools.skills.program import Program
from tools.workspace.view import decoded

if TYPE_CHECKING:
    from agents.librarian import Found
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.skills.running import Runner
    from tools.tasks import Task


async def prove(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Try the tool that was chosen on the task itself; one that does not solve it leads to new code."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    tool = dossier.tool(state["candidate"])
    assert tool is not None
    tree = await asyncio.to_thread(session.run.store.take, session.run.files, base=session.tree)
    began = time.monotonic()
    run = Confined(session, tree)
    wrong = await (
        _by_oracle(run, tool, dossier.task) if state["oracle"] else _by_tests(run, tool, dossier, session, tree)
    )
    dossier.fact("reuse", {"tool": tool.id, "solved": not wrong, "why": wrong})
    await asyncio.to_thread(_record, session, dossier, tool, wrong, time.monotonic() - began)
    await session.run.events.aemit(Kind.PROVED, tool=tool.id, solved=not wrong, why=wrong)
    if wrong:
        return {"tree": tree, "decision": "write"}
    return {"tree": tree, "skill": tool.id, "outcome": "reused"}


def after_prove(state: FactoryState) -> list[str]:
    """Route on whether the tool solves the task; tests that were written for it serve the new code as well."""
    if state["decision"] == "reuse":
        return ["solved"]
    return ["not solved"] if state["tested"] else ["not solved", "not solved: tests"]


async def _by_oracle(run: Runner, tool: Found, task: Task) -> str:
    """Where the tool differs from the reference on the inputs of the task; empty when it never does."""
    try:
        wrong = _unlike(tool.code, tool.entry, task.signature)
        if wrong:
            return wrong
        found = await call(run, tool.program, task.inputs, "the tool on the task")
        wanted = await call(run, Program(task.entry, task.reference), task.inputs, "the reference on the task")
    except ToolRefused as refusal:
        return str(refusal)
    for arguments, mine, right in zip(task.inputs, found, wanted, strict=True):
        if not same(mine, right):
            return f"for {arguments} it {mine.told}, and the right answer is: {right.told}"
    return ""


async def _by_tests(run: Runner, tool: Found, dossier: Dossier, session: Session[FactoryContext], tree: str) -> str:
    """Why the tool does not pass the tests of an author who knows the statement alone; empty when it does."""
    content = await asyncio.to_thread(lambda: dict(session.run.store.list(tree)))
    if TEST not in content:
        return "nobody wrote the tests that could prove it"
    tests = decoded(TEST, await asyncio.to_thread(session.run.store.read, tree, TEST))
    task = dossier.task
    try:
        signature = task.signature.replace(f"def {task.entry}", f"def {tool.entry}", 1)
        program = tool.program
        if tool.entry != task.entry:
            program = replace(program, entry=tool.entry)
            tests = tests.replace(
                f"from main import {task.entry}", f"from main import {tool.entry} as {task.entry}"
            )
            task = task.model_copy(update={"reference": _named(task.reference, task.entry, tool.entry)})
        found = await examine(
            run, program, tests, signature=signature, task=task, least_score=session.context.least_score
        )
    except ToolRefused as refusal:
        return str(refusal)
    return "" if found.passed else "; ".join(step.detail for step in found.steps if not step.passed)


def _named(reference: str, entry: str, name: str) -> str:
    """A reference, if there is one, whose function can be called by another name."""
    return f"{reference}\n{name} = {entry}\n" if reference else ""


def _unlike(code: str, entry: str, signature: str) -> str:
    """How what a tool takes and returns differs from what is asked, whatever it is called."""
    interface = replace(read_interface(code, entry), entry=signature_of(signature).entry)
    return "; ".join(agrees(interface, signature))


def _record(session: Session[FactoryContext], dossier: Dossier, tool: Found, wrong: str, seconds: float) -> None:
    """Record the use, unless the tool was tried on a task that it was not made for: that says nothing about it."""
    dossier.save(session.place, "prove")
    memory = library_of(session)
    if memory is None or (wrong and not tool.solves(dossier.task)):
        return
    memory.library.record_use(
        Use(
            key=key_of(session, f"prove/{tool.id}"),
            skill=tool.id,
            run=session.run.id,
            scope="prove",
            outcome="returned",
            seconds=seconds,
            detail=wrong,
            verified=not wrong,
        )
    )
