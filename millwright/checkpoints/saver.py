"""LangGraph's two SQLite savers, fenced, strict and with nothing missing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from millwright.checkpoints.serializer import StrictSerializer
from millwright.checkpoints.writes import FencedWrites
from tools.sqlite.faults import told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    import aiosqlite
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )

    from millwright.checkpoints.driver import Driver
    from millwright.checkpoints.fence import Fence

P = ParamSpec("P")
T = TypeVar("T")


class SyncSqliteCheckpoints(FencedWrites, SqliteSaver):
    """The saver for `graph.invoke` and `graph.stream` from synchronous code."""

    def __init__(self, conn: sqlite3.Connection, fence: Fence) -> None:
        """Read over `conn`, write over `fence`."""
        super().__init__(conn, serde=StrictSerializer(fence.path))
        self.fence = fence

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` addresses, or the thread's latest, or None."""
        with told(self.fence.path):
            return super().get_tuple(config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first."""
        with told(self.fence.path):
            yield from super().list(config, filter=filter, before=before, limit=limit)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what delta channels are rebuilt from."""
        with told(self.fence.path):
            return super().get_delta_channel_history(config=config, channels=channels)


class SqliteCheckpoints(FencedWrites, AsyncSqliteSaver):
    """The saver for asynchronous code and for `langgraph dev`; the a-methods never block the event loop."""

    def __init__(self, conn: aiosqlite.Connection, fence: Fence) -> None:
        """Read over `conn`, write over `fence`, one write after another."""
        super().__init__(conn, serde=StrictSerializer(fence.path))
        self.fence = fence
        self._writing = ThreadPoolExecutor(1, "checkpoints")

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` addresses, or the thread's latest, or None."""
        with told(self.fence.path):
            return await super().aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, newest first."""
        found = cast(
            "AsyncGenerator[CheckpointTuple]", super().alist(config, filter=filter, before=before, limit=limit)
        )
        with told(self.fence.path):
            async with aclosing(found):
                async for one in found:
                    yield one

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what delta channels are rebuilt from."""
        with told(self.fence.path):
            return await super().aget_delta_channel_history(config=config, channels=channels)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint and return the config that addresses it."""
        return await self._off(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a task produced on top of a checkpoint."""
        await self._off(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint and write of a thread."""
        await self._off(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Iterable[str]) -> None:
        """Delete the checkpoints, and their writes, whose metadata names one of these runs."""
        await self._off(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint and write of one thread to another."""
        await self._off(self.copy_thread, source_thread_id, target_thread_id)

    async def afork_thread(self, source_thread_id: str, target_thread_id: str, checkpoint_id: str) -> None:
        """Copy a thread up to a checkpoint; resuming the copy does anew what came after it."""
        await self._off(self.fork_thread, source_thread_id, target_thread_id, checkpoint_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Drop what resuming does not need, as `prune` does."""
        await self._off(self.prune, thread_ids, strategy=strategy)

    async def aolder(self, days: float) -> list[str]:
        """Return the threads without a checkpoint in the last `days` that no living process drives."""
        return await self._off(self.older, days)

    async def acompact(self) -> None:
        """Give the space of deleted rows back to the file system."""
        await self._off(self.compact)

    async def aclaim(self, thread_id: str) -> bool:
        """Become the thread's driver before its first write, and say whether this saver was not so already."""
        return await self._off(self.claim, thread_id)

    async def atake_over(self, thread_id: str) -> None:
        """Become the thread's driver by force: whoever drove it is refused from now on."""
        await self._off(self.take_over, thread_id)

    async def arelease(self, thread_id: str) -> None:
        """Let another process drive the thread; nothing happens when this saver does not."""
        await self._off(self.release, thread_id)

    async def adriver(self, thread_id: str) -> Driver | None:
        """Return who drives the thread, or None when nobody that lives does."""
        return await self._off(self.driver, thread_id)

    async def agone(self, thread_id: str) -> bool:
        """Return whether a process has driven the thread, and no longer does."""
        return await self._off(self.gone, thread_id)

    async def ahas_state(self, thread_id: str) -> bool:
        """Whether the thread has a checkpoint to resume from; `aget_state().next` cannot tell."""
        return await self._off(self.has_state, thread_id)

    async def abytes_of(self, thread_id: str) -> int:
        """Return how many bytes the thread's checkpoints and writes hold."""
        return await self._off(self.bytes_of, thread_id)

    async def asuperseded(self, thread_id: str) -> tuple[set[tuple[str, str]], int]:
        """Return what `aprune` would drop, as namespace and checkpoint id, and how many bytes that is."""
        return await self._off(self.superseded, thread_id)

    async def aclose(self) -> None:
        """Finish the writes under way, release what is driven from here, and close the writing connection."""
        await asyncio.to_thread(self._writing.shutdown)
        await asyncio.to_thread(self.fence.close)

    async def _off(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # A write that was begun ends whole, even if the waiting task is cancelled.
        work = partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)
