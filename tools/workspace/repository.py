"""A user's git repository: its last commit is read into a store, and a finished branch is put beside the others.

No hook, filter or command of the repository runs, and the work tree, the index and HEAD are never touched.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dulwich.errors import NoIndexPresent, NotGitRepository
from dulwich.index import UnsupportedIndexFormat
from dulwich.objects import Blob, Commit, Tree
from dulwich.refs import DiskRefsContainer, Ref, check_ref_format
from dulwich.repo import InvalidWorktreeConfiguration, Repo, UnsupportedExtension, UnsupportedVersion

from tools.errors import LimitExceeded, UsageError
from tools.storage import storage_failed, sync_directory
from tools.workspace.objects import Objects
from tools.workspace.staging import staged
from tools.workspace.trees import EMPTY_TREE, Trees
from tools.workspace.worktree import uncommitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dulwich.objects import ShaFile

    from tools.workspace.snapshots import SnapshotStore


class Repository:
    """The repository of one work tree, as it was when it was opened."""

    def __init__(self, repo: Repo) -> None:
        """Use an opened repository; `open` is the way to get one."""
        self.path = Path(repo.path)
        self._repo = repo
        self._objects = Objects(Path(repo.commondir()) / "objects")
        names, head = repo.refs.follow(Ref(b"HEAD"))
        if head is None:
            raise UsageError(f"{repo.path!r} has no commit yet; commit something there, even an empty file")
        self.head_commit: str = head.decode()
        branch = names[-1].removeprefix(b"refs/heads/").decode(errors="replace")
        self.head_branch: str | None = branch if len(names) > 1 else None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the repository whose work tree's top is `path`.

        Raises:
            UsageError: it is no such directory, is bare, has no commit, or has a format that is not read.
        """
        try:
            repo = Repo(path)
        except NotGitRepository as error:
            raise UsageError(_no_work_tree(path)) from error
        except (UnsupportedVersion, UnsupportedExtension, InvalidWorktreeConfiguration) as error:
            raise UsageError(
                f"the git repository {str(path)!r} cannot be read by Millwright ({error}); give a plain clone"
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"the git repository {str(path)!r} cannot be opened: {error}; check it with git"
            ) from error
        try:
            _require_readable(repo, path)
            return cls(repo)
        except BaseException:
            repo.close()
            raise

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let the open packs go."""
        self._objects.close()
        self._repo.close()

    @property
    def dirty(self) -> bool:
        """Whether there are uncommitted changes or untracked files now; when that cannot be told, yes."""
        trees = Trees(self._objects)
        tree = self._objects.get(self.head_commit, Commit).tree.decode()
        try:
            return any(True for _ in uncommitted(self._repo, trees.flat(tree)))
        except (
            UnsupportedIndexFormat,
            OSError,
            ValueError,
            KeyError,
            AssertionError,
            NoIndexPresent,
            LimitExceeded,
        ):
            return True

    def import_head(self, store: SnapshotStore) -> tuple[str, str]:
        """Copy HEAD's commit without its history into a store; return the ids of the commit and its tree.

        Raises:
            UsageError: it holds more files than a snapshot may.
            StorageFailed: an object is missing or damaged here, or the disk of the store refused.
        """
        try:
            return self.head_commit, store.adopt(self._objects, self.head_commit)
        except LimitExceeded as error:
            raise UsageError(f"{str(self.path)!r} is too large: {error}") from error

    def deliver_branch(self, store: SnapshotStore, commit: str, branch: str) -> str:
        """Add a commit with all it needs and a new branch that points to it; return the branch's name.

        After a crash calling it again finishes the work. A branch that is there and points elsewhere is not moved.

        Raises:
            UsageError: the name is no branch name or is taken, or the commit that the run began from is gone.
            StorageFailed: the disk refused; the repository has no new branch.
        """
        ref = f"refs/heads/{branch}"
        if not check_ref_format(Ref(ref.encode(errors="replace"))) or branch.startswith("-"):
            raise UsageError(f"{branch!r} is no name for a branch; use letters, digits, '-' and '/'")
        current = self._require_free(ref, branch, commit)
        if current is None:
            self._objects.copy(self._lacking(store, commit), store.objects)
            self._add_ref(ref, branch, commit)
        return branch

    def _require_free(self, ref: str, branch: str, commit: str) -> str | None:
        """The commit that the branch points to already, if that is the one to deliver."""
        refs = DiskRefsContainer(self._repo.commondir(), self._repo.controldir())
        current = refs.read_ref(Ref(ref.encode()))
        if current not in (None, commit.encode()):
            raise UsageError(
                f"the branch {branch!r} exists in {str(self.path)!r} and points elsewhere; "
                f"rename or delete it (`git branch -m {branch} …`), it is not overwritten"
            )
        for name in (known.decode(errors="replace") for known in refs.allkeys()):
            if name.startswith(f"{ref}/") or ref.startswith(f"{name}/"):
                raise UsageError(
                    f"there can be no branch {branch!r} in {str(self.path)!r} beside {name!r}; rename that one"
                )
        return current.decode() if current else None

    def _lacking(self, store: SnapshotStore, commit: str) -> Iterator[tuple[str, type[ShaFile]]]:
        """Ids and kinds of all that `commit` needs and this repository may lack, each before what refers to it."""
        found: list[tuple[str, str, str]] = []
        waiting, seen = [commit], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name in self._objects:
                continue
            seen.add(name)
            if name in store.adopted:
                raise UsageError(
                    f"the commit {name} that the run began from is gone from {str(self.path)!r}; "
                    f"fetch it there, or apply the patches"
                )
            content = store.objects.get(name, Commit)
            parents = [parent.decode() for parent in content.parents]
            before = store.objects.get(parents[0], Commit).tree.decode() if parents else EMPTY_TREE
            found.append((name, content.tree.decode(), before))
            waiting += parents
        for name, tree, before in reversed(found):
            yield from ((part, Tree if is_tree else Blob) for part, is_tree in store.trees.closure(tree, before))
            yield name, Commit

    def _add_ref(self, ref: str, branch: str, commit: str) -> None:
        """Make the ref through git's own lock file, which appears whole, so that a killed delivery is resumed."""
        path = Path(self._repo.commondir(), ref)
        lock = path.with_name(f"{path.name}.lock")
        content = f"{commit}\n".encode()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with staged(self._objects.path, "tmp_obj_", mode=0o644) as (file, temporary):
                file.write(content)
            try:
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, lock)
            finally:
                temporary.unlink()
            if lock.read_bytes() != content:
                raise UsageError(
                    f"another git process is making the branch {branch!r}; if there is none, delete {str(lock)!r}"
                )
            lock.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise storage_failed(error, path) from error


