"""The system calls with which a process changes a directory: counted by the kernel, named, and struck.

A seccomp filter lets the process wait before each of them until its keeper lets it go on, or kills it: seccomp_unotify(2)
of Linux 5.5. So what libraries do in C and Rust, SQLite and Chroma, is struck like what is done in Python. Files that
are written through a mapping are not seen; of ours only SQLite's `-shm` is, which nobody reads after a crash.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import re
import select
import signal
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.sandbox.seccomp import ALLOW, IF_EQUAL, LOAD, RETURN, Op
from tools.sandbox.syscalls import MACHINES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Of `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`, as in tools/sandbox/syscalls.py.
_CALLS = """
write 1 64      pwrite64 18 68   writev 20 66     pwritev 296 70   fsync 74 82      fdatasync 75 83   ftruncate 77 46
truncate 76 45  fallocate 285 47 open 2 -         openat 257 56    creat 85 -       rename 82 -       renameat 264 38
renameat2 316 276                unlink 87 -      unlinkat 263 35  rmdir 84 -       mkdir 83 -        mkdirat 258 34
link 86 -       linkat 265 37
"""
# Where the path stands among the arguments, and the directory that it starts at; the others have a descriptor first.
_PATHS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("truncate", "open", "creat", "unlink", "rmdir", "mkdir"), (0, None)),
    **dict.fromkeys(("rename", "link"), (1, None)),
    **dict.fromkeys(("openat", "unlinkat", "mkdirat"), (1, 0)),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), (3, 2)),
}
_OPENED = {"open": 1, "openat": 2}
_WRITES = {"write": None, "pwrite64": 3}
_USER_NOTIF, _CONTINUE = 0x7FC00000, 1
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NO_NEW_PRIVS, _SET_FILTER, _NEW_LISTENER = 38, 1, 8
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_PIDFD_GETFD = 438
_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\.json\.)\w{8}$")


@dataclass
class Struck:
    """What became of a process: the points that it came to, and whether it was killed at the last of them."""

    killed: bool = False
    code: int = 0
    points: list[str] = field(default_factory=list)


def struck_at(number: int | None, work: Callable[[], object], home: Path, *, torn: bool = False) -> Struck:
    """Do `work` in a child that is killed before its change of that number (from 0) below `home`; None lets it live.

    `torn`: if that change is a write, half of its bytes are written first. The caller must have one thread.
    """
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        _begin(there, work)
    there.close()
    try:
        _, (listener,), _, _ = socket.recv_fds(here, 1, 1)
        keeper = _Keeper(child, listener, f"{home.resolve()}/", number, torn=torn)
        keeper.keep()
        os.close(listener)
    finally:
        here.close()
        _, status = os.waitpid(child, 0)
    return Struck(os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status), keeper.points)


def _begin(door: socket.socket, work: Callable[[], object]) -> None:
    """Be the child."""
    code = 1
    try:
        listener = _listener()
        socket.send_fds(door, [b"."], [listener])
        os.close(listener)
        work()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _listener() -> int:
    """Put the filter on this process, for good; return the descriptor at which it is kept."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = _program()
    code = ctypes.create_string_buffer(program, len(program))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = libc.syscall(_SECCOMP[platform.machine()], _SET_FILTER, _NEW_LISTENER, filters)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return int(listener)


def _numbers() -> dict[int, str]:
    words = _CALLS.split()
    which = 1 if platform.machine() == "x86_64" else 2
    rows = [words[start : start + 3] for start in range(0, len(words), 3)]
    return {int(row[which]): row[0] for row in rows if row[which] != "-"}


def _program() -> bytes:
    """Wait at these calls; allow all others."""
    ops = [Op(LOAD, 0, 0, 4), Op(IF_EQUAL, 1, 0, MACHINES[platform.machine()].audit_arch), Op(RETURN, 0, 0, ALLOW)]
    ops.append(Op(LOAD, 0, 0, 0))
    for number in _numbers():
        ops += [Op(IF_EQUAL, 0, 1, number), Op(RETURN, 0, 0, _USER_NOTIF)]
    ops.append(Op(RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *op) for op in ops)


class _Keeper:
    """Lets a child go on from call to call, and kills it at one."""

    def __init__(self, child: int, listener: int, home: str, number: int | None, *, torn: bool) -> None:
        self.points: list[str] = []
        self._child, self._listener, self._home = child, listener, home
        self._number, self._torn = number, torn
        self._names = _numbers()

    def keep(self) -> None:
        ready = select.poll()
        ready.register(self._listener, select.POLLIN)
        while ready.poll()[0][1] & select.POLLIN:
            asked = bytearray(80)  # struct seccomp_notif of linux/seccomp.h
            try:
                fcntl.ioctl(self._listener, _RECEIVE, asked, True)
            except FileNotFoundError:
                continue  # it died meanwhile
            self._answer(*struct.unpack_from("=QII", asked), *struct.unpack_from("=iIQ6Q", asked, 16))

    def _answer(self, key: int, thread: int, _: int, call: int, _arch: int, _at: int, *arguments: int) -> None:
        name = self._names[call]
        path = self._path(name, thread, arguments)
        if path.startswith(self._home):
            if len(self.points) == self._number:
                self._strike(name, thread, arguments)
            self.points.append(f"{name} {_RANDOM.sub('*', path.removeprefix(self._home))}")
        try:
            fcntl.ioctl(self._listener, _SEND, struct.pack("=QqiI", key, 0, 0, _CONTINUE))
        except FileNotFoundError:
            return  # it was killed while it waited

    def _path(self, name: str, thread: int, arguments: tuple[int, ...]) -> str:
        """The file that is changed; empty if it cannot be told, or if nothing is changed."""
        if name in _OPENED and not arguments[_OPENED[name]] & (os.O_CREAT | os.O_TRUNC):
            return ""
        try:
            if name not in _PATHS:
                return os.readlink(f"/proc/{thread}/fd/{arguments[0]}")
            place, folder = _PATHS[name]
            base = f"fd/{arguments[folder]}" if folder is not None and arguments[folder] < 1 << 31 else "cwd"
            return os.path.join(os.readlink(f"/proc/{thread}/{base}"), _text(thread, arguments[place]))
        except FileNotFoundError:
            return ""

    def _strike(self, name: str, thread: int, arguments: tuple[int, ...]) -> None:
        if self._torn and name in _WRITES:
            self._write_half(thread, arguments, _WRITES[name])
        os.kill(self._child, signal.SIGKILL)

    def _write_half(self, thread: int, arguments: tuple[int, ...], offset: int | None) -> None:
        half = _memory(thread, arguments[1], arguments[2] // 2)
        process = os.pidfd_open(self._child)
        opened = ctypes.CDLL(None).syscall(_PIDFD_GETFD, process, arguments[0], 0)
        os.write(opened, half) if offset is None else os.pwrite(opened, half, arguments[offset])
        os.close(opened)
        os.close(process)


def _memory(thread: int, address: int, size: int) -> bytes:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(size)


def _text(thread: int, address: int) -> str:
    """A path at an address, which may end with the page."""
    found = _memory(thread, address, 4096 - address % 4096)
    if b"\0" not in found:
        found += _memory(thread, address + len(found), 4096)
    return os.fsdecode(found.partition(b"\0")[0])
