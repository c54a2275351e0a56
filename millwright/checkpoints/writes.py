"""What both savers share: everything that changes the database, behind the fence."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata

from millwright.checkpoints import rows
from tools.errors import UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from langchain_core.runnables import RunnableConfig

    from millwright.checkpoints.driver import Driver
    from millwright.checkpoints.fence import Fence


class FencedWrites(BaseCheckpointSaver[str]):
    """The half that both savers share: everything that writes, over a connection of its own.

    A thread is driven by the saver that first wrote to it, until it releases it, closes, is taken over, or its
    process dies. Every method may block; all raise `StorageFailed`, and those that write also `Fenced`.
    """

    fence: Fence

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint and return the config that addresses it."""
        with self.fence.driving(_thread(config)) as database:
            return rows.put(database, self.serde, config, checkpoint, metadata)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Save what a task produced on top of a checkpoint."""
        with self.fence.driving(_thread(config)) as database:
            rows.put_writes(database, self.serde, config, writes, (task_id, task_path))

    def delete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint and write of a thread."""
        with self._changing(thread_id) as database:
            rows.delete_thread(database, str(thread_id))

    def delete_for_runs(self, run_ids: Iterable[str]) -> None:
        """Delete the checkpoints, and their writes, whose metadata names one of these runs."""
        with self.fence.changing() as database:
            doomed = rows.of_runs(database, run_ids)
            for thread_id in {key[0] for key in doomed}:
                self.fence.allows(database, thread_id)
            rows.delete(database, doomed)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint and write of one thread to another."""
        with self._changing(target_thread_id) as database:
            rows.copy_thread(database, str(source_thread_id), str(target_thread_id))

    def fork_thread(self, source_thread_id: str, target_thread_id: str, checkpoint_id: str) -> None:
        """Copy a thread up to a checkpoint; resuming the copy does anew what came after it."""
        with self._changing(target_thread_id) as database:
            rows.fork_thread(database, str(source_thread_id), str(target_thread_id), checkpoint_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Drop what resuming does not need ("keep_latest"), or everything ("delete" or "delete_all").

        Kept are the latest checkpoint of each namespace, the interrupted ones, and every namespace whose latest has
        a delta channel, for that is rebuilt from its ancestors.
        """
        drop = _STRATEGIES.get(strategy)
        if drop is None:
            raise UsageError(f"There is no pruning strategy {strategy!r}: use one of {sorted(_STRATEGIES)}.")
        for thread_id in thread_ids:
            with self._changing(thread_id) as database:
                drop(database, str(thread_id))

    def older(self, days: float) -> list[str]:
        """Return the threads without a checkpoint in the last `days` that no living process drives."""
        with self.fence.unfenced() as database:
            silent = rows.silent_since(database, time.time() - days * 86_400)
        return [thread_id for thread_id in silent if not self.fence.driver(thread_id)]

    def compact(self) -> None:
        """Give the space of deleted rows back to the file system."""
        with self.fence.unfenced() as database:
            # As a script: `execute` stops after the first page.
            database.executescript("PRAGMA incremental_vacuum")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def claim(self, thread_id: str) -> bool:
        """Become the thread's driver before its first write, and say whether this saver was not so already."""
        return self.fence.claim(thread_id)

    def take_over(self, thread_id: str) -> None:
        """Become the thread's driver by force: whoever drove it is refused from now on."""
        self.fence.take_over(thread_id)

    def release(self, thread_id: str) -> None:
        """Let another process drive the thread; nothing happens when this saver does not."""
        self.fence.release(thread_id)

    def driver(self, thread_id: str) -> Driver | None:
        """Return who drives the thread, or None when nobody that lives does."""
        return self.fence.driver(thread_id)

    def gone(self, thread_id: str) -> bool:
        """Return whether a process has driven the thread, and no longer does."""
        return self.fence.gone(thread_id)

    def has_state(self, thread_id: str) -> bool:
        """Whether the thread has a checkpoint to resume from; `get_state().next` cannot tell."""
        with self.fence.unfenced() as database:
            return rows.has_state(database, thread_id)

    def bytes_of(self, thread_id: str) -> int:
        """Return how many bytes the thread's checkpoints and writes hold."""
        with self.fence.unfenced() as database:
            return rows.bytes_of(database, thread_id)

    def superseded(self, thread_id: str) -> tuple[set[tuple[str, str]], int]:
        """Return what `prune` would drop, as namespace and checkpoint id, and how many bytes that is."""
        with self.fence.unfenced() as database:
            keys = rows.superseded(database, thread_id)
            return {(namespace, checkpoint) for _, namespace, checkpoint in keys}, rows.bytes_at(database, keys)

    @contextmanager
    def _changing(self, thread_id: str) -> Iterator[sqlite3.Connection]:
        with self.fence.changing() as database:
            self.fence.allows(database, str(thread_id))
            yield database


def _thread(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])


def _drop_superseded(database: sqlite3.Connection, thread_id: str) -> None:
    rows.delete(database, rows.superseded(database, thread_id))


# LangGraph's documents say "delete", its server says "delete_all".
_STRATEGIES = {
    "keep_latest": _drop_superseded,
    "delete": rows.delete_thread,
    "delete_all": rows.delete_thread,
}
