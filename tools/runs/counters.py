"""Numbers that are given out once: each stream of a data directory counts on, whoever asks and whoever is killed."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING

from tools.errors import StorageFailed
from tools.runs.home import data_dir
from tools.storage import canonical, storage_failed, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

FILE, LOCK = "counters.json", "counters.lock"


def next_number(stream: str) -> int:
    """The next number of a stream, from 0. A process that dies with its number leaves a gap. Blocks.

    Raises:
        StorageFailed: the counters cannot be read or written.
    """
    home = data_dir()
    try:
        with open(home / LOCK, "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            counters = _read(home / FILE)
            number = counters.get(stream, 0)
            write_atomic(home / FILE, canonical({**counters, stream: number + 1}))
    except OSError as error:
        raise storage_failed(error, home / FILE) from error
    return number


def _read(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        found: dict[str, int] = json.loads(path.read_bytes())
    except ValueError as error:
        raise StorageFailed(
            f"the counters in {str(path)!r} cannot be read ({error}); delete the file, and streams begin anew"
        ) from error
    return found
