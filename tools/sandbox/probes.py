"""Attacks on a confinement, run inside it: each either fails with an error, which is good, or says what it reached.

Standard library only, and no other module of ours: the file is copied into the workspace of the self-test and run
there. What was planted for it comes as JSON on standard input; the answer is JSON on standard output, for each
probe an empty string when it held. The host looks for itself at what arrived at its sockets and files.
"""

# An attack is spelled as the system call that it is.
# ruff: noqa: PTH101, PTH104, PTH108, PTH120, S606

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Plants = dict[str, Any]
HELD = ""
CLONE_NEWUSER, PTRACE_SEIZE = 0x10000000, 0x4206
IO_URING_SETUP = 425
KEYCTL = {"x86_64": 250, "aarch64": 219}
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def read_secret(plants: Plants) -> str:
    """A file of the host."""
    return f"read {Path(plants['secret']).read_text()!r}"


def home(plants: Plants) -> str:
    """What stands in the home directory of whoever started us."""
    for name in plants["home"]:
        with contextlib.suppress(OSError):
            os.close(os.open(name, os.O_RDONLY | os.O_NONBLOCK))
            return f"opened {name!r}"
    return HELD


def environment(plants: Plants) -> str:
    """Variables of the host, our own and our parent's."""
    names = sorted(set(plants["variables"]) & set(os.environ))
    with contextlib.suppress(OSError):
        above = Path(f"/proc/{os.getppid()}/environ").read_bytes()
        names += [name for name in plants["variables"] if name.encode() + b"=" in above]
    return f"saw {', '.join(names)}" if names else HELD


def tcp(plants: Plants) -> str:
    """A port of the host's loopback."""
    return _connect(socket.AF_INET, 0, ("127.0.0.1", plants["tcp"]))


def mptcp(plants: Plants) -> str:
    """The same port by multipath TCP, which Landlock's network rules do not know."""
    return _connect(socket.AF_INET, 262, ("127.0.0.1", plants["tcp"]))


def udp(plants: Plants) -> str:
    """A datagram; only the host knows whether it arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"probe", ("127.0.0.1", plants["udp"]))
    return HELD


def unix_path(plants: Plants) -> str:
    """A socket by its path, such as Docker's."""
    return _connect(socket.AF_UNIX, 0, plants["unix"])


def unix_abstract(plants: Plants) -> str:
    """A socket without a path."""
    return _connect(socket.AF_UNIX, 0, "\0" + plants["abstract"])


def unix_datagram(plants: Plants) -> str:
    """A datagram to a path, from a socket and from one of a pair; only the host knows whether it arrived."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"probe", plants["datagram"])
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.sendto(b"probe", plants["datagram"])
    return HELD


def write_outside(plants: Plants) -> str:
    """Making, changing, truncating, renaming and removing files outside."""
    target = plants["target"]
    attempts: dict[str, Callable[[], object]] = {
        "made": lambda: os.close(os.open(target + ".new", os.O_WRONLY | os.O_CREAT)),
        "opened for writing": lambda: os.close(os.open(target, os.O_WRONLY)),
        "truncated": lambda: os.truncate(target, 0),
        "linked": lambda: os.link(target, "link"),
        "renamed": lambda: os.rename(target, target + ".moved"),
        "removed": lambda: os.unlink(target),
    }
    for what, attempt in attempts.items():
        with contextlib.suppress(OSError):
            attempt()
            return f"{what}: {target!r}"
    return HELD


def chmod_outside(plants: Plants) -> str:
    """Changing the mode of a file outside, by its path."""
    os.chmod(plants["target"], 0o600)
    return "changed the mode"


def timestamps(plants: Plants) -> str:
    """Changing the times of a file outside."""
    os.utime(plants["target"], (0, 0))
    return "changed the times"


def shared_memory(plants: Plants) -> str:
    """A segment of another program in /dev/shm."""
    return f"read {Path(plants['shm']).read_text()!r}"


def signal_host(plants: Plants) -> str:
    """A signal to a process of the host."""
    os.kill(plants["pid"], 0)
    return "could signal it"


def environ_host(plants: Plants) -> str:
    """The environment of a process of the host."""
    found = plants["token"].encode() in Path(f"/proc/{plants['pid']}/environ").read_bytes()
    return "read it" if found else HELD


def ptrace_host(plants: Plants) -> str:
    """Attaching to a process of the host."""
    _checked(_libc.ptrace(PTRACE_SEIZE, plants["pid"], None, None))
    return "attached to it"


def user_namespace(_: Plants) -> str:
    """A user namespace, the way to most kernel bugs."""
    if child := os.fork():
        return "made one" if os.waitpid(child, 0)[1] == 0 else HELD
    os._exit(0 if _libc.unshare(CLONE_NEWUSER) == 0 else 1)


def io_uring(_: Plants) -> str:
    """The interface that does what seccomp forbids."""
    _checked(_libc.syscall(IO_URING_SETUP, 1, ctypes.create_string_buffer(256)))
    return "set one up"


def keyring(_: Plants) -> str:
    """The kernel's keys, which no namespace separates."""
    _checked(_libc.syscall(KEYCTL[platform.machine()], 0, -4, 0))
    return "found one"


