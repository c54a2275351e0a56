"""What killed processes of ours left behind: copies, and a bubblewrap that waits for its starter for ever."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.sandbox.bubblewrap import BWRAP
from tools.sandbox.throwaway import LOCK, PREFIX, remove_copy

if TYPE_CHECKING:
    from collections.abc import Iterator


def sweep() -> None:
    """Remove the copies that nobody uses any more, and end what was started for them."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _unused(root):
            _end_bubblewrap(root.resolve())
            remove_copy(root)


def stale() -> list[Path]:
    """The copies that `sweep` would remove."""
    found = []
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _unused(root):
            found.append(root)
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
