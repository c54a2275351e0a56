"""Directories of one tree: how a path in it is opened, and what is done with the names in a directory.

With descriptors every name is used relative to its directory's descriptor, so a directory stays the same one
whatever happens to its name. Where the platform has none, the path is resolved, compared and then used: that leaves
a moment in between, and `Tree.confinement` says so.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from tools.workspace import beneath

if TYPE_CHECKING:
    from collections.abc import Iterator

Confinement = Literal["openat2", "nofollow-walk", "best-effort"]
# A FIFO must not block the opener, a terminal not become ours; Windows must not translate line ends.
_BINARY = getattr(os, "O_BINARY", 0) | beneath.CLOEXEC | beneath.NOFOLLOW
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | _BINARY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
_FOLDER = os.O_RDONLY | beneath.DIRECTORY | beneath.CLOEXEC
_HAS_DESCRIPTORS = {os.open, os.stat, os.mkdir, os.unlink, os.rename} <= os.supports_dir_fd


class Folder:
    """One directory; names are single components, and a link is never followed."""

    def __init__(self, descriptor: int | None, path: str = "") -> None:
        """Own `descriptor`, or stand for `path` where there are none."""
        self._descriptor = descriptor
        self._path = path

    def __enter__(self) -> Self:
        """Hold the directory."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def create(self, name: str, content: bytes, *, mode: int, durable: bool) -> None:
        """Write a new file with all of `content`, on the disk when this returns if `durable`."""
        with open(os.open(self._at(name), _CREATE, 0o600, dir_fd=self._descriptor), "wb", buffering=0) as file:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())

    def stat(self, name: str) -> os.stat_result:
        """Describe the entry itself, not what it points to."""
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """List the directory, unsorted; an entry that vanishes meanwhile is left out."""
        with os.scandir(self._path if self._descriptor is None else self._descriptor) as found:
            names = [entry.name for entry in found]
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield name, self.stat(name)

    def make(self, name: str) -> None:
        """Make a directory."""
        os.mkdir(self._at(name), 0o755, dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove a file or a link."""
        os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove an empty directory; any other is an error."""
        os.rmdir(self._at(name), dir_fd=self._descriptor)

    def replace(self, name: str, target: str) -> None:
        """Rename within the directory, over the target if there is one."""
        here = self._descriptor
        os.replace(self._at(name), self._at(target), src_dir_fd=here, dst_dir_fd=here)

    def settle(self, name: str, target: str) -> None:
        """Rename within the directory; an existing target is an error. A crash may leave the first name as well."""
        if not self.move(name, self, target):
            here = self._descriptor
            os.link(self._at(name), self._at(target), src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
            self.remove(name)

    def move(self, name: str, folder: Folder, target: str) -> bool:
        """Rename into `folder` in one step; an existing target is an error; False where no such step exists."""
        if self._descriptor is None or folder._descriptor is None:
            return False
        return beneath.rename_without_replacing(name, self._descriptor, target, folder._descriptor)

    def sync(self) -> None:
        """Make the names durable, where the platform lets a directory be synced."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else os.path.join(self._path, name)


class Tree:
    """A directory tree whose root is opened once."""

    def __init__(self, root: Path, confinement: Confinement | None, *, cross_mounts: bool) -> None:
        """Open `root` and find by trial the strongest way to open beneath it, unless one is named."""
        self._path = os.path.realpath(root)
        self._root = os.open(root, _FOLDER) if _HAS_DESCRIPTORS else -1
        self._cross_mounts = cross_mounts
        self.confinement: Confinement = confinement or self._strongest()

    def open(self, path: str) -> int:
        """Open a file for reading; it may turn out to be of any kind."""
        return self._open(path, _READ)

    def folder(self, path: str) -> Folder:
        """Open a directory; the empty path is the root."""
        if self.confinement != "best-effort":
            return Folder(self._open(path or ".", _FOLDER))
        place = self._resolved(path)
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return Folder(None, place)

    def parent(self, path: str) -> Folder:
        """Open the directory that `path` is in."""
        return self.folder(path.rpartition("/")[0])

    def stat(self, path: str) -> os.stat_result:
        """Describe what is at `path`, not what that points to."""
        with self.parent(path) as folder:
            return folder.stat(path.rpartition("/")[2])

    def close(self) -> None:
        """Let the root go."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _strongest(self) -> Confinement:
        if self._root < 0:
            return "best-effort"
        return "openat2" if beneath.has_openat2(self._root) else "nofollow-walk"

    def _open(self, path: str, flags: int) -> int:
        if self.confinement == "openat2":
            return beneath.openat2(self._root, path, flags, cross_mounts=self._cross_mounts)
        if self.confinement == "nofollow-walk":
            return beneath.walk(self._root, path, flags, cross_mounts=self._cross_mounts)
        return os.open(self._resolved(path), flags)

    def _resolved(self, path: str) -> str:
        """The path itself, if resolving it leads nowhere else."""
        plain = os.path.join(self._path, *path.split("/")) if path else self._path
        # A link to itself resolves to itself, so that a link is looked for as well.
        same = os.path.normcase(os.path.realpath(plain)) == os.path.normcase(plain)
        if not same or Path(plain).is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        return plain
