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
from tools.sandbox.processes import everybody
from tools.sandbox.throwaway import LOCK, PREFIX, remove_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SELF_TEST = 3600.0
"""Seconds after which what a self-test planted is certainly nobody's any more."""
LONGEST_END = 5.0
"""Seconds that what was killed may take to be gone."""


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
    """End what was started for the copy at `root`: it dies with its starter, but not in its very first moment.

    While one look is taken, a process may bear another and end before it is looked at; the next look shows the child,
    which waits for ever. So two looks in a row must find nobody.

    Raises:
        TimeoutError: some of it does not end; the copy stays, and the next sweep tries again.
    """
    deadline = time.monotonic() + LONGEST_END
    empty_looks = 0
    while empty_looks < 2:
        found = [pid for pid in everybody() if _killed(pid, root)]
        empty_looks = 0 if found else empty_looks + 1
        if time.monotonic() > deadline:
            raise TimeoutError(root)


def _killed(pid: int, root: Path) -> bool:
    """Kill a process if it is a bubblewrap for the copy at `root`; say whether it was."""
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[0] == BWRAP.encode() and f"{root}/workspace".encode() in words:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                return True
        finally:
            os.close(process)
    return False
