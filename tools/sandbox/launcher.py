"""The launcher of level B: confines a child, waits for it, and ends whatever it leaves behind.

It runs as a process of its own and imports the standard library and the two modules beside it, nothing heavier. It
stays outside the confinement itself; being a subreaper, it inherits every orphan of the child and can end them all.
What to do comes as JSON from the descriptor named first, what became of it goes as JSON lines to the second.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys

from tools.sandbox.landlock import restrict
from tools.sandbox.processes import end_descendants

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Spec = dict[str, Any]

SET_SECCOMP, CAPBSET_DROP, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS = 22, 24, 36, 38  # linux/prctl.h
FILTER = 2
CAPABILITY_VERSION, CAPABILITIES = 0x20080522, 64  # linux/capability.h
NOT_CONFINED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
PARENT_CHECK = 0.25  # seconds


def main(spec_descriptor: int, status: int) -> int:
    """Run one job; the exit code is 0 whenever the program was reached."""
    with open(spec_descriptor, "rb") as file:
        spec: Spec = json.load(file)
    _prctl(SET_CHILD_SUBREAPER, 1)
    os.set_inheritable(status, False)
    wakeup = _wakeup()
    failure, confined = os.pipe()
    child = os.fork()
    if child == 0:
        _become(spec, confined)
    os.close(confined)
    if why := os.read(failure, 4096):
        sys.stderr.write(why.decode(errors="replace"))
        return NOT_CONFINED
    _report(status, "child-pid", child)
    code = _outcome(child, wakeup, spec["parent"])
    _end_group(child)
    end_descendants(os.getpid())
    _report(status, "exit-code", code)
    return 0


def _wakeup() -> int:
    """A descriptor that can be read when a child has ended or when we are told to end."""
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


def _outcome(child: int, wakeup: int, parent: int) -> int:
    """Wait for the child; end it when told to, and when the process that started us is gone."""
    while True:
        ready, _, _ = select.select([wakeup], [], [], PARENT_CHECK)
        told = os.read(wakeup, 4096) if ready else b""
        if told.strip(bytes([signal.SIGCHLD])) or os.getppid() != parent:
            return 128 + signal.SIGKILL
        while (ended := _reaped())[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                return code if code >= 0 else 128 - code


def _reaped() -> tuple[int, int]:
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _end_group(child: int) -> None:
    """End the child's process group: all there is to find where there is no /proc."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _become(spec: Spec, confined: int) -> NoReturn:
    """In the child: confine it, and turn it into the program."""
    try:
        _confine(spec)
    except BaseException as error:  # noqa: BLE001 - the end of this process: whatever it was, nothing may run
        os.write(confined, str(error).encode())
        os._exit(NOT_CONFINED)
    try:
        os.execvp(spec["argv"][0], spec["argv"])  # noqa: S606
    except OSError as error:
        os.write(2, f"cannot execute {spec['argv'][0]!r}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def _confine(spec: Spec) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    for name, value in spec["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}", None), value)
    if not spec["confined"]:
        return
    if spec["user"] is not None:
        os.setgroups([])
        os.setresgid(spec["user"], spec["user"], spec["user"])
        os.setresuid(spec["user"], spec["user"], spec["user"])
    else:
        _drop_capabilities()
    _checked(_prctl(SET_NO_NEW_PRIVS, 1), "PR_SET_NO_NEW_PRIVS")
    restrict(spec["readable"], spec["writable"])
    _install_filter(bytes.fromhex(spec["filter"]))


def _limit(which: int | None, value: int) -> None:
    """Lower a limit; one that is lower already stays."""
    if which is None:
        return
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _drop_capabilities() -> None:
    """Give up root's rights while staying root's user; for anyone else there is nothing to drop."""
    if os.geteuid() != 0:
        return
    for capability in range(CAPABILITIES):
        _prctl(CAPBSET_DROP, capability)  # fails for those that the kernel does not have
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    _checked(_libc().capset(header, bytes(24)), "capset")


def _install_filter(program: bytes) -> None:
    """Load the BPF program: `struct sock_fprog` is the number of instructions and a pointer to them."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    _checked(_libc().prctl(SET_SECCOMP, FILTER, header, 0, 0), "PR_SET_SECCOMP")


def _report(status: int, key: str, value: int) -> None:
    try:
        os.write(status, json.dumps({key: value}).encode() + b"\n")
    except BrokenPipeError:
        return  # whoever wanted to know is gone


def _prctl(option: int, value: int) -> int:
    if not sys.platform.startswith("linux"):
        return -1
    return int(_libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _checked(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
