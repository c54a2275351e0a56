"""Snapshots of a workspace: a bare git object store beside it, and one tree id per accepted step.

A tree may hold entries that no workspace ever gets: symbolic links, submodules, protected names, files over the
quota. They come from the user's repository and stay as they are in every tree that is built on theirs.

Ids are git's SHA-1 and serve as addresses; what a run proves, it proves with the ledger's SHA-256.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import stat
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from dulwich.objects import S_ISGITLINK, Blob, Commit, Tree

from tools.errors import FileMissing, PathRefused, ToolRefused, WorkspaceChanged
from tools.storage import storage_failed, write_atomic
from tools.workspace.commits import composed
from tools.workspace.names import checked
from tools.workspace.objects import Objects
from tools.workspace.patches import named_patch
from tools.workspace.trees import EMPTY_TREE, EXECUTABLE, FILE, Entry, Trees

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tools.workspace.confined import ConfinedDir

# The clock that Linux stamps files with; the standard library has no name for it.
_LINUX_CLOCK_REALTIME_COARSE = 5
_COARSEST_FILE_TIME = 2_000_000_000
# Nothing refers to the trees of single steps, so git must never clean up here.
_CONFIG = b"""[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
[extensions]
\tpreciousObjects = true
"""


@dataclass(frozen=True)
class FileEntry:
    """A file in a tree: the id of its blob, its bytes, git's mode."""

    blob: str
    size: int
    mode: int

    @property
    def executable(self) -> bool:
        """Whether its owner may execute it."""
        return _executable(self.mode)


@dataclass(frozen=True)
class Change:
    """One path that differs between two trees, with what stands there before and after."""

    path: str
    kind: Literal["added", "modified", "deleted"]
    before: FileEntry | None
    after: FileEntry | None


class SnapshotStore:
    """The snapshots of one run; threads may share it, and a kill at any time leaves every returned id good."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`, making it when it is not there or not complete.

        Raises:
            StorageFailed: it cannot be made.
        """
        self.path = path
        try:
            for folder in ("objects/info", "objects/pack", "refs/heads"):
                (path / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_failed(error, path) from error
        for name, content in (("config", _CONFIG), ("HEAD", b"ref: refs/heads/main\n")):
            if not (path / name).exists():
                write_atomic(path / name, content)
        self.objects = Objects(path / "objects")
        self.trees = Trees(self.objects)
        self._lock = threading.RLock()
        self._known: dict[tuple[int, ...], str] = {}
        self._listed = functools.lru_cache(8)(self._list)

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let the open files go; the store is complete at any time."""
        with self._lock:
            self.objects.close()

    def take(self, files: ConfinedDir, *, base: str | None = None) -> str:
        """Record what stands in the workspace and return its tree id; equal files give equal ids.

        What `base` holds and no workspace ever gets is kept.

        Raises:
            WorkspaceChanged: something stands there that no tool of ours writes, such as a link or a huge file.
            StorageFailed: the disk refused.
        """
        with self._lock:
            root = base or EMPTY_TREE
            known = self.trees.flat(root)
            settled = _settled()
            stamps = dict(files.stamps())
            found = {path: self._look(files, path, status) for path, status in stamps.items()}
            changes: dict[str, Entry | None] = {
                path: entry for path, (entry, _) in found.items() if not _same(known.get(path), entry)
            }
            missing = [p for p, entry in known.items() if p not in found and self._materialised(p, entry, files)]
            _require_gone(missing, files)
            changes |= dict.fromkeys(missing)
            tree, made = self.trees.edited(root, changes)
            self.objects.put([*(blob for _, blob in found.values() if blob), *made])
            for path, status in stamps.items():
                if status.st_ctime_ns < settled:
                    self._known[_stamp(status)] = found[path][0].id
            return tree

    def restore(self, tree: str, files: ConfinedDir) -> list[str]:
        """Make the workspace equal to the tree and return the paths that changed, sorted.

        Each file is replaced atomically, so after a crash calling it again finishes the work. Files that no
        snapshot takes are left alone.

        Raises:
            WorkspaceChanged: something that no tool of ours writes is in the way.
            StorageFailed: the disk refused, or an object is missing.
        """
        with self._lock:
            wanted = {p: e for p, e in self.trees.flat(tree).items() if self._materialised(p, e, files)}
            found = {path: self._entry(files, path, status) for path, status in files.stamps()}
            surplus = [path for path in found if path not in wanted]
            stale = [path for path, entry in wanted.items() if not _same(found.get(path), entry)]
            for path in surplus:
                with _ours(path):
                    files.delete(path)
            for path in stale:
                content = self.objects.get(wanted[path].id, Blob).data
                with _ours(path):
                    if path not in found:
                        files.clear(path)
                    files.write(path, content, executable=_executable(wanted[path].mode))
            return sorted(surplus + stale)

    def read(self, tree: str, path: str) -> bytes:
        """The content of a file in a tree.

        Raises:
            FileMissing: there is no file of that path in the tree.
        """
        with self._lock:
            entry = self.trees.find(tree, path)
            if entry is None or not stat.S_ISREG(entry.mode):
                raise FileMissing(f"there is no file {path!r} in snapshot {tree}", reason="missing")
            return self.objects.get(entry.id, Blob).data

    def list(self, tree: str, prefix: str = "") -> dict[str, FileEntry]:
        """The files of a tree whose path begins with `prefix`, sorted; without links and protected names."""
        with self._lock:
            listed = self._listed(tree)
        return (
            {path: entry for path, entry in listed.items() if path.startswith(prefix)} if prefix else dict(listed)
        )

    def diff(self, before: str, after: str) -> Sequence[Change]:
        """What differs between two trees, sorted by path, links and submodules included."""
        with self._lock:
            found = [
                Change(path, _kind(was, now), self._described(was), self._described(now))
                for path, was, now in self.trees.changes(before, after)
            ]
        return sorted(found, key=lambda change: change.path)

    def subset(self, base: str, changed: str, paths: Iterable[str]) -> str:
        """Record and return `base` with only these paths as they are in `changed` (removed where it has none)."""
        with self._lock:
            tree, made = self.trees.edited(base, {path: self.trees.find(changed, path) for path in paths})
            self.objects.put(made)
            return tree

    def commit(
        self,
        tree: str,
        *,
        parents: Sequence[str],
        author: str,
        assignment: str,
        message: str,
        at: int,
        run: str = "",
    ) -> str:
        """Record a commit of a tree and return its id, which depends on nothing but the arguments.

        `author` is "name <address>"; `at` is in seconds since 1970, UTC; assignment and run become trailers.
        """
        trailers = {"Assignment": assignment, "Run": run}
        with self._lock:
            commit = composed(tree, parents=parents, author=author, message=message, at=at, trailers=trailers)
            self.objects.put([commit])
            return commit.id.decode()

    def patches(self, commits: Sequence[str]) -> Sequence[tuple[str, bytes]]:
        """File name and content of one patch per commit, against its first parent, as `git am` applies them."""
        with self._lock:
            return [
                named_patch(self.objects, self.trees, commit, number, len(commits))
                for number, commit in enumerate(commits, 1)
            ]

    def adopt(self, source: Objects, commit: str) -> str:
        """Copy a commit and its files, without its history, from another object store; return its tree id.

        Raises:
            StorageFailed: an object is missing or damaged there, or the disk refused here.
            LimitExceeded: the commit holds more than a snapshot may.
        """
        with self._lock:
            tree: str = source.get(commit, Commit).tree.decode()
            trees = Trees(source)
            trees.flat(tree)
            # The commit goes last: it being here means that all of it is here.
            self.objects.copy(((name, Tree if is_tree else Blob) for name, is_tree in trees.closure(tree)), source)
            self._mark_shallow(commit)
            self.objects.copy([(commit, Commit)], source)
            return tree

    @property
    def adopted(self) -> frozenset[str]:
        """Ids of the commits that are here without their history."""
        path = self.path / "shallow"
        return frozenset(path.read_text().split() if path.exists() else ())

    def surplus(self, trees: Iterable[str]) -> dict[str, int]:
        """The objects that neither these trees nor any commit leads to, with the bytes that each takes on the disk.

        Raises:
            StorageFailed: an object is missing or damaged, so that nobody can say what it leads to.
        """
        with self._lock:
            stored = self.objects.stored()
            kept = {name for tree in trees for name, _ in self.trees.closure(tree)}
            for name in [n for n in stored if n not in kept and not self.objects.is_content(n)]:
                commit = self.objects.get(name, Commit)
                kept |= {name, *(below for below, _ in self.trees.closure(commit.tree.decode()))}
            return {name: size for name, size in stored.items() if name not in kept}

    def clone_to(self, path: Path) -> SnapshotStore:
        """Make or complete an independent copy at `path`; the immutable objects are hard links where possible."""
        with self._lock:
            clone = SnapshotStore(path)
            self.objects.link(clone.objects.path)
            if (self.path / "shallow").exists():
                write_atomic(path / "shallow", (self.path / "shallow").read_bytes())
            return clone

    def _look(self, files: ConfinedDir, path: str, status: os.stat_result) -> tuple[Entry, Blob | None]:
        """A file as an entry, with its blob if that may not be stored yet; what is known unchanged is not read."""
        mode = EXECUTABLE if _executable(status.st_mode) else FILE
        known = self._known.get(_stamp(status))
        if known is not None:
            return Entry(mode, known), None
        with _ours(path):
            blob = Blob.from_string(files.read(path))
        return Entry(mode, blob.id.decode()), blob

    def _entry(self, files: ConfinedDir, path: str, status: os.stat_result) -> Entry | None:
        """What stands at a path, or None if it must be replaced unseen."""
        try:
            return self._look(files, path, status)[0]
        except WorkspaceChanged:
            return None

    def _materialised(self, path: str, entry: Entry, files: ConfinedDir) -> bool:
        return _offered(path, entry) and self.objects.size(entry.id) <= files.quota.file_bytes

    def _list(self, tree: str) -> dict[str, FileEntry]:
        entries = self.trees.flat(tree).items()
        return {
            path: FileEntry(entry.id, self.objects.size(entry.id), entry.mode)
            for path, entry in entries
            if _offered(path, entry)
        }

    def _described(self, entry: Entry | None) -> FileEntry | None:
        if entry is None:
            return None
        size = 0 if S_ISGITLINK(entry.mode) else self.objects.size(entry.id)
        return FileEntry(entry.id, size, entry.mode)

    def _mark_shallow(self, commit: str) -> None:
        if commit not in self.adopted:
            write_atomic(
                self.path / "shallow", "".join(f"{name}\n" for name in sorted({*self.adopted, commit})).encode()
            )


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _settled() -> int:
    """A time, in nanoseconds, such that any later change of a file gets a later change time than that."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_LINUX_CLOCK_REALTIME_COARSE)
    return time.time_ns() - _COARSEST_FILE_TIME


@contextlib.contextmanager
def _ours(path: str) -> Iterator[None]:
    """Tell the person, not a model, that the workspace holds what no tool of ours writes."""
    try:
        yield
    except ToolRefused as refusal:
        raise WorkspaceChanged(
            f"the workspace and its snapshots cannot be kept equal at {path!r}: {refusal}; "
            f"put that right in the workspace and resume"
        ) from refusal


def _require_gone(paths: Sequence[str], files: ConfinedDir) -> None:
    """Make sure that files are missing because they were deleted, not because something took their place."""
    if not paths:
        return
    left_out = dict(files.left_out())
    for path in paths:
        parents = itertools.accumulate(path.split("/"), "{}/{}".format)
        blocked = next((parent for parent in parents if parent in left_out), None)
        if blocked:
            raise WorkspaceChanged(
                f"{blocked!r} in the workspace is no ordinary file or directory any more ({left_out[blocked]}); "
                f"put the real one back and resume"
            )


def _same(old: Entry | None, new: Entry | None) -> bool:
    """Whether two entries are the same file to a workspace, which knows no other mode bit than the owner's x."""
    if old is None or new is None:
        return old is new
    return old.id == new.id and stat.S_ISREG(old.mode) and _executable(old.mode) == _executable(new.mode)


def _executable(mode: int) -> bool:
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


def _kind(was: Entry | None, now: Entry | None) -> Literal["added", "modified", "deleted"]:
    if was is None:
        return "added"
    return "deleted" if now is None else "modified"


def _offered(path: str, entry: Entry) -> bool:
    return stat.S_ISREG(entry.mode) and _writable_name(path)


@functools.lru_cache(65536)
def _writable_name(path: str) -> bool:
    try:
        return checked(path) == path
    except PathRefused:
        return False
