"""Level A: namespaces by bubblewrap, fewer kernel interfaces by seccomp, limits by prlimit.

As root no user namespace is made: bubblewrap mounts with root's rights, and `setpriv` inside turns the program into
a user that owns nothing, since limits do not hold for root and root's user namespace would still be root outside.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.sandbox.command import WORKSPACE, Command, Job, descriptor_with
from tools.sandbox.identity import Identity, mapped_identity, spare_identity
from tools.sandbox.interpreter import CONFIGURATION, SYSTEM, roots_with
from tools.sandbox.seccomp import filter_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.sandbox.execution import Limits

BWRAP = "/usr/bin/bwrap"  # the path that Ubuntu's AppArmor profile allows user namespaces for
NAMESPACES = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
TO_CHANGE_USER = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
OPEN_FILES = 1024
# bubblewrap binds itself to our life only after it has started: if we die before, nothing would end the program. So
# it waits for a line that we send when the binding is reported, and ends when there is none.
GATE = ["/bin/sh", "-c", 'read -r _ && exec "$@"', "gate"]


def missing_programs() -> list[str]:
    """Which programs level A needs and this machine does not have."""
    needed = [BWRAP, "prlimit", *(["setpriv"] if os.geteuid() == 0 else [])]
    return [name for name in needed if shutil.which(name) is None]


def bubblewrap_identity(_: Sequence[Path] = ()) -> Identity:
    """The user that the program will be at this level."""
    return spare_identity() if os.geteuid() == 0 else mapped_identity()


@contextmanager
def bubblewrapped(job: Job, status: int) -> Iterator[Command]:
    """The command that runs `job`, reporting to the descriptor `status`."""
    with descriptor_with(filter_program(network=True, metadata=True)) as seccomp:
        # The lock is an empty list of arguments, which bubblewrap closes as soon as it has read it: until it can be
        # told from others by its own words, the copy counts as used, also when we are gone.
        argv = [BWRAP, "--args", str(job.copy.lock)]
        argv += [*NAMESPACES, *_user(job.copy.identity), "--hostname", "sandbox"]
        argv += ["--die-with-parent", "--new-session", "--json-status-fd", str(status), "--seccomp", str(seccomp)]
        argv += [*_system(), *_devices(job), *_own_directories(job), *_readable(job.readable)]
        argv += ["--remount-ro", "/", "--chdir", WORKSPACE, "--"]
        argv += [*GATE, *_becoming(job.copy.identity), "prlimit", *limit_options(job.limits), "--", *job.argv]
        yield Command(argv, job.environment, "killing the child", (seccomp, status, job.copy.lock), gated=True)


def limit_options(limits: Limits) -> list[str]:
    """The options of `prlimit`; `data` and not `as`, because many runtimes reserve far more than they use."""
    values = {
        "cpu": limits.cpu_seconds,
        "data": limits.memory_bytes,
        "fsize": limits.file_bytes,
        "nproc": limits.processes,
        "nofile": OPEN_FILES,
        "core": 0,
        "msgqueue": 0,
    }
    return [f"--{name}={value}:{value}" for name, value in values.items()]


def _user(identity: Identity) -> list[str]:
    if identity.dropped:
        return TO_CHANGE_USER
    return ["--unshare-user", "--uid", str(identity.inside), "--gid", str(identity.inside)]


def _becoming(identity: Identity) -> list[str]:
    if not identity.dropped:
        return []
    user = str(identity.outside)
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all", "--"]


def _system() -> list[str]:
    """System directories, some of which are links on most systems, read-only."""
    argv: list[str] = []
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            argv += ["--ro-bind", str(path), str(path)]
    for place in CONFIGURATION:
        argv += ["--ro-bind-try", place, place]
    return argv


def _readable(more: Sequence[Path]) -> list[str]:
    """The interpreter and more; mounted last, for what the host has in `/tmp` or `/workspace` the run's own hide."""
    return [
        word for root in roots_with(more) for word in (*_passable_parents(root), "--ro-bind", str(root), str(root))
    ]


def _passable_parents(root: Path) -> list[str]:
    """Empty directories on the way to `root`; bubblewrap alone would close them to all but root."""
    parents = [parent for parent in reversed(root.parents) if parent != Path("/")]
    return [word for parent in parents for word in ("--perms", "0755", "--dir", str(parent))]


def _devices(job: Job) -> list[str]:
    return ["--proc", "/proc", "--dev", "/dev", "--bind", str(job.copy.shm), "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108


def _own_directories(job: Job) -> list[str]:
    """The copy and its read-only parts; what is mounted cannot be renamed, so what is above them is mounted too."""
    copy = job.copy
    argv = ["--bind", str(copy.tmp), "/tmp", "--bind", str(copy.workspace), WORKSPACE]  # noqa: S108
    for name in ("passwd", "group", "hosts"):
        argv += ["--ro-bind", str(copy.etc / name), f"/etc/{name}"]
    for part in copy.protected_parts():
        mount = "--ro-bind" if part in copy.read_only else "--bind"
        argv += [mount, str(copy.workspace / part), f"{WORKSPACE}/{part}"]
    return argv
