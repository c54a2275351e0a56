"""The rows of the stock SQLite saver's tables: how they are written, copied, counted and dropped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol

Key = tuple[str, str, str]
"""Thread id, namespace and checkpoint id."""

_PUT = """INSERT OR REPLACE INTO checkpoints
(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
VALUES (?, ?, ?, ?, ?, ?, ?)"""
_PUT_WRITES = """INSERT OR IGNORE INTO writes
(thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COPY_CHECKPOINTS = """INSERT OR REPLACE INTO checkpoints
(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
SELECT ?, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
FROM checkpoints WHERE thread_id = ?"""
_COPY_WRITES = """INSERT OR REPLACE INTO writes
(thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value)
SELECT ?, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value
FROM writes WHERE thread_id = ?"""
_OF_RUNS = """SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints
WHERE CASE WHEN json_valid(CAST(metadata AS TEXT)) THEN json_extract(CAST(metadata AS TEXT), '$.run_id') END
IN (SELECT value FROM json_each(?))"""
# A checkpoint with a delta channel lives on the writes of its ancestors, so its namespace stays whole.
_SUPERSEDED = """WITH kept(ns, id) AS (
    SELECT checkpoint_ns, MAX(checkpoint_id) FROM checkpoints WHERE thread_id = :thread GROUP BY checkpoint_ns
    UNION SELECT checkpoint_ns, checkpoint_id FROM writes WHERE thread_id = :thread AND channel = '__interrupt__'
), chained(ns) AS (
    SELECT ns FROM kept JOIN checkpoints ON thread_id = :thread AND checkpoint_ns = ns AND checkpoint_id = id
    WHERE instr(CAST(metadata AS TEXT), '"counters_since_delta_snapshot"')
) SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints
WHERE thread_id = :thread AND checkpoint_ns NOT IN chained AND (checkpoint_ns, checkpoint_id) NOT IN kept"""
_BYTES = """SELECT
    (SELECT TOTAL(LENGTH(checkpoint) + LENGTH(metadata)) FROM checkpoints WHERE thread_id = :thread)
    + (SELECT TOTAL(LENGTH(value)) FROM writes WHERE thread_id = :thread)"""

_BYTES_AT = """SELECT
    (SELECT TOTAL(LENGTH(checkpoint) + LENGTH(metadata)) FROM checkpoints
        WHERE (thread_id, checkpoint_ns, checkpoint_id) = (:thread, :ns, :id))
    + (SELECT TOTAL(LENGTH(value)) FROM writes
        WHERE (thread_id, checkpoint_ns, checkpoint_id) = (:thread, :ns, :id))"""


def put(
    database: sqlite3.Connection,
    serde: SerializerProtocol,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
) -> RunnableConfig:
    """Write a checkpoint and return the config that addresses it."""
    where = config["configurable"]
    key = (str(where["thread_id"]), where["checkpoint_ns"], checkpoint["id"], where.get("checkpoint_id"))
    kept = json.dumps(get_checkpoint_metadata(config, metadata), ensure_ascii=False).encode("utf-8", "ignore")
    database.execute(_PUT, (*key, *serde.dumps_typed(checkpoint), kept))
    address = {name: where[name] for name in ("thread_id", "checkpoint_ns")}
    return {"configurable": {**address, "checkpoint_id": checkpoint["id"]}}


def put_writes(
    database: sqlite3.Connection,
    serde: SerializerProtocol,
    config: RunnableConfig,
    writes: Sequence[tuple[str, Any]],
    task: tuple[str, str],
) -> None:
    """Write what a task, given as id and path, produced on top of a checkpoint."""
    where = config["configurable"]
    key = (str(where["thread_id"]), str(where["checkpoint_ns"]), str(where["checkpoint_id"]))
    told_anew = all(channel in WRITES_IDX_MAP for channel, _ in writes)
    database.executemany(
        # A repeated task keeps its first results; errors and interrupts replace the earlier ones.
        _PUT_WRITES.replace("IGNORE", "REPLACE") if told_anew else _PUT_WRITES,
        [
            (*key, *task, WRITES_IDX_MAP.get(channel, index), channel, *serde.dumps_typed(value))
            for index, (channel, value) in enumerate(writes)
        ],
    )


def delete(database: sqlite3.Connection, keys: Sequence[Key]) -> None:
    """Delete checkpoints and their writes."""
    database.executemany("DELETE FROM writes WHERE (thread_id, checkpoint_ns, checkpoint_id) = (?, ?, ?)", keys)
    database.executemany(
        "DELETE FROM checkpoints WHERE (thread_id, checkpoint_ns, checkpoint_id) = (?, ?, ?)", keys
    )


def delete_thread(database: sqlite3.Connection, thread_id: str) -> None:
    """Delete every checkpoint and write of a thread."""
    database.execute("DELETE FROM checkpoints WHERE thread_id = ?", (thread_id,))
    database.execute("DELETE FROM writes WHERE thread_id = ?", (thread_id,))


def copy_thread(database: sqlite3.Connection, source: str, target: str) -> None:
    """Copy every checkpoint and write of one thread to another."""
    database.execute(_COPY_CHECKPOINTS, (target, source))
    database.execute(_COPY_WRITES, (target, source))


def fork_thread(database: sqlite3.Connection, source: str, target: str, checkpoint_id: str) -> None:
    """Copy a thread up to a checkpoint, without what was done on top of it, so that it is done anew."""
    database.execute(
        _COPY_CHECKPOINTS + " AND checkpoint_ns = '' AND checkpoint_id <= ?", (target, source, checkpoint_id)
    )
    database.execute(
        _COPY_WRITES + " AND checkpoint_ns = '' AND checkpoint_id < ?", (target, source, checkpoint_id)
    )


def of_runs(database: sqlite3.Connection, run_ids: Iterable[str]) -> list[Key]:
    """Return the checkpoints whose metadata names one of these runs."""
    wanted = json.dumps([str(run_id) for run_id in run_ids])
    return database.execute(_OF_RUNS, (wanted,)).fetchall()


def superseded(database: sqlite3.Connection, thread_id: str) -> list[Key]:
    """Return the checkpoints that resuming does not need: neither a namespace's latest nor interrupted."""
    return database.execute(_SUPERSEDED, {"thread": thread_id}).fetchall()


def bytes_at(database: sqlite3.Connection, keys: Iterable[Key]) -> int:
    """Return how many bytes these checkpoints and their writes hold."""
    addresses = [dict(zip(("thread", "ns", "id"), key, strict=True)) for key in keys]
    return sum(int(database.execute(_BYTES_AT, address).fetchone()[0]) for address in addresses)


def silent_since(database: sqlite3.Connection, moment: float) -> list[str]:
    """Return the threads with no checkpoint after `moment`, in seconds since 1970."""
    query = "SELECT thread_id FROM checkpoints GROUP BY thread_id HAVING MAX(checkpoint_id) < ?"
    return [thread_id for (thread_id,) in database.execute(query, (_first_id(moment),))]


def has_state(database: sqlite3.Connection, thread_id: str) -> bool:
    """Return whether the thread has a checkpoint to resume from."""
    query = "SELECT 1 FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '' LIMIT 1"
    return database.execute(query, (thread_id,)).fetchone() is not None


def bytes_of(database: sqlite3.Connection, thread_id: str) -> int:
    """Return how many bytes the thread's checkpoints and writes hold."""
    return int(database.execute(_BYTES, {"thread": thread_id}).fetchone()[0])


def _first_id(moment: float) -> str:
    """Return the text before every checkpoint id made since: ids are UUIDs of version 6, which sort by time.

    Layout: RFC 9562, section 5.6; 100 ns units since 1582-10-15.
    """
    ticks = int(moment * 10_000_000) + 0x01B21DD213814000
    return f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6{ticks & 0xFFF:03x}"
