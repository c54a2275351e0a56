"""The checkpoints of every run: one SQLite file, one driver per run."""

from __future__ import annotations

from millwright.checkpoints.opening import open_sqlite, open_sqlite_sync
from millwright.checkpoints.saver import SqliteCheckpoints, SyncSqliteCheckpoints

__all__ = ["SqliteCheckpoints", "SyncSqliteCheckpoints", "open_sqlite", "open_sqlite_sync"]
