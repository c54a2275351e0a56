"""The processes below one of ours, read from /proc: how many, how much memory, and how to end them all.

The launcher imports this module, so it makes do with what is quickly imported.
"""

# ruff: noqa: PTH208

from __future__ import annotations

import contextlib
import os
import signal
import time

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = os.sysconf("SC_PAGE_SIZE")
ROUNDS = 50


def everybody() -> list[int]:
    """Every process that /proc shows, some of which may have ended meanwhile; none where there is no /proc."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


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
    return sum(len(_threads_of(pid)) for pid in pids)


def state(pid: int) -> str:
    """The letter of proc(5) for what it does, S while it waits; empty when it has ended."""
    behind_name = " ".join(_words(f"/proc/{pid}/stat")).rpartition(")")[2]
    return behind_name.strip()[:1]


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
        kill(frozen)
        _reap()


def kill(pids: Iterable[int]) -> None:
    """Kill them; who has ended meanwhile is passed over."""
    _signal(pids, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in _threads_of(pid):
        found += map(int, _words(f"/proc/{pid}/task/{thread}/children"))
    return found


def _threads_of(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _resident_pages(pid: int) -> int:
    return int((_words(f"/proc/{pid}/statm") or ["0", "0"])[1])


def _words(path: str) -> list[str]:
    try:
        with open(path) as file:
            return file.read().split()
    except OSError:
        return []


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _reap() -> None:
    deadline = time.monotonic() + 0.1
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
