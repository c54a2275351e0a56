"""The processes below one of ours, read from /proc: how many, how much memory, and how to end them all."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
ROUNDS = 50


def descendants(root: int) -> list[int]:
    """The processes below `root`, parents first; those that ended meanwhile are left out."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = _children(waiting.pop())
        found += below
        waiting += below
    return found


def resident_bytes(pids: list[int]) -> int:
    """The sum of their resident memory; pages they share count once for each, so it errs on the high side."""
    return sum(_resident_pages(pid) for pid in pids) * PAGE


def threads(pids: list[int]) -> int:
    """The sum of their threads, which is what RLIMIT_NPROC counts."""
    return sum(len(_names(PROC / str(pid) / "task")) for pid in pids)


def end_descendants(root: int) -> None:
    """Stop every process below `root`, so that none can fork on, then kill and reap what is ours to reap.

    `root` must be this process and a subreaper, else the orphans among them escape.
    """
    for _ in range(ROUNDS):
        frozen: set[int] = set()
        while new := set(descendants(root)) - frozen:
            _signal(new, signal.SIGSTOP)
            frozen |= new
        if not frozen:
            return
        _signal(frozen, signal.SIGKILL)
        _reap()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in _names(PROC / str(pid) / "task"):
        with contextlib.suppress(OSError):
            found += map(int, (PROC / str(pid) / "task" / thread / "children").read_text().split())
    return found


def _names(path: Path) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208 - bare names, read often
    except OSError:
        return []


def _resident_pages(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _reap() -> None:
    deadline = time.monotonic() + 0.1
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
