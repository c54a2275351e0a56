"""Two doors to one async node: `await graph.ainvoke` goes straight in, `graph.invoke` through a loop of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableLambda

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    AsyncNode = Callable[[Any], Coroutine[Any, Any, Any]]


def two_doors(run_node: AsyncNode) -> RunnableLambda[Any, Any]:
    """A node that async and synchronous callers can run, under the function's own name."""
    return RunnableLambda(_sync_door(run_node), afunc=run_node, name=run_node.__name__)


def _sync_door(run_node: AsyncNode) -> Callable[[Any], Any]:

    def door(state: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(run_node(state))
        # The caller's thread is running a loop already (a notebook, say): this one needs a thread of its own.
        return _in_thread(lambda: asyncio.run(run_node(state)))

    door.__name__ = run_node.__name__
    door.__doc__ = run_node.__doc__
    return door


def _in_thread(work: Callable[[], Any]) -> Any:
    found: list[Any] = []
    failed: list[BaseException] = []
    here = contextvars.copy_context()

    def run() -> None:
        try:
            found.append(here.run(work))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            failed.append(error)

    thread = threading.Thread(target=run, name="millwright-node")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
