"""Numbers that are given out once: each stream of a data directory counts on, whoever asks and whoever is killed."""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.errors import StorageFailed
from tools.runs.home import data_dir
from tools.storage import storage_failed, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE, LOCK = "counters.json", "counters.lock"


class Stream(BaseModel):
    """The next number of a stream, and those that were taken and are written down nowhere else yet, by their holder."""

    next: int = 0
    taken: dict[str, int] = {}


_COUNTERS = TypeAdapter(dict[str, Stream])


def take_number(stream: str, holder: str) -> int:
    """The next number of a stream, from 0; a holder that asks again before `settle_number` gets the same one. Blocks.

    Raises:
        StorageFailed: the counters cannot be read or written.
    """
    with _counters() as counters:
        counter = counters.setdefault(stream, Stream())
        if holder not in counter.taken:
            counter.taken[holder] = counter.next
            counter.next += 1
        return counter.taken[holder]


def settle_number(stream: str, holder: str) -> None:
    """Forget whose a number is: the holder has written it down. Blocks.

    Raises:
        StorageFailed: the counters cannot be read or written.
    """
    with _counters() as counters:
        if stream in counters:
            counters[stream].taken.pop(holder, None)


@contextlib.contextmanager
def _counters() -> Iterator[dict[str, Stream]]:
    """The streams by name, for one process at a time; what is changed is kept."""
    home = data_dir()
    try:
        with open(home / LOCK, "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            counters = _read(home / FILE)
            yield counters
            write_atomic(home / FILE, _COUNTERS.dump_json(counters))
    except OSError as error:
        raise storage_failed(error, home / FILE) from error


def _read(path: Path) -> dict[str, Stream]:
    if not path.exists():
        return {}
    try:
        return _COUNTERS.validate_json(path.read_bytes())
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise StorageFailed(
            f"the counters in {str(path)!r} cannot be read ({why}); delete the file, and streams begin anew"
        ) from error
