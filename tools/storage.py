"""Files that are whole or absent: atomic replacement and append-only JSON lines.

A writer may be killed between any two instructions. A replaced file is the old one or the new one; a log keeps
every record it acknowledged, and the torn line of a killed writer is cut off when the next writer opens it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from tools.errors import Fenced, StorageFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Record = dict[str, Any]

_ELSEWHERE = "move it away or set MILLWRIGHT_HOME elsewhere"
_WAY_OUT = {
    errno.EEXIST: ("there is something else of that name", _ELSEWHERE),
    errno.ENOENT: ("its directory is not there", "make the directory"),
    errno.EISDIR: ("it is a directory", "name a file"),
    errno.ENOTDIR: ("a file stands where a directory should be", _ELSEWHERE),
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("the disk quota is used up", "free some space"),
    errno.EROFS: ("the file system is read-only", "make it writable or set MILLWRIGHT_HOME elsewhere"),
    errno.EACCES: ("permission is denied", "make it writable or set MILLWRIGHT_HOME elsewhere"),
    errno.EPERM: ("permission is denied", "make it writable or set MILLWRIGHT_HOME elsewhere"),
}


def storage_failed(error: OSError, path: Path | str) -> StorageFailed:
    """Say in one sentence why `path` could not be written, and the way out."""
    cause, way_out = _WAY_OUT.get(error.errno or 0, (error.strerror or type(error).__name__, "check the disk"))
    return StorageFailed(f"cannot write {str(path)!r}: {cause}; {way_out}, nothing that was saved is lost")


def write_atomic(path: Path, content: bytes | Iterable[bytes], *, mode: int = 0o600) -> None:
    """Replace `path` by `content`, whole or in pieces: after a crash it holds the old bytes or the new ones.

    Raises:
        StorageFailed: the disk refused; the old file is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)  # noqa: PTH101 - the name is mkstemp's string
            os.replace(name, path)  # noqa: PTH105
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108
            raise
        sync_directory(path.parent)
    except OSError as error:
        raise storage_failed(error, path) from error


def sweep(folder: Path) -> None:
    """Remove what killed writers of `write_atomic` left in a directory; nobody else may be writing there."""
    for path in folder.glob(".*.????????"):
        if path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def canonical(record: Any) -> bytes:
    """Encode as JSON with one spelling: sorted keys, no spaces, UTF-8, lone surrogates escaped."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def read_lines(path: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Yield each whole record from byte `offset` on, with the offset behind it; a torn last line is left out."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield json.loads(line), offset


class JsonLines:
    """An append-only file of JSON objects, one a line, written by one process at a time."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        """Open or create `path`, cutting off a torn last line; `durable` syncs every append to the disk."""
        self.path = path
        self._durable = durable
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            known = path.exists()
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if durable and not known:
                sync_directory(path.parent)
            self._cut_torn_line()
            self._end = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise storage_failed(error, path) from error

    def append(self, *records: Record) -> None:
        """Add records in one write; when this returns they survive a crash (of the machine, if durable).

        Raises:
            StorageFailed: the disk refused; no part of the records stays in the file.
            Fenced: another process appended since the file was opened.
        """
        data = b"".join(canonical(record) + b"\n" for record in records)
        with self._lock:
            end = os.fstat(self._descriptor).st_size
            if end != self._end:
                raise Fenced(
                    f"{str(self.path)!r} was written by another process: that one drives the run now, "
                    f"and this one may not write to it again; resume the run when that has ended"
                )
            try:
                written = os.write(self._descriptor, data)
                if written != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if self._durable:
                    os.fdatasync(self._descriptor)
                self._end = end + len(data)
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, end)
                raise storage_failed(error, self.path) from error

    def __iter__(self) -> Iterator[Record]:
        """Yield every record in the order of its writing.

        Raises:
            StorageFailed: a line is not what was written.
        """
        read = 0
        try:
            for record, _ in read_lines(self.path):
                read += 1
                yield record
        except ValueError as error:
            raise StorageFailed(
                f"line {read + 1} of {str(self.path)!r} is damaged ({error}); put the file back from a copy"
            ) from error

    def changed_by_others(self) -> bool:
        """Tell whether someone else has appended to the file, or replaced or removed it, since it was opened."""
        with self._lock:
            try:
                here, there = os.fstat(self._descriptor), self.path.stat()
            except OSError:
                return True
            return here.st_size != self._end or (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev)

    def close(self) -> None:
        """Give the descriptor back; the file is complete at any time."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._descriptor).st_size
        end = size
        while end > 0:
            start = max(0, end - 65536)
            block = os.pread(self._descriptor, end - start, start)
            newline = block.rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != size:
            os.ftruncate(self._descriptor, end)
