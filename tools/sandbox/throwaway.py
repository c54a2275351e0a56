"""The throwaway copy of a workspace that a run gets, and the way back for the files it may return.

Only regular files that the workspace's own rules allow go in and come out, both ways through `ConfinedDir`: a link
planted by the program is not followed, and what it wrote to `.git`, `.env` or a bytecode cache stays behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import FileMissing, ToolRefused
from tools.storage import storage_failed
from tools.workspace.confined import ConfinedDir, Quota
from tools.workspace.names import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.sandbox.identity import Identity

PREFIX = "millwright-sandbox-"
LOCK = "lock"
LARGE = Quota(file_bytes=1 << 40, files=1 << 30, total_bytes=1 << 50)


@dataclass
class Throwaway:
    """The directories of one run: `workspace`, `tmp` and `shm` are the program's own, `etc` it may read.

    `lock` is an open descriptor; as long as a process has it, the copy is in use.
    """

    root: Path
    lock: int
    identity: Identity
    read_only: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)
    copied: int = 0

    @property
    def workspace(self) -> Path:
        """The copy, `/workspace` to the program."""
        return self.root / "workspace"

    @property
    def tmp(self) -> Path:
        """The program's `/tmp`."""
        return self.root / "tmp"

    @property
    def shm(self) -> Path:
        """The program's `/dev/shm`: on disk, where it counts as disk."""
        return self.root / "shm"

    @property
    def etc(self) -> Path:
        """Users and hosts as the program sees them."""
        return self.root / "etc"

    def protected_parts(self) -> list[str]:
        """Every read-only path and the directories above it, outermost first."""
        parts = {str(part) for path in self.read_only for part in (Path(path), *Path(path).parents)}
        return sorted(parts - {"."}, key=lambda part: (part.count("/"), part))

    def free_bytes(self) -> int:
        """The space left on the disk that the run writes to."""
        disk = os.statvfs(self.root)
        return disk.f_bavail * disk.f_frsize

    def used_bytes(self) -> int:
        """The disk space of the files that the run has written; unlinked and hidden ones are not seen."""
        used = -self.copied
        for folder, _, names in os.walk(self.root):
            for name in names:
                with contextlib.suppress(OSError):
                    used += os.lstat(os.path.join(folder, name)).st_blocks * 512
        return used

    def tampered(self) -> tuple[str, ...]:
        """Read-only files that are gone, changed or new: possible only where a level does not hold `read_only`."""
        if not self.read_only:
            return ()
        before = {path: digest for path, digest in self.digests.items() if self._is_locked(path)}
        with ConfinedDir(self.workspace, quota=LARGE) as copy:
            files = (copy.info(path) for path in copy.walk() if self._is_locked(path))
            after = {file.path: file.sha256 for file in files if file is not None}
        return tuple(sorted(path for path in before | after if before.get(path) != after.get(path)))

    def _is_locked(self, path: str) -> bool:
        return any(Path(path).is_relative_to(locked) for locked in self.read_only)

    def return_changes(self, workspace: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Write new and changed files into `workspace`; say which, and which were refused and why.

        Nothing is deleted there, and read-only paths never change.
        """
        changed, refused = [], []
        with ConfinedDir(self.workspace, quota=LARGE) as copy, ConfinedDir(workspace) as original:
            for path in copy.walk():
                if self._is_locked(path):
                    continue
                try:
                    if _return_file(copy, original, path, self.digests.get(path)):
                        changed.append(path)
                except ToolRefused as error:
                    refused.append(f"{path}: {error}")
            refused += [f"{path}: {reason}" for path, reason in copy.left_out() if not _is_cache(path)]
        return tuple(changed), tuple(refused)


@contextlib.contextmanager
def throwaway(workspace: Path, identity: Identity, read_only: Sequence[str] = ()) -> Iterator[Throwaway]:
    """Copy `workspace` for one run and remove the copy afterwards.

    Raises:
        StorageFailed: the copy could not be written; the workspace is as it was.
        FileMissing: a `read_only` path is not in the workspace.
        PathRefused: a `read_only` path is not one a workspace may hold.
    """
    names = tuple(checked(path) for path in read_only)
    with _private_directory() as (root, lock):
        copy = Throwaway(root, lock, identity, names)
        try:
            _prepare(copy, workspace)
        except OSError as error:
            raise storage_failed(error, root) from error
        yield copy


@contextlib.contextmanager
def _private_directory() -> Iterator[tuple[Path, int]]:
    try:
        root = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        lock = _locked(root)
    except OSError as error:
        raise storage_failed(error, tempfile.gettempdir()) from error
    try:
        yield root, lock
    finally:
        remove_copy(root)
        os.close(lock)


def _locked(root: Path) -> int:
    """Take the lock that tells others the copy is in use; it appears in `root` already taken."""
    lock, name = tempfile.mkstemp(prefix=".lock-", dir=root)
    fcntl.flock(lock, fcntl.LOCK_EX)
    Path(name).rename(root / LOCK)
    return lock


def _prepare(copy: Throwaway, workspace: Path) -> None:
    # The program passes through, whatever its user; it cannot list.
    copy.root.chmod(0o711)
    for folder in (copy.workspace, copy.tmp, copy.shm, copy.etc):
        folder.mkdir()
    _write_etc(copy.etc, copy.identity)
    _fill(copy, workspace)
    _lock_read_only(copy)


def _fill(copy: Throwaway, workspace: Path) -> None:
    owned = [copy.workspace, copy.tmp, copy.shm]
    with ConfinedDir(workspace, quota=LARGE) as original:
        for path in original.walk():
            info = original.info(path)
            content = original.read(path)
            target = copy.workspace / path
            owned += [parent for parent in _new_parents(target) if parent != copy.workspace]
            target.write_bytes(content)
            target.chmod(0o755 if info and info.executable else 0o644)
            owned.append(target)
            copy.digests[path] = hashlib.sha256(content).hexdigest()
            copy.copied += target.stat().st_blocks * 512
    for place in owned:
        copy.identity.give(place)


def _is_cache(path: str) -> bool:
    return "__pycache__" in path.split("/")


def _new_parents(target: Path) -> list[Path]:
    if target.parent.is_dir():
        return []
    above = _new_parents(target.parent)
    target.parent.mkdir()
    return [*above, target.parent]


def _lock_read_only(copy: Throwaway) -> None:
    """Take write access away; bind mounts (level A) or ownership (level B as root) make it hold."""
    for path in copy.read_only:
        place = copy.workspace / path
        if not place.exists():
            raise FileMissing(f"{path!r} is to be read-only, and there is no such file in the workspace")
        for inside in (place, *place.rglob("*")):
            copy.identity.keep(inside)
    for part in (".", *copy.protected_parts()):
        place = copy.workspace / part
        if copy.read_only and place.is_dir() and part not in copy.read_only:
            copy.identity.share(place)


def _return_file(copy: ConfinedDir, original: ConfinedDir, path: str, before: str | None) -> bool:
    info = copy.info(path)
    if info is None or info.sha256 == before:
        return False
    now = original.info(path)
    if (now.sha256 if now else None) != before:
        raise ToolRefused("someone else changed it in the workspace meanwhile", reason="changed")
    original.write(path, copy.read(path), executable=info.executable)
    return True


def _write_etc(etc: Path, identity: Identity) -> None:
    texts = {
        "passwd": f"sandbox:x:{identity.inside}:{identity.inside}::/tmp:/bin/sh\n",
        "group": f"sandbox:x:{identity.inside}:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    }
    etc.chmod(0o755)
    for name, text in texts.items():
        (etc / name).write_text(text)
        (etc / name).chmod(0o644)


def remove_copy(root: Path) -> None:
    """Remove a copy, also the directories that the program made unreadable; what resists is left for the next start."""
    shutil.rmtree(root, ignore_errors=True)
    if root.exists():
        for folder, names, _ in os.walk(root):
            for name in names:
                place = Path(folder, name)
                with contextlib.suppress(OSError):
                    if not place.is_symlink():
                        place.chmod(0o700)
        shutil.rmtree(root, ignore_errors=True)
