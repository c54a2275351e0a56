"""Driving a run from outside: start it, resume it, answer its questions, fork it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from langgraph.types import Command
from typing_extensions import TypedDict

from graphs.session import journal_of
from millwright.catalogue import BUILD, FACTORY, Drivable, drivable, graph_of
from millwright.checkpoints import open_sqlite
from millwright.unbegun import remove_unbegun
from tools.errors import (
    CassetteError,
    Fenced,
    MillwrightError,
    ModelUnavailable,
    RunUnknown,
    StorageFailed,
    Suspended,
    UsageError,
)
from tools.events import Kind
from tools.redaction import redact, redacted
from tools.runs.foreign import check_unchanged, settle_changes
from tools.runs.home import find_run, run_dir
from tools.runs.run import clone_run, open_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

    from graphs.context import RunContext
    from millwright.checkpoints import SqliteCheckpoints
    from tools.storage import Record

    Listener = Callable[[Record], None] | None


class Details(TypedDict, total=False):
    """What a task of the factory came to, beside what every result has; `graphs.factory.FactoryOutput` describes it."""

    title: str
    decision: Literal["reuse", "adapt", "write"]
    outcome: Literal["admitted", "reused", "duplicate", "failed"]
    skill: str
    seconds: dict[str, float]
    calls: int


@dataclass
class Result:
    """What a run came to, or where it stands; a build has no `details`."""

    run: str
    status: Literal["finished", "suspended", "waiting"]
    verdict: str = ""
    reasons: list[str] = field(default_factory=list)
    workspace: str = ""
    report: str = ""
    archive: str = ""
    branch: str = ""
    question: dict[str, Any] | None = None
    why: str = ""
    cause: str = ""
    details: Details = field(default_factory=Details)

    @property
    def exit_code(self) -> int:
        """0 verified, 1 finished but not verified, 3 suspended or waiting."""
        if self.status != "finished":
            return 3
        return 0 if self.verdict == "PASS" else 1


async def build(
    goal: str,
    *,
    into: str | None = None,
    run: str | None = None,
    listener: Listener = None,
    **settings: Any,
) -> Result:
    """Build a goal and return what came of it; `settings` are the fields of `graphs.build.BuildContext`.

    Raises:
        pydantic.ValidationError: a setting does not hold.
        UsageError: the goal or the model is not usable; nothing was kept.
        MillwrightError: the build cannot go on, for a reason that waiting does not mend.
    """
    inputs = {"goal": redact(goal), **({"into": into} if into else {})}
    return await start(BUILD, inputs, run=run, listener=listener, **settings)


async def make_tool(
    prompt: str = "",
    *,
    task: Record | None = None,
    run: str | None = None,
    listener: Listener = None,
    **settings: Any,
) -> Result:
    """Have the factory solve one task and return what came of it, in the result's `details`.

    That is the `task` (`graphs.factory.GivenTask`), or one that is invented about `prompt`, or the next of the stream.
    `settings` are the fields of `graphs.factory.FactoryContext`.

    Raises:
        pydantic.ValidationError: a setting does not hold.
        UsageError: the task, the prompt or the model is not usable; nothing was kept.
        MillwrightError: the task cannot go on, for a reason that waiting does not mend.
    """
    inputs = {**({"prompt": prompt} if prompt else {}), **({"task": task} if task is not None else {})}
    return await start(FACTORY, redacted(inputs), run=run, listener=listener, **settings)


async def start(
    graph: str,
    inputs: Record,
    *,
    run: str | None = None,
    listener: Listener = None,
    **settings: Any,
) -> Result:
    """Run a graph, by its name, on `inputs` and return what came of it; `settings` are the fields of its context.

    Raises:
        pydantic.ValidationError: a setting does not hold.
        UsageError: an input or the model is not usable; nothing was kept.
        MillwrightError: the run cannot go on, for a reason that waiting does not mend.
    """
    kind = drivable(graph)
    context = kind.context(**settings)
    async with open_sqlite() as saver:
        return await start_with(saver, kind, run or str(uuid.uuid4()), inputs, context, listener)


async def start_with(
    saver: SqliteCheckpoints,
    kind: Drivable,
    run_id: str,
    inputs: Record,
    context: RunContext,
    listener: Listener = None,
) -> Result:
    """Run a graph as `start` does, on checkpoints that are open already."""
    await saver.aclaim(run_id)
    await remove_unbegun(saver)
    try:
        return await _drive(saver, kind, run_id, inputs, context, listener)
    except (UsageError, CassetteError):
        await asyncio.to_thread(_forget_unbegun, run_id)
        raise


async def resume(
    prefix: str,
    *,
    answer: dict[str, Any] | None = None,
    changes: Literal["refuse", "keep", "discard"] = "refuse",
    take_over: bool = False,
    listener: Listener = None,
    **settings: Any,
) -> Result:
    """Go on with a run that was suspended, killed, or waits for an answer; `settings` replace those it had.

    Raises:
        RunUnknown, WorkspaceChanged, Fenced: it cannot go on as it is.
    """
    run_id = await asyncio.to_thread(find_run, prefix)
    async with open_sqlite() as saver:
        # Nothing of the run is looked at, let alone changed, before it is ours.
        await (saver.atake_over if take_over else saver.aclaim)(run_id)
        return await resume_with(saver, run_id, answer=answer, changes=changes, listener=listener, **settings)


async def resume_with(
    saver: SqliteCheckpoints,
    run_id: str,
    *,
    answer: dict[str, Any] | None = None,
    changes: Literal["refuse", "keep", "discard"] = "refuse",
    listener: Listener = None,
    **settings: Any,
) -> Result:
    """Go on with a run as `resume` does, on open checkpoints, of which it is the driver already."""
    manifest = await asyncio.to_thread(_made_ready, run_id, changes)
    kind = drivable(graph_of(manifest))
    context = kind.context(**{**manifest.get("settings", {}), **settings})
    inputs: Any = None
    if not await saver.ahas_state(run_id):
        inputs = manifest["inputs"]
    elif answer is not None:
        inputs = Command(resume=answer)
    return await _drive(saver, kind, run_id, inputs, context, listener)


async def fork(prefix: str, *, checkpoint: str | None = None) -> str:
    """Make a new run that stands where another one stood at a checkpoint (its latest by default); return its id.

    Raises:
        RunUnknown: there is no such run or checkpoint.
    """
    source = await asyncio.to_thread(find_run, prefix)
    target = str(uuid.uuid4())
    async with open_sqlite() as saver:
        found, position = await _checkpoint(saver, source, checkpoint)
        await asyncio.to_thread(clone_run, source, target, position)
        await saver.afork_thread(source, target, found)
    return target


async def history(prefix: str) -> list[dict[str, Any]]:
    """The checkpoints of a run, newest first: id, time, position, tree and the nodes that come next."""
    run_id = await asyncio.to_thread(find_run, prefix)
    name = await asyncio.to_thread(lambda: graph_of(open_run(run_id).manifest))
    async with open_sqlite() as saver:
        graph = drivable(name).compiled(saver)
        return [
            {
                "checkpoint": state.config["configurable"]["checkpoint_id"],
                "at": state.created_at,
                "position": state.values.get("position", "0.0"),
                "tree": state.values.get("tree"),
                "next": list(state.next),
            }
            async for state in graph.aget_state_history({"configurable": {"thread_id": run_id}})
        ]


def _made_ready(run_id: str, changes: Literal["refuse", "keep", "discard"]) -> Record:
    """Settle what a killed driver and other people left in the workspace; return the run's manifest."""
    run = open_run(run_id)
    if changes == "refuse":
        check_unchanged(run)
    else:
        settle_changes(run, keep=changes == "keep")
    run.sweep()
    return run.manifest


