"""Opening a path beneath a directory's descriptor, following no link on the way.

A check of the string (`realpath`, then `open`) leaves time to swap a directory for a link in between. Here the
kernel resolves and opens in one step: `openat2` on Linux 5.6 and later (openat2(2), struct open_how), and elsewhere
one `openat` with O_NOFOLLOW per component, each relative to the descriptor of the one before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys

# Values of <linux/openat2.h>; the call has one number on every architecture but alpha.
_SYS_OPENAT2 = 437
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_RENAME_NOREPLACE = 1
_TRIES = 100

NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
CLOEXEC = getattr(os, "O_CLOEXEC", 0)
DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | DIRECTORY | NOFOLLOW | CLOEXEC

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def openat2(root: int, path: str, flags: int, *, cross_mounts: bool = False) -> int:
    """Open `path` beneath `root` in one system call.

    Raises:
        OSError: ELOOP for a link anywhere in the path, EXDEV for a mount point (unless `cross_mounts`).
    """
    assert _libc is not None
    resolve = _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH | (0 if cross_mounts else _NO_XDEV)
    how = struct.pack("=QQQ", flags | CLOEXEC, 0, resolve)
    arguments = (ctypes.c_int(root), os.fsencode(path), how, ctypes.c_size_t(len(how)))
    for _ in range(_TRIES):
        descriptor: int = _libc.syscall(ctypes.c_long(_SYS_OPENAT2), *arguments)
        if descriptor >= 0:
            return descriptor
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def has_openat2(root: int) -> bool:
    """Try the call: an old kernel does not know it, and a container's filter may forbid it."""
    if _libc is None:
        return False
    try:
        os.close(openat2(root, ".", os.O_RDONLY | DIRECTORY))
    except OSError:
        return False
    return True


def walk(root: int, path: str, flags: int, *, cross_mounts: bool = False) -> int:
    """Open `path` beneath `root` one component at a time; the same contract as `openat2`.

    A mount point shows by its device number only: a bind mount of the same file system passes.
    """
    *folders, leaf = path.split("/")
    current = root
    try:
        for name in folders:
            step = _open(name, _STEP, current)
            if current != root:
                os.close(current)
            current = step
        descriptor = _open(leaf, flags | NOFOLLOW | CLOEXEC, current)
    finally:
        if current != root:
            os.close(current)
    if not cross_mounts and os.fstat(descriptor).st_dev != os.fstat(root).st_dev:
        os.close(descriptor)
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    return descriptor


def rename_without_replacing(source: str, source_folder: int, target: str, target_folder: int) -> bool:
    """Rename in one step that fails with EEXIST where there is a target; False where the system cannot do that."""
    call = getattr(_libc, "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(source), os.fsencode(target)
    if call(source_folder, names[0], target_folder, names[1], ctypes.c_uint(_RENAME_NOREPLACE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), source, None, target)


def _open(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except NotADirectoryError:
        # O_DIRECTORY reports a link as "not a directory"; the reader shall learn which it is.
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from None
        raise