def _no_work_tree(path: Path) -> str:
    """Say what `path` is instead of the top of a work tree, and what to give."""
    if not path.is_dir():
        return f"there is no directory {str(path)!r}; give the top directory of a git work tree"
    try:
        with Repo.discover(path) as repo:
            top = repo.path
    except (NotGitRepository, UnsupportedVersion, UnsupportedExtension, OSError, ValueError):
        return f"{str(path)!r} is not a git work tree; run `git init` there and commit, or give another directory"
    return f"{str(path)!r} is not the top of a git work tree, it lies in {str(top)!r}; give that directory"


def _require_readable(repo: Repo, path: Path) -> None:
    config = repo.get_config()
    if repo.bare or config.get_boolean((b"core",), b"bare", False) or Path(repo.path).name == ".git":
        raise UsageError(f"{str(path)!r} is a bare repository without files; give a clone of it with a work tree")
    if repo.object_format.name != "sha1":
        raise UsageError(
            f"{str(path)!r} uses SHA-256 object ids, which are not supported yet; give a SHA-1 clone of it"
        )
    if not isinstance(repo.refs, DiskRefsContainer):
        raise UsageError(
            f"{str(path)!r} keeps its branches in a reftable, which is not supported yet; "
            f"give a clone made with `git clone --ref-format=files`"
        )
