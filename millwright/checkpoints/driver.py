"""Who drives a run: a process, told apart from every later process of the same number."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Driver:
    """The process that may write to a run.

    `machine` is the kernel's boot id and the process's pid namespace; `started` is the start time in clock ticks
    since boot (field 22 of proc(5) `/proc/PID/stat`). Both are empty where the platform has no `/proc`.
    """

    token: str
    machine: str
    pid: int
    started: str
    released: int = 0

    @property
    def alive(self) -> bool:
        """Whether the process may still be running; when that cannot be seen from here, it may."""
        ours = _machine()
        if self.machine == ours:
            return _started(self.pid) == self.started
        # A WAL database is shared through memory, so its users share a kernel: another boot id is an earlier boot.
        return self.machine.split()[:1] == ours.split()[:1]


def this_process(token: str) -> Driver:
    """Return this process as the driver that holds `token`."""
    return Driver(token, _machine(), os.getpid(), _started(os.getpid()) or "")


@functools.cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Return when the process started, "" if only its number is known, None if it does not run."""
    if not _machine():
        return "" if _answers(pid) else None
    try:
        # The second field, the name in parentheses, may itself hold spaces and parentheses.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else fields[18]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
