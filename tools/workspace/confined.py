"""Files that cannot leave the workspace, cannot be half written, and cannot fill the disk.

Every path is checked twice: as a name (`names`) and at the descriptor (`folders`), so that a link, a swapped
directory or a device never leads anywhere else, also not between a check and its use.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tools.errors import FileMissing, LimitExceeded, PathRefused, StorageFailed
from tools.workspace.folders import Confinement, Folder, Tree
from tools.workspace.listing import entries, why_left_out
from tools.workspace.names import TEMPORARY, checked
from tools.workspace.quota import Quota, Usage
from tools.workspace.refusals import (
    changed_meanwhile,
    reading_failed,
    require_regular,
    writing_failed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ConfinedDir", "Confinement", "FileInfo", "Quota"]

_DEFAULT = Quota()
_TRIES = 50
_BLOCK = 1 << 16


@dataclass(frozen=True)
class FileInfo:
    """A file as it was found: workspace path, bytes, SHA-256 in hex, whether its owner may execute it."""

    path: str
    size: int
    sha256: str
    executable: bool


class ConfinedDir:
    """The files of one workspace; threads may share it, and one process at a time should write through it."""

    def __init__(
        self,
        root: Path,
        *,
        quota: Quota = _DEFAULT,
        durable: bool = True,
        confinement: Confinement | None = None,
        cross_mounts: bool = False,
    ) -> None:
        """Open the existing directory `root` once.

        `durable=False` skips fsync, for copies that may be lost in a crash; `confinement` asks for a weaker way
        than the platform's strongest; `cross_mounts` lets paths lead into file systems mounted in the workspace.

        Raises:
            StorageFailed: there is no such directory or it cannot be opened.
        """
        self.quota = quota
        self._durable = durable
        self._lock = threading.RLock()
        self._usage: Usage | None = None
        try:
            self._tree = Tree(root, confinement, cross_mounts=cross_mounts)
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise StorageFailed(
                f"cannot open the workspace {str(root)!r}: {cause}; restore that directory"
            ) from error
        self.confinement: Confinement = self._tree.confinement

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give the root's descriptor back."""
        self._tree.close()

    def read(self, path: str, *, limit: int | None = None) -> bytes:
        """Return the whole content of a file of at most `limit` bytes (the quota's size of a file by default).

        Raises:
            FileMissing: there is no such file.
            PathRefused: a name, link or kind of file that is not read; `reason` says which.
            LimitExceeded: the file is larger; its bytes were not all read.
            StorageFailed: the disk refused.
        """
        return self._load(checked(path), limit)[0]

    def info(self, path: str) -> FileInfo | None:
        """Describe a file, or return None where there is none; raises as `read` does."""
        name = checked(path)
        try:
            return _described(name, *self._load(name, None))
        except FileMissing:
            return None

    def write(
        self, path: str, content: bytes, *, executable: bool | None = None, exclusive: bool = False
    ) -> FileInfo:
        """Replace or create a file with its directories; when this returns it was read back and is on the disk.

        After a crash the path holds the old bytes or the new ones. `executable=None` keeps what the file had;
        `exclusive` refuses to replace.

        Raises:
            PathRefused: as for `read`; with `reason` exists when `exclusive` finds something there.
            LimitExceeded: a quota, named in `reason`.
            StorageFailed: the disk refused; the old file is whole.
            WorkspaceChanged: someone else changed the file or its directory meanwhile.
        """
        name = _file_name(path)
        self.quota.check_file(name, len(content))
        with self._lock:
            old = self._find(name)
            if old is not None:
                require_regular(name, old, hard_links=True)
            files, size = _counted(old)
            self._check_quota(name, 1 - files, len(content) - size)
            kept = old is not None and bool(old.st_mode & stat.S_IXUSR)
            mode = 0o755 if (kept if executable is None else executable) else 0o644
            try:
                self._replace(name, content, mode, exclusive=exclusive)
            except OSError as error:
                raise writing_failed(error, name) from error
            self._count(1 - files, len(content) - size)
            return self._read_back(name, content)

    def delete(self, path: str) -> None:
        """Remove a file; its directories stay.

        Raises:
            FileMissing: there is no such file.
            PathRefused: it is no regular file.
            StorageFailed: the disk refused.
        """
        name = checked(path)
        with self._lock:
            try:
                with self._tree.parent(name) as folder:
                    leaf = _leaf(name)
                    found = folder.stat(leaf)
                    require_regular(name, found, hard_links=True)
                    folder.remove(leaf)
                    self._sync(folder)
            except FileNotFoundError as error:
                raise reading_failed(error, name) from error
            except OSError as error:
                raise writing_failed(error, name) from error
            files, size = _counted(found)
            self._count(-files, -size)

    def move(self, source: str, target: str) -> None:
        """Give a file another name, making the directories; what stands at `target` is never replaced.

        One atomic step where the platform has it; elsewhere a crash may leave both names, never none.

        Raises:
            FileMissing: there is no such file.
            PathRefused: either path is refused; with `reason` exists when there is something at `target`.
            StorageFailed: the disk refused.
            WorkspaceChanged: someone else changed the files meanwhile.
        """
        old, new = checked(source), _file_name(target)
        with self._lock:
            content, found = self._load(old, None)
            if self._find(new) is not None:
                raise writing_failed(FileExistsError(errno.EEXIST, "exists"), new)
            try:
                moved = self._rename(old, new)
            except OSError as error:
                raise writing_failed(error, new) from error
            if moved:
                self._read_back(new, content)
            else:
                self.write(new, content, executable=bool(found.st_mode & stat.S_IXUSR), exclusive=True)
                self.delete(old)

    def clear(self, path: str) -> bool:
        """Remove a directory in which there are only empty directories; tell whether it is gone."""
        name = checked(path)
        try:
            with self._tree.folder(name) as folder:
                below = dict(folder.entries())
            inner = [f"{name}/{leaf}" for leaf, found in below.items() if stat.S_ISDIR(found.st_mode)]
            if len(inner) < len(below) or not all(self.clear(path) for path in inner):
                return False
            with self._tree.parent(name) as folder:
                folder.remove_folder(_leaf(name))
                self._sync(folder)
        except (OSError, PathRefused):
            return False
        return True

    def walk(self, prefix: str = "") -> Iterator[str]:
        """Yield the path of every regular file, sorted; links, special and protected files are left out."""
        return (path for path, _, reason in entries(self._tree, _folder_name(prefix)) if reason is None)

    def stamps(self, prefix: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """Yield what `walk` yields with its status, by which a file that did not change is known without reading it."""
        return (
            (path, found) for path, found, reason in entries(self._tree, _folder_name(prefix)) if reason is None
        )

    def left_out(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield what `walk` passes over, with the reason's code; temporary files of our own are not told."""
        for path, found, reason in entries(self._tree, _folder_name(prefix)):
            if reason is not None and not _is_temporary(path, found):
                yield path, reason

    def sweep(self) -> list[str]:
        """Remove the temporary files of killed writers and say which; no other process may be writing."""
        leftovers = [path for path, found, _ in entries(self._tree) if _is_temporary(path, found)]
        with self._lock:
            for path in leftovers:
                try:
                    with self._tree.parent(path) as folder:
                        folder.remove(_leaf(path))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise writing_failed(error, path) from error
        return leftovers

    def _load(self, name: str, limit: int | None) -> tuple[bytes, os.stat_result]:
        limit = self.quota.file_bytes if limit is None else limit
        try:
            for _ in range(_TRIES):
                descriptor = self._tree.open(name)
                try:
                    found = os.fstat(descriptor)
                    require_regular(name, found)
                    if self._still(name, found):
                        return _read(descriptor, name, found.st_size, limit), found
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise reading_failed(error, name) from error
        raise PathRefused(
            f"{name!r} is being changed again and again; read it when that is over", reason="changing"
        )

    def _still(self, name: str, found: os.stat_result) -> bool:
        """Tell whether the opened file is the one at this name, and nobody linked or unlinked it since.

        A file opened as a hard link has one name left as soon as the workspace's is taken away, and would then pass
        for the workspace's own. Every link and unlink moves the change time, so equal ones rule that out (before
        Linux 6.13 it moves by a clock tick only, which leaves a gap of some milliseconds).
        """
        now = self._tree.stat(name)
        return (now.st_dev, now.st_ino, now.st_ctime_ns) == (found.st_dev, found.st_ino, found.st_ctime_ns)

    def _find(self, name: str) -> os.stat_result | None:
        try:
            return self._tree.stat(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise writing_failed(error, name) from error

    def _made(self, path: str) -> Folder:
        """Open a directory, making it and its parents where they are missing."""
        try:
            return self._tree.folder(path)
        except FileNotFoundError:
            if not path:
                raise
        parent, _, name = path.rpartition("/")
        with self._made(parent) as folder:
            with contextlib.suppress(FileExistsError):
                folder.make(name)
            self._sync(folder)
        return self._tree.folder(path)

    def _replace(self, name: str, content: bytes, mode: int, *, exclusive: bool) -> None:
        temporary = TEMPORARY + secrets.token_hex(8)
        with self._made(name.rpartition("/")[0]) as folder:
            try:
                folder.create(temporary, content, mode=mode, durable=self._durable)
                (folder.settle if exclusive else folder.replace)(temporary, _leaf(name))
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.remove(temporary)
                raise
            self._sync(folder)

    def _rename(self, old: str, new: str) -> bool:
        with self._tree.parent(old) as source, self._made(new.rpartition("/")[0]) as target:
            if not source.move(_leaf(old), target, _leaf(new)):
                return False
            self._sync(target)
            self._sync(source)
            return True

    def _read_back(self, name: str, content: bytes) -> FileInfo:
        try:
            back, found = self._load(name, len(content))
        except (PathRefused, FileMissing, LimitExceeded) as error:
            raise changed_meanwhile(name) from error
        info = _described(name, back, found)
        if info.sha256 != hashlib.sha256(content).hexdigest():
            raise changed_meanwhile(name)
        return info

    def _sync(self, folder: Folder) -> None:
        if self._durable:
            folder.sync()

    def _check_quota(self, name: str, files: int, size: int) -> None:
        if self._usage is None:
            self._usage = self._measured()
        try:
            self._usage.check(self.quota, name, files, size)
        except LimitExceeded:
            # Someone may have made room behind our back; only then is counting anew worth its time.
            self._usage = self._measured()
            self._usage.check(self.quota, name, files, size)

    def _count(self, files: int, size: int) -> None:
        if self._usage is not None:
            self._usage.add(files, size)

    def _measured(self) -> Usage:
        sizes = [found.st_size for _, found, reason in entries(self._tree) if reason is None]
        return Usage(len(sizes), sum(sizes))


def _read(descriptor: int, name: str, size: int, limit: int) -> bytes:
    """Read to the end; the size is a promise that a growing file does not keep, so the bytes are counted too."""
    content, block = b"", max(size, _BLOCK) + 1
    while size <= limit and len(content) <= limit and (part := os.read(descriptor, block)):
        content += part
    if max(size, len(content)) > limit:
        raise LimitExceeded(f"{name!r} has more than {limit} bytes; read a smaller file", reason="file_bytes")
    return content


def _described(name: str, content: bytes, found: os.stat_result) -> FileInfo:
    executable = bool(found.st_mode & stat.S_IXUSR)
    return FileInfo(name, len(content), hashlib.sha256(content).hexdigest(), executable)


def _counted(found: os.stat_result | None) -> tuple[int, int]:
    """How many files and bytes of the quota an entry takes: a hard link's content is not the workspace's own."""
    return (0, 0) if found is None or why_left_out(found) else (1, found.st_size)


def _file_name(path: str) -> str:
    name = checked(path)
    if path.endswith(("/", "/.")):
        raise PathRefused(
            f"{path!r} names a directory; name the file, such as {name + '/file.txt'!r}", reason="empty"
        )
    return name


def _folder_name(path: str) -> str:
    return checked(path) if path.strip("./") else ""


def _is_temporary(path: str, found: os.stat_result) -> bool:
    return _leaf(path).startswith(TEMPORARY) and stat.S_ISREG(found.st_mode)


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]