async def _drive(
    saver: SqliteCheckpoints,
    kind: Drivable,
    run_id: str,
    inputs: Any,
    context: RunContext,
    listener: Listener,
) -> Result:
    graph = kind.compiled(saver)
    config: RunnableConfig = {"configurable": {"thread_id": run_id}}
    try:
        async for event in graph.astream(inputs, config, context=context, stream_mode="custom"):
            if listener is not None:
                listener(event)
    except Fenced:
        raise
    except Suspended as error:
        # A server that refuses for good (a wrong key, say) is not one that is away.
        lasting = isinstance(error, ModelUnavailable) and not error.retryable
        return await _note_suspended(saver, run_id, str(error), "ModelRefused" if lasting else type(error).__name__)
    except asyncio.CancelledError:
        # Ctrl+C: every finished step is on disk, so there is nothing to do but to say so.
        return await _note_suspended(saver, run_id, "it was interrupted", "Interrupted")
    except UsageError:
        raise
    except MillwrightError as error:
        await _note_suspended(saver, run_id, str(error), type(error).__name__)
        raise
    return await _result(graph, config, run_id)


async def _note_suspended(saver: SqliteCheckpoints, run_id: str, why: str, cause: str) -> Result:
    """Note why the run stops here, unless it is another process's by now. Raises `Fenced`."""
    with contextlib.suppress(StorageFailed):
        await saver.aclaim(run_id)
    result = await asyncio.to_thread(_suspended, run_id, why)
    result.cause = cause
    return result


