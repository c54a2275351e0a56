"""What every node needs: its run, the point of the run it works at, its model, and a listener for its events."""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langgraph.config import get_config, get_stream_writer
from langgraph.runtime import get_runtime

from agents.models.approach import Approach, first_approach, next_approach
from agents.models.budget import Budget
from agents.models.caller import Ask, Caller, Patience
from agents.models.cassette import CassettePlayer
from agents.models.journal import Journal
from agents.models.providers import open_model, split_name
from graphs.context import RunContext
from graphs.doors import two_doors
from tools.errors import StorageFailed
from tools.events import listening
from tools.redaction import redacted
from tools.runs.home import run_dir
from tools.runs.run import Run, clone_run, create_run, open_run
from tools.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from langchain_core.runnables import RunnableLambda

    from agents.models.approach import Experience
    from tools.runs.lineage import Position
    from tools.storage import Record

CASSETTE = "cassette:"
MODEL = "model"  # the resource of a run whose model was put there, and is not opened by its name
Context = TypeVar("Context", bound=RunContext, covariant=True)
Update = dict[str, Any]


@dataclass(frozen=True)
class Session(Generic[Context]):
    """One node at work: its run, its settings, and where in the run's history it stands."""

    run: Run
    context: Context
    place: Position
    tree: str | None

    @property
    def journal(self) -> Journal:
        """The journal of the run's model calls."""
        return journal_of(self.run)

    async def ask(self) -> Ask:
        """The way to the run's model from this point of its history.

        Raises:
            ModelUnknown, ModelUnavailable, CassetteError: there is no such model to ask.
        """
        return (await _caller(self.run, self.context)).at(self.place)

    async def approach(
        self, scope: str, before: Approach | None = None, failure: str = "", *, patient: bool = True
    ) -> Approach:
        """How the attempt of this scope is made: as experience has it, or `before` with one thing changed."""
        caller = await _caller(self.run, self.context)
        kept = await caller.choose(self.place, scope, lambda known: _picked(known, before, failure, patient))
        return Approach.model_validate(kept)

    async def choose(self, scope: str, find: Callable[[], Record]) -> Record:
        """What was found for a scope at this point, by the journal or the recording; else what `find` finds now.

        For what a step goes by that may be another the next time. `find` runs in a thread.
        """
        caller = await _caller(self.run, self.context)
        return await caller.choose(self.place, scope, lambda known: find())

    async def remember(self, scope: str, find: Callable[[], Record | None]) -> Record | None:
        """The same for what this machine alone knows, such as its library: a replay that has no record of it gets None."""
        return await (await _caller(self.run, self.context)).remember(self.place, scope, find)

    async def make(self, scope: str, make: Callable[[], Awaitable[Record]]) -> Record:
        """The same for what takes long, and is made on the loop."""
        return await (await _caller(self.run, self.context)).make(self.place, scope, make)

    async def is_last(self, scope: str, turn: int) -> bool:
        """Whether the run's budget ends with this call."""
        return await (await _caller(self.run, self.context)).is_last(self.place, scope, turn)


def _picked(known: Experience, before: Approach | None, failure: str, patient: bool) -> Record:
    approach = first_approach(known) if before is None else next_approach(before, failure, patient=patient)
    return approach.model_dump(mode="json")


def journal_of(run: Run) -> Journal:
    """The one open journal of a run."""
    with _opening:
        journal: Journal | None = run.resources.get("journal")
        if journal is None:
            journal = run.resources["journal"] = Journal(run.root / "cassette.jsonl", run.lineage)
        return journal


def node(
    work: Callable[[Any, Session[Any]], Awaitable[Update]], context: type[RunContext], *, advances: bool = True
) -> RunnableLambda[Any, Any]:
    """Make a graph node of `work(state, session)`: async, with a door for `graph.invoke`.

    An advancing node records that it finished and moves the state's position; one that runs beside others does not.
    """
    name = getattr(work, "__name__", "node")

    async def run_node(state: Mapping[str, Any]) -> Update:
        session = await _open(name, state, context)
        with listening(get_stream_writer()):
            update = await work(state, session)
            if advances:
                tree = update.get("tree", session.tree)
                after = await in_thread(session.run.advance, name, state.get("position"), tree)
                update = {**update, "position": after, "run": session.run.id}
        return update

    run_node.__name__ = name
    run_node.__doc__ = work.__doc__
    return two_doors(run_node)


async def _open(name: str, state: Mapping[str, Any], kind: type[RunContext]) -> Session[Any]:
    given = get_runtime(kind).context
    settings = kind() if given is None else given if isinstance(given, kind) else kind.model_validate(given)
    thread_id = get_config().get("configurable", {}).get("thread_id")
    run_id = str(thread_id or state.get("run") or uuid.uuid4())
    return await in_thread(_arrive, name, run_id, state, settings)


def _arrive(name: str, run_id: str, state: Mapping[str, Any], settings: RunContext) -> Session[Any]:
    position = state.get("position")
    run = _run_of(run_id, state, settings)
    place = run.arrive(position)
    run.register.redo(place, name)
    return Session(run, settings, place, run.lineage.tree(position))


def _run_of(run_id: str, state: Mapping[str, Any], settings: RunContext) -> Run:
    """Open the run of this thread; a thread that is a copy of another one gets a copy of its run."""
    if (run_dir(run_id) / "run.json").exists():
        return open_run(run_id)
    origin = state.get("run")
    if state.get("position") is None:
        # With its settings from the first moment, so that a killed run is resumed with the model it was given.
        chosen = settings.model_dump(mode="json")
        given = redacted({name: state[name] for name in settings.inputs if state.get(name)})
        return create_run(run_id, graph=settings.graph, inputs=given, settings=chosen, goal=given.get("goal", ""))
    if origin and origin != run_id:
        return clone_run(origin, run_id, state.get("position"))
    raise StorageFailed(
        f"the checkpoints of run {run_id!r} are here, its directory {str(run_dir(run_id))!r} is not; "
        f"put the directory back, or start a new run"
    )


_opening = threading.RLock()


async def _caller(run: Run, settings: RunContext) -> Caller:
    """The one caller of this run with these settings."""
    key = ("caller", settings.model_dump_json())
    caller: Caller | None = run.resources.get(key)
    if caller is None:
        model = run.resources.get(MODEL) or await _opened(settings)
        journal = await asyncio.to_thread(journal_of, run)
        budget = await asyncio.to_thread(_budget_of, run, settings)
        patience = Patience(settings.call_seconds, settings.outage_seconds)
        fresh = Caller(model, settings.model, journal, budget, run.events, settings.parallel, patience)
        caller = run.resources.setdefault(key, fresh)
    return caller


async def _opened(settings: RunContext) -> Any:
    if settings.model.startswith(CASSETTE):
        return await asyncio.to_thread(CassettePlayer, Path(settings.model.removeprefix(CASSETTE)))
    # The limit of a call is the caller's, who asks whether the server is alive; the model's own must not strike first.
    ours = split_name(settings.model)[0] == "ollama"
    options = {"seconds": 2 * settings.call_seconds} if ours else {}
    return await open_model(settings.model, base_url=settings.base_url, options=options)


def _budget_of(run: Run, settings: RunContext) -> Budget:
    with _opening:
        key = ("budget", settings.max_calls, settings.max_tokens, settings.max_seconds)
        budget: Budget | None = run.resources.get(key)
        if budget is None:
            budget = run.resources[key] = Budget.spent_by(
                journal_of(run).calls(),
                max_calls=settings.max_calls,
                max_tokens=settings.max_tokens,
                max_seconds=settings.max_seconds,
            )
        return budget
