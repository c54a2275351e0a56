"""One process at a time: a lock of the operating system that a process holds as long as it lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from tools.storage import storage_failed

if TYPE_CHECKING:
    from pathlib import Path


class Ownership:
    """Who may write to something. The lock goes when its process does, however that ends; no stale one remains."""

    def __init__(self, path: Path) -> None:
        """Name the lock file; nothing is made or locked yet."""
        self._path = path
        self._descriptor = -1
        self._pid = 0

    @property
    def held(self) -> bool:
        """Whether this process is the owner; the child of a fork is not."""
        return self._descriptor >= 0 and self._pid == os.getpid()

    def take(self) -> bool:
        """Become the owner if there is none; tell whether this process now is.

        Raises:
            StorageFailed: the lock file cannot be made.
        """
        if self.held:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_failed(error, self._path) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor, self._pid = descriptor, os.getpid()
        return True

    def owner(self) -> str:
        """The process that took it last, for messages."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if found := self._path.read_text(encoding="ascii").strip():
                return f"process {found}"
        return "another process"

    def release(self) -> None:
        """Let others have it."""
        if self.held:
            os.close(self._descriptor)
        self._descriptor = -1
