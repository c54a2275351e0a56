"""The nodes before the work: look for tools that may help, and decide whether to reuse, adapt or write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import librarian
from agents.librarian import Choice, Found
from graphs.factory.dossier import Dossier
from graphs.factory.library import key_of, library_of
from graphs.factory.schemas import FactoryState  # noqa: TC001 - LangGraph reads a router's hints
from tools.errors import BudgetExhausted, ModelFault
from tools.events import Kind
from tools.memory.efforts import held_out, request_of
from tools.skills.offering import offered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.memory.efforts import Arm
    from tools.memory.memory import Memory
    from tools.memory.ranking import Hit
    from tools.tasks import Task

MOST_TOOLS = 5


async def recall(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Look in the library for tools that may help; what was found is kept with its code, and shown ones are counted.

    A task that is held out gets none of them.
    """
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    kept = await session.choose("recall", lambda: _found(session, dossier.task))
    found = [Found.model_validate(tool) for tool in kept["found"]]
    arm = kept.get("arm", "")
    dossier.fact("arm", arm)
    dossier.recalled([] if arm == "without" else found)
    await asyncio.to_thread(_record, session, dossier)
    return {}


async def decide(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Decide how the task is solved; without a tool that may help, or with the very tool, no model is asked."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    choice = await _choice(session, dossier)
    dossier.fact("choice", choice.model_dump(mode="json"))
    await asyncio.to_thread(dossier.save, session.place, "decide")
    await session.run.events.aemit(Kind.DECISION, **choice.model_dump(mode="json"))
    return {"decision": choice.decision, "candidate": choice.tool}


def after_decide(state: FactoryState) -> list[str]:
    """Route on the decision; a tool that is to be reused without an oracle has to pass an author's tests."""
    if state["decision"] == "reuse":
        return ["reuse"] if state["oracle"] else ["reuse, no oracle"]
    return ["adapt or write", "adapt or write: tests"]


def _found(session: Session[FactoryContext], task: Task) -> dict[str, Any]:
    memory = library_of(session)
    if memory is None:
        return {"found": [], "arm": ""}
    # What skills are indexed by; the words of a whole statement find the right one less often (benchmarks/recall.py).
    hits = memory.search(f"{task.title}\n{task.entry}\n{', '.join(task.tags)}", limit=MOST_TOOLS)
    found = [_as_found(hit, memory) for hit in hits]
    arm = _arm(task, found, session.context.hold_out)
    return {"found": [tool.model_dump(mode="json") for tool in found], "arm": arm}


def _as_found(hit: Hit, memory: Memory) -> Found:
    made_for = {name: str(hit.skill.plan.get(name, "")) for name in ("signature", "statement")}
    return Found(**offered(hit.skill, memory.library).model_dump(), **made_for, score=round(hit.score, 4))


def _arm(task: Task, found: Sequence[Found], share: float) -> Arm:
    """On which side of the comparison a task is; on none if nothing was found, or a tool that was made for it."""
    if not share or not found or any(tool.solves(task) for tool in found):
        return ""
    return "without" if held_out(task_request(task), share) else "with"


def task_request(task: Task) -> str:
    """What a task asks, as the memory compares requests."""
    return request_of(f"{task.signature}\n{task.statement}")


def _record(session: Session[FactoryContext], dossier: Dossier) -> None:
    memory = library_of(session)
    shown = [tool.id for tool in dossier.found]
    if memory is not None and shown:
        memory.library.expose(shown, session.run.id, "recall", key=key_of(session, "recall"))
    dossier.save(session.place, "recall")


async def _choice(session: Session[FactoryContext], dossier: Dossier) -> Choice:
    task, found = dossier.task, dossier.found
    if dossier.facts.get("arm") == "without":
        return Choice(
            decision="write", why="it is held out: what the library found is not shown, to see if it helps"
        )
    if not found:
        return Choice(decision="write", why="the library has no tool like it")
    for tool in found:
        if tool.solves(task):
            return Choice(decision="reuse", tool=tool.id, why="it was made for this very task")
    try:
        return await librarian.decide(task, found, await session.ask())
    except (ModelFault, BudgetExhausted) as error:
        return Choice(decision="write", why=f"nobody decided: {error}")
