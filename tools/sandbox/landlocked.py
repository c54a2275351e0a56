"""Level B, where no namespace can be made: Landlock for files, seccomp for sockets, and a launcher that reaps.

As root the program becomes a user that owns nothing, if that user can read the interpreter; else it stays root's
user without any of root's rights, and only the watching of the supervisor bounds how many processes there are.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tools
from tools.sandbox.command import Command, Job, descriptor_with
from tools.sandbox.identity import Identity, own_identity, spare_identity
from tools.sandbox.interpreter import CONFIGURATION, SYSTEM, roots_with
from tools.sandbox.processes import everybody, threads
from tools.sandbox.seccomp import filter_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.sandbox.execution import Limits

READABLE = (
    "/etc/passwd", "/etc/group", "/etc/hosts", "/dev/urandom", "/dev/random", "/dev/zero",
    "/sys/devices/system/cpu",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/loadavg", "/proc/uptime",
)  # fmt: skip
WRITABLE = ("/dev/null", "/dev/full", "/dev/shm")  # noqa: S108 - semaphores of multiprocessing live in /dev/shm only
OPEN_FILES = 1024
START = "import sys; sys.path.append(sys.argv.pop(1)); from tools.sandbox.launcher import main; "
START += "sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))"


def landlocked_identity(readable: Sequence[Path] = ()) -> Identity:
    """The user that the program will be at this level."""
    if os.geteuid() == 0 and all(map(_open_to_all, roots_with(readable))):
        return spare_identity()
    return own_identity()


@contextmanager
def landlocked(job: Job, status: int) -> Iterator[Command]:
    """The command that runs `job` at level B, reporting to the descriptor `status`."""
    copy = job.copy
    # Another user's files are out of reach whatever it calls; our own user's are not.
    program = filter_program(network=False, metadata=copy.identity.dropped)
    spec: dict[str, object] = {
        "confined": True,
        "user": copy.identity.outside if copy.identity.dropped else None,
        "filter": program.hex(),
        "readable": [*SYSTEM, *CONFIGURATION, *READABLE, *map(str, roots_with(job.readable))],
        "writable": [*WRITABLE, str(copy.workspace), str(copy.tmp)],
    }
    with _launched(job, spec, status) as command:
        yield command


@contextmanager
def unconfined(job: Job, status: int) -> Iterator[Command]:
    """The command that runs `job` with limits and nothing else, reporting to the descriptor `status`."""
    with _launched(job, {"confined": False}, status) as command:
        yield command


@contextmanager
def _launched(job: Job, spec: dict[str, object], status: int) -> Iterator[Command]:
    common = {"argv": list(job.argv), "limits": _limits(job.limits), "parent": os.getpid()}
    with descriptor_with(json.dumps(common | spec).encode()) as descriptor:
        root = str(Path(tools.__path__[0]).parent)
        argv = [sys.executable, "-I", "-S", "-B", "-c", START, root, str(descriptor), str(status)]
        hidden = str(job.copy.root)
        yield Command(argv, job.environment, "asking the launcher", (descriptor, status), hidden)


def _limits(limits: Limits) -> dict[str, int]:
    return {
        "CPU": limits.cpu_seconds,
        "DATA": limits.memory_bytes,
        "FSIZE": limits.file_bytes,
        "NPROC": limits.processes + _own_threads(),
        "NOFILE": OPEN_FILES,
        "CORE": 0,
        "MSGQUEUE": 0,
    }


def _own_threads() -> int:
    """How many threads this user runs already: without a user namespace RLIMIT_NPROC counts them all."""
    user = os.geteuid()
    return threads([pid for pid in everybody() if _owner(pid) == user]) if user else 0


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _open_to_all(path: Path) -> bool:
    """Whether every user can pass through all directories down to `path`."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))
