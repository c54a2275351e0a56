"""What a git work tree holds that no commit does, found without running a filter, hook or command of it.

A file whose bytes differ only by what a filter would do to them (Git LFS, say) counts as changed once its time
stamp is no longer the index's: this errs on the side of naming a change.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.file import open_nofollow_read
from dulwich.ignore import IgnoreFilterManager
from dulwich.index import ConflictedIndexEntry, IndexEntry, cleanup_mode
from dulwich.objects import S_ISGITLINK, Blob

from tools.workspace.trees import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dulwich.repo import Repo

_ASSUME_UNCHANGED = 0x8000
_SIZE_BITS = 0xFFFFFFFF

Indexed = dict[str, IndexEntry | ConflictedIndexEntry]


def uncommitted(repo: Repo, head: Mapping[str, Entry]) -> Iterator[str]:
    """Yield each path that is staged, changed, missing, or neither tracked nor ignored; `head` is HEAD's files."""
    index = repo.open_index()
    index.ensure_full_index(repo.object_store)
    indexed: Indexed = {os.fsdecode(name): entry for name, entry in index.items()}
    written = Path(os.fsdecode(index.path)).stat().st_mtime_ns
    committed = {path: Entry(cleanup_mode(entry.mode), entry.id) for path, entry in head.items()}
    staged = {path: _staged(entry) for path, entry in indexed.items()}
    yield from (path for path in committed.keys() | staged.keys() if committed.get(path) != staged.get(path))
    for path, entry in indexed.items():
        if isinstance(entry, IndexEntry) and _changed(os.path.join(repo.path, path), entry, written):
            yield path
    yield from _untracked(repo, indexed)


def _staged(entry: IndexEntry | ConflictedIndexEntry | None) -> Entry | None:
    return Entry(entry.mode, entry.sha.decode()) if isinstance(entry, IndexEntry) else None


def _changed(path: str, entry: IndexEntry, index_written: int) -> bool:
    if S_ISGITLINK(entry.mode) or entry.skip_worktree or entry.flags & _ASSUME_UNCHANGED:
        return False
    try:
        found = os.lstat(path)
        if stat.S_IFMT(found.st_mode) != stat.S_IFMT(entry.mode):
            return True
        if stat.S_ISLNK(found.st_mode):
            return _id(os.fsencode(Path(path).readlink())) != entry.sha
        return _mode_changed(found, entry) or not (_fresh(found, entry, index_written) or _equal(path, entry))
    except OSError:
        return True


def _mode_changed(found: os.stat_result, entry: IndexEntry) -> bool:
    return os.name == "posix" and bool((found.st_mode ^ entry.mode) & stat.S_IXUSR)


def _fresh(found: os.stat_result, entry: IndexEntry, index_written: int) -> bool:
    """Whether size and times are the index's, and the index was written later than the file was changed."""
    same_times = (found.st_mtime_ns, found.st_ctime_ns) == (_nanoseconds(entry.mtime), _nanoseconds(entry.ctime))
    return same_times and found.st_size & _SIZE_BITS == entry.size and found.st_mtime_ns < index_written


def _nanoseconds(time: float | tuple[int, int]) -> int:
    return time[0] * 10**9 + time[1] if isinstance(time, tuple) else int(time) * 10**9


def _equal(path: str, entry: IndexEntry) -> bool:
    with open_nofollow_read(path) as file:
        content = file.read()
    # A checkout with core.autocrlf has other line ends than the repository.
    return entry.sha in (_id(content), _id(content.replace(b"\r\n", b"\n")))


def _id(content: bytes) -> bytes:
    return Blob.from_string(content).id


def _untracked(repo: Repo, indexed: Indexed) -> Iterator[str]:
    ignored = IgnoreFilterManager.from_repo(repo)
    for folder, folders, files in os.walk(repo.path):
        inside = os.path.relpath(folder, repo.path).replace(os.sep, "/")
        prefix = "" if inside == "." else f"{inside}/"
        if prefix and (".git" in folders or ".git" in files):
            folders.clear()
            if inside not in indexed:
                yield inside
            continue
        folders[:] = [
            name for name in folders if name != ".git" and not ignored.may_prune_directory(f"{prefix}{name}/")
        ]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for path in (prefix + name for name in files + links if name != ".git"):
            if path not in indexed and not ignored.is_ignored(path):
                yield path
