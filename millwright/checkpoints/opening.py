"""Opening the checkpoint database, as a context manager for either kind of code."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING

import aiosqlite

from millwright import settings
from millwright.checkpoints.fence import Fence
from millwright.checkpoints.saver import SqliteCheckpoints, SyncSqliteCheckpoints
from tools.sqlite.faults import told
from tools.sqlite.file import WAIT, prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@asynccontextmanager
async def open_sqlite(path: Path | None = None) -> AsyncIterator[SqliteCheckpoints]:
    """Open the checkpoints at `path`, by default `checkpoints.sqlite` in the data directory.

    The file is made if it is missing. Raises `StorageFailed`.
    """
    fence = await asyncio.to_thread(_open, path)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, fence.close)
        with told(fence.path):
            reader = await stack.enter_async_context(aiosqlite.connect(fence.path, timeout=WAIT))
            saver = SqliteCheckpoints(reader, fence)
            stack.push_async_callback(saver.aclose)
            await saver.setup()
        yield saver


@contextmanager
def open_sqlite_sync(path: Path | None = None) -> Iterator[SyncSqliteCheckpoints]:
    """Open the checkpoints at `path` as `open_sqlite` does, for synchronous code."""
    fence = _open(path)
    with ExitStack() as stack:
        stack.callback(fence.close)
        with told(fence.path):
            reader = sqlite3.connect(fence.path, timeout=WAIT, check_same_thread=False)
            stack.enter_context(closing(reader))
            saver = SyncSqliteCheckpoints(reader, fence)
            saver.setup()
        yield saver


def _open(path: Path | None) -> Fence:
    path = (path or settings.data_dir() / "checkpoints.sqlite").absolute()
    with told(path):
        prepare(path)
    return Fence(path)
