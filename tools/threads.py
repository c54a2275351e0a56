"""Work in threads that nobody leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    """Call `work` in a thread, as `asyncio.to_thread` does; cancelling it waits for its end.

    So nothing is written to a run any more when it is told that it stands still.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await ended(running)
        raise


async def ended(running: asyncio.Future[Any]) -> None:
    """Wait to the end, whoever cancels meanwhile; what it came to is nobody's business any more."""
    while not running.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    if not running.cancelled():
        running.exception()  # seen: whoever cancelled does not ask for it
