"""Landlock: the calling process and all it starts may use only the named files from now on.

Numbers and structures of `linux/landlock.h`; the three calls have one number on every architecture. Standard
library only: the launcher imports this module.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
FIRST_VERSION = (1 << 13) - 1
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
READING = EXECUTE | READ_FILE | READ_DIR
CHANGING = (FIRST_VERSION | REFER | TRUNCATE) & ~(MAKE_CHAR | MAKE_BLOCK)
ALL_TCP, ALL_SCOPES = 0b11, 0b11  # bind and connect; abstract unix sockets and signals


def landlock_version() -> int:
    """The version of the interface (its ABI), 0 where the kernel has none or does not use it."""
    if not sys.platform.startswith("linux"):
        return 0
    version: int = _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION)
    return max(version, 0)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Confine this process for good to these paths and what is below them; missing ones are passed over.

    `PR_SET_NO_NEW_PRIVS` must be set. Also forbids TCP (version 4) and signals and abstract sockets to the outside
    (version 6) where the kernel can.

    Raises:
        OSError: the kernel refused.
    """
    version = landlock_version()
    handled = _handled(version)
    ruleset = _checked(
        _libc().syscall(CREATE_RULESET, *_sized(_ruleset(version, handled)), 0), "landlock_create_ruleset"
    )
    try:
        for paths, rights in ((readable, READING), (writable, CHANGING)):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        _checked(_libc().syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _handled(version: int) -> int:
    later = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEVICE}
    return FIRST_VERSION | sum(right for since, right in later.items() if version >= since)


def _ruleset(version: int, handled: int) -> bytes:
    if version < 4:
        return struct.pack("=Q", handled)
    if version < 6:
        return struct.pack("=QQ", handled, ALL_TCP)
    return struct.pack("=QQQ", handled, ALL_TCP, ALL_SCOPES)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc().syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0), f"landlock_add_rule {path!r}")
    finally:
        os.close(descriptor)


def _sized(structure: bytes) -> tuple[bytes, ctypes.c_size_t]:
    return structure, ctypes.c_size_t(len(structure))


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