async def _result(graph: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, run_id: str) -> Result:
    state = await graph.aget_state(config)
    questions = [interrupt.value for task in state.tasks for interrupt in task.interrupts]
    values = state.values
    common: dict[str, Any] = {"run": run_id, "workspace": str(run_dir(run_id) / "workspace")}
    if questions:
        await asyncio.to_thread(_suspended, run_id, str(questions[0].get("question", "it waits for an answer")))
        return Result(status="waiting", question=questions[0], why=questions[0].get("question", ""), **common)
    verdict = values.get("verdict") or "FAIL"
    await asyncio.to_thread(_note_finished, run_id, verdict)
    return Result(
        status="finished",
        verdict=verdict,
        reasons=values.get("reasons") or [],
        report=values.get("report", ""),
        archive=values.get("archive", ""),
        branch=values.get("branch", ""),
        details=cast("Details", {name: values[name] for name in Details.__annotations__ if name in values}),
        **common,
    )


def _note_finished(run_id: str, verdict: str) -> None:
    """A fork of a run's end has no step left that would note it."""
    run = open_run(run_id)
    if run.manifest["status"] != "finished":
        run.note(status="finished", verdict=verdict)


def _suspended(run_id: str, why: str) -> Result:
    if not (run_dir(run_id) / "run.json").exists():
        return Result(run=run_id, status="suspended", why=why)
    run = open_run(run_id)
    before = run.manifest
    run.note(status="suspended", why=why)
    if (before["status"], before.get("why")) != ("suspended", why):
        run.events.emit(Kind.RUN_SUSPENDED, why=why)
    return Result(run=run_id, status="suspended", why=why, workspace=str(run.workspace))


def _forget_unbegun(run_id: str) -> None:
    """Remove the directory of a run that was refused before anything was asked of a model."""
    root = run_dir(run_id)
    if (root / "run.json").exists() and not journal_of(open_run(run_id)).calls():
        open_run(run_id).close()
        shutil.rmtree(root, ignore_errors=True)


async def _checkpoint(saver: SqliteCheckpoints, run_id: str, wanted: str | None) -> tuple[str, str | None]:
    """Id and position of the checkpoint that a person named by either; of the latest without a name."""
    config: RunnableConfig = {"configurable": {"thread_id": run_id, "checkpoint_ns": ""}}
    first: tuple[str, str] | None = None
    async for found in saver.alist(config):
        checkpoint = str(found.config["configurable"]["checkpoint_id"])
        position = found.checkpoint["channel_values"].get("position")
        if wanted in (None, checkpoint):
            return checkpoint, position
        if position == wanted:
            # Several checkpoints may share a position; work begins at the oldest, which the listing gives last.
            first = checkpoint, position
    if first is not None:
        return first
    which = f"checkpoint {wanted!r}" if wanted else "checkpoint yet"
    raise RunUnknown(f"run {run_id!r} has no {which}; `millwright runs show {run_id}` lists what there is")
