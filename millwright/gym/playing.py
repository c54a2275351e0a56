"""Playing scenarios: each is a whole build by the real graph, with the hostile server in the model's place."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphs.build import BuildContext, graph
from graphs.session import MODEL
from millwright.gym import task
from millwright.gym.hostile import Hostile, model_of
from millwright.gym.outcome import Ending, Outcome
from millwright.gym.server import ModelServer
from tools.errors import MillwrightError, UsageError
from tools.runs.home import run_dir
from tools.runs.run import create_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_core.language_models import BaseChatModel

    from millwright.gym.scenario import Scenario

    Factory = Callable[[str], BaseChatModel]

CALL_LIMIT = 200
AT_ONCE = 4
SLOW_SECONDS = 2.0
SECONDS = 60.0
OUTAGE_SECONDS = 6.0
TURNS = 16
ROUNDS = 3


async def play_all(
    scenarios: Sequence[Scenario],
    factory: Factory | None = None,
    *,
    listener: Callable[[Outcome], None] = lambda _: None,
    at_once: int = AT_ONCE,
) -> list[Outcome]:
    """Play every scenario, some at once, in a data directory of their own; return the outcomes in the same order.

    `factory` makes the chat model for the address of a server; without one it is our own for Ollama.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> Outcome:
        async with gate:
            outcome = await play(scenario, factory)
        listener(outcome)
        return outcome

    with _own_home():
        return list(await asyncio.gather(*map(one, scenarios)))


async def play(scenario: Scenario, factory: Factory | None = None) -> Outcome:
    """Build the task with a model that misbehaves as the scenario says, and judge what came of it."""
    hostile = Hostile(scenario)
    model = model_of(scenario)
    with ModelServer(hostile, [model], stand_in=model) as server:
        run_id = str(uuid.uuid4())
        verdict, why, typed = await _build(run_id, scenario, server.url, factory)
        calls = len(server.chats)
    found = await asyncio.to_thread(_workspace, run_id)
    wrong = tuple(task.wrong_files(found, tested=scenario.tested))
    return Outcome(scenario, _ending(verdict, wrong, calls, typed), wrong, calls, hostile.strikes, why)


def load_factory(name: str) -> Factory:
    """Import the `module:function` that makes a chat model for a server's address.

    Raises:
        UsageError: there is no such thing.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise UsageError(f"{name!r} names no factory; write module:function, a function of the server's address")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{name!r} cannot be imported ({error}); write module:function") from error
    return found


async def _build(run_id: str, scenario: Scenario, url: str, factory: Factory | None) -> tuple[str, str, bool]:
    """The verdict, why it is what it is, and whether the build ended in a way that it knows."""
    context = _context(scenario, url)
    inputs: Any = {"goal": task.goal(tested=scenario.tested)}
    if factory is not None:
        run = await asyncio.to_thread(create_run, run_id, goal=inputs["goal"])
        run.resources[MODEL] = factory(url)
    try:
        output = await graph.ainvoke(inputs, {"configurable": {"thread_id": run_id}}, context=context)
    except MillwrightError as error:
        return "", f"{type(error).__name__}: {error}", True
    except Exception as error:  # noqa: BLE001 - whatever a build may raise is what is looked for here
        return "", f"{type(error).__name__}: {error}", False
    return output["verdict"], "; ".join(output.get("reasons") or []), True


def _context(scenario: Scenario, url: str) -> BuildContext:
    return BuildContext(
        model=f"ollama:{model_of(scenario).name}",
        base_url=url,
        verification="standard" if scenario.tested else "quick",
        turns=TURNS,
        max_rounds=ROUNDS,
        max_calls=CALL_LIMIT,
        call_seconds=SLOW_SECONDS if scenario.slow else SECONDS,
        outage_seconds=OUTAGE_SECONDS,
    )


def _ending(verdict: str, wrong: Sequence[str], calls: int, typed: bool) -> Ending:
    if not typed:
        return "crash"
    if verdict == "PASS":
        return "false" if wrong else "right"
    return "endless" if calls >= CALL_LIMIT else "honest"


def _workspace(run_id: str) -> dict[str, str]:
    root = run_dir(run_id) / "workspace"
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8", errors="replace")
        for path in root.rglob("*")
        if path.is_file()
    }


@contextmanager
def _own_home() -> Iterator[None]:
    """A data directory that lasts as long as the gym does."""
    before = os.environ.get("MILLWRIGHT_HOME")
    with tempfile.TemporaryDirectory(prefix="millwright-gym-", ignore_cleanup_errors=True) as folder:
        os.environ["MILLWRIGHT_HOME"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["MILLWRIGHT_HOME"]
            else:
                os.environ["MILLWRIGHT_HOME"] = before
