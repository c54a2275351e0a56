"""The node that begins: the task is the one given, or invented from a prompt, or drawn from the stream."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from agents import inventor
from graphs.factory.dossier import Dossier
from graphs.factory.library import library_of
from graphs.factory.schemas import FactoryState  # noqa: TC001 - LangGraph reads a router's hints
from tools.errors import BudgetExhausted, ModelFault, UsageError
from tools.events import Kind
from tools.runs.counters import settle_number, take_number
from tools.sandbox import Sandbox
from tools.storage import canonical
from tools.tasks import Task, stream
from tools.tasks import draw as drawn
from tools.tasks.given import given
from tools.threads import in_thread
from tools.workspace.ledger import Actor, FileOperation

if TYPE_CHECKING:
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.runs.run import Run

EARLIER = 30
"""So many tasks that were set before are told to whoever invents the next."""


async def draw(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Take the task that was given, invent one from the prompt, or draw the next one of the stream."""
    prompt = _prompt(state)
    task = None if prompt and not state.get("task") else as_read(await in_thread(_set, state, session))
    inputs = {"prompt": prompt} if task is None else {"task": task.model_dump(mode="json")}
    await in_thread(_begin, session, inputs)
    problem = ""
    if task is None:
        try:
            task = as_read(await inventor.invent(prompt, await _earlier(session), await session.ask()))
        except (ModelFault, BudgetExhausted) as error:
            problem = f"no task was invented: {error}"
    tree = await in_thread(_prepare, session, task, prompt)
    return {
        **(_drawn(task) if task else {"title": prompt, "oracle": False}),
        "reasons": [problem] if problem else [],
        "task": {},
        "tree": tree,
        "workspace": str(session.run.workspace),
        "decision": "write",
        "outcome": "failed",
        "candidate": "",
        "skill": "",
        "coded": 0,
        "tested": 0,
        "blames": [],
    }


def as_read(task: Task) -> Task:
    """The task as it is read back from a log, so that a resumed run and a replay tell it in the same words."""
    return Task.model_validate_json(canonical(task.model_dump(mode="json")))


def after_draw(state: FactoryState) -> Literal["task", "no task"]:
    """Route on whether there is a task."""
    return "no task" if state["reasons"] else "task"


def _drawn(task: Task) -> dict[str, Any]:
    return {"title": task.title, "oracle": bool(task.reference and task.inputs)}


def _prompt(state: FactoryState) -> str:
    prompt = state.get("prompt") or ""
    if not isinstance(prompt, str):
        raise UsageError(f"the prompt is {prompt!r}; say in a sentence what the task is to be about")
    return prompt.strip()


def _set(state: FactoryState, session: Session[FactoryContext]) -> Task:
    """The task of the input, or one of the stream that the settings name.

    Raises:
        UsageError: it is no task, or there is no such domain.
    """
    if task := state.get("task"):
        return given(task)
    return drawn(session.context.domain, session.context.seed, _number(session))


def _number(session: Session[FactoryContext]) -> int:
    """The number that the settings name, or the stream's next; a draw that is repeated goes on with the one it had."""
    run, context = session.run, session.context
    if context.number is not None:
        return context.number
    kept = run.manifest.get("drawn", {})
    if kept.get("step") != session.place.step:
        name, holder = stream(context.domain, context.seed), f"{run.id}/{session.place.step}"
        kept = {"step": session.place.step, "number": take_number(name, holder)}
        run.note(drawn=kept)
        settle_number(name, holder)
    return int(kept["number"])


async def _earlier(session: Session[FactoryContext]) -> list[str]:
    """The titles of the tasks that were set last, as they were when this one was invented."""

    def find() -> dict[str, Any]:
        memory = library_of(session)
        return {"titles": [] if memory is None else [task.title for task in memory.library.tasks(EARLIER, None)]}

    return list((await session.choose("earlier", find))["titles"])


def _begin(session: Session[FactoryContext], inputs: dict[str, Any]) -> None:
    run, settings = session.run, session.context.model_dump(mode="json")
    run.note(settings=settings, status="running")
    header = {"graph": session.context.graph, "inputs": inputs, "version": version("millwright")}
    session.journal.open(**header, settings=settings)


def _prepare(session: Session[FactoryContext], task: Task | None, prompt: str) -> str:
    """Note the task, and begin in an empty workspace; return its tree."""
    run = session.run
    goal = prompt if task is None else task.title
    run.note(goal=goal)
    settings = session.context.model_dump(mode="json")
    run.events.emit(Kind.RUN_STARTED, run=run.id, goal=goal, settings=settings)
    if session.context.sandbox == "off":
        run.events.emit(Kind.SANDBOX, level="off", banner=Sandbox.choose("off").banner)
    run.files.sweep()
    _clear(run)
    dossier = Dossier.of(run)
    dossier.clear()
    if task is not None:
        dossier.fact("task", task.model_dump(mode="json"))
    dossier.save(session.place, "draw")
    return run.store.take(run.files)


def _clear(run: Run) -> None:
    """Take away what an earlier task of the same run left."""
    for path, before in sorted(run.ledger.files().items()):
        if before is not None and run.files.info(path) is not None:
            key = f"clear:{run.ledger.head[:16]}:{path}"
            operation = FileOperation("restore", path, before, None, 0, Actor("millwright"), key)
            run.ledger.intend(operation)
            run.files.delete(path)
            run.ledger.settle(operation)
