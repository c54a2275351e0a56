"""What killed processes of ours left behind: copies, plants of the self-test, and a bubblewrap that waits for ever."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.sandbox.bubblewrap import BWRAP
from tools.sandbox.canary import PREFIX as PLANTED
from tools.sandbox.canary import planting_places
from tools.sandbox.throwaway import LOCK, PREFIX, remove_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SELF_TEST = 3600.0
"""Seconds after which what a self-test planted is certainly nobody's any more."""


def sweep() -> None:
    """Remove what nobody uses any more, and end what was started for it."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _unused(root):
            _end_bubblewrap(root.resolve())
            remove_copy(root)
    for left in _planted():
        with contextlib.suppress(OSError):
            left.unlink() if left.is_file() else remove_copy(left)


def stale() -> list[Path]:
    """The copies that `sweep` would remove."""
    found = []
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _unused(root):
            found.append(root)
    return found


def _planted() -> list[Path]:
    """What self-tests planted that ended long ago: they hold no lock, but none takes minutes."""
    found = []
    for place in planting_places():
        for left in Path(place).glob(f"{PLANTED}*"):
            with contextlib.suppress(OSError):
                status = left.lstat()
                if status.st_uid == os.geteuid() and time.time() - status.st_mtime > LONGEST_SELF_TEST:
                    found.append(left)
    return found


@contextlib.contextmanager
def _unused(root: Path) -> Iterator[None]:
    """Hold the lock of a copy of ours.

    Raises:
        OSError: it is not ours, or its run goes on.
    """
    found = root.lstat()
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(root)
    lock = os.open(root / LOCK, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _end_bubblewrap(root: Path) -> None:
    """End what was started for the copy at `root`: it dies with its starter, but not in its very first moment."""
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            process = os.pidfd_open(int(place.name))
            try:
                words = (place / "cmdline").read_bytes().split(b"\0")
                if words[0] == BWRAP.encode() and f"{root}/workspace".encode() in words:
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)
