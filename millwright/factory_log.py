"""The file of `factory run --log`: a line of JSON for every finished task, once, whoever was killed in between."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any

from tools.errors import UsageError
from tools.storage import canonical, storage_failed

if TYPE_CHECKING:
    from pathlib import Path


class TaskLog:
    """An open log, to which lines are only ever added; sessions after each other share it."""

    def __init__(self, path: Path) -> None:
        """Open the file or make it, and know the tasks that it tells of.

        Raises:
            UsageError: no file can be there.
            StorageFailed: it cannot be read or written.
        """
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            # Of a device nothing can be read back, or no end of it.
            regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
            content = path.read_bytes() if regular else b""
            if content and not content.endswith(b"\n"):
                os.write(self._descriptor, b"\n")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
            raise UsageError(
                f"--log: {str(path)!r} cannot be written ({error.strerror}); name a file in a directory of yours"
            ) from error
        except OSError as error:
            raise storage_failed(error, path) from error
        self._told = {run for line in content.splitlines() if (run := _run_of(line))}

    def write(self, record: dict[str, Any]) -> None:
        """Add a line, unless it is of a task that the log tells of already.

        Raises:
            StorageFailed: the disk refused; no part of the line stays in the file.
        """
        if record.get("run") in self._told:
            return  # a session that was killed before it could note so has written it
        line = canonical(record) + b"\n"
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise storage_failed(error, self._path) from error

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


def _run_of(line: bytes) -> str:
    """The task that a line tells of; empty for every other one, also for what was torn or is not ours."""
    try:
        record = json.loads(line)
    except ValueError:
        return ""
    is_task = isinstance(record, dict) and record.get("kind") == "task"
    return str(record.get("run", "")) if is_task else ""