def memory(plants: Plants) -> str:
    """More memory than allowed."""
    with contextlib.suppress(MemoryError):
        return f"got {len(bytearray(plants['memory_bytes']))} bytes"
    return HELD


def file_size(plants: Plants) -> str:
    """A larger file than allowed."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb") as file:
        file.truncate(plants["file_bytes"] + 1)
    return "made it"


def processes(plants: Plants) -> str:
    """More processes than allowed."""
    children = []
    try:
        for _ in range(plants["processes"] + 1):
            if (child := os.fork()) == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return f"started {len(children)}"


def raised_limits(_: Plants) -> str:
    """Taking the limits back."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "lifted one"


def read_only(plants: Plants) -> str:
    """Changing a read-only file, or putting another in its place."""
    locked = plants["read_only"]
    attempts: list[Callable[[], object]] = [
        lambda: os.close(os.open(f"{locked}/file", os.O_WRONLY)),
        lambda: os.unlink(f"{locked}/file"),
        lambda: os.close(os.open(f"{locked}/new", os.O_WRONLY | os.O_CREAT)),
        lambda: os.rename(locked, "elsewhere"),
        lambda: os.rename(os.path.dirname(locked), "elsewhere"),
    ]
    for number, attempt in enumerate(attempts):
        with contextlib.suppress(OSError):
            attempt()
            return f"attempt {number} passed"
    return HELD


def daemon(plants: Plants) -> str:
    """A process in a session of its own that outlives us; only the host knows whether it does."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for descriptor in range(3):
            os.close(descriptor)
        os.execlp("sleep", "sleep", plants["sleep"])
    os.wait()
    return HELD


def _connect(family: int, protocol: int, address: Any) -> str:
    with socket.socket(family, socket.SOCK_STREAM, protocol) as client:
        client.settimeout(1)
        client.connect(address)
    return f"reached {address!r}"


PROBES: list[Callable[[Plants], str]] = [
    read_secret, home, environment, tcp, mptcp, udp, unix_path, unix_abstract, unix_datagram, write_outside,
    chmod_outside, timestamps, shared_memory, signal_host, environ_host, ptrace_host, user_namespace, io_uring,
    keyring, memory, file_size, processes, raised_limits, read_only, daemon,
]  # fmt: skip


def work() -> None:
    """What every program needs; an error here means that the confinement is of no use."""
    for folder in (".", os.environ["TMPDIR"]):
        Path(folder, "written").write_text("x")
    Path("/dev/null").write_text("x")
    os.urandom(1)


def main() -> None:
    """Run every probe and print what it reached."""
    plants = json.load(sys.stdin)
    work()
    outcome = {}
    for probe in PROBES:
        try:
            outcome[probe.__name__] = probe(plants)
        except (OSError, ValueError):
            outcome[probe.__name__] = HELD
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
