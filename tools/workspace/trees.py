"""Git trees as values: what stands in one, what differs between two, and a tree with some entries replaced.

Names in git are bytes; here they are strings in which undecodable bytes are kept as lone surrogates.
"""

from __future__ import annotations

import functools
import stat
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import S_ISGITLINK, ObjectID, Tree

from tools.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tools.workspace.objects import Objects

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
FILE, EXECUTABLE, FOLDER = 0o100644, 0o100755, 0o040000
MAX_ENTRIES = 200_000
MAX_DEPTH = 200
_PARSED_TREES = 8192
_FLAT_TREES = 16


class Entry(NamedTuple):
    """What a name in a tree stands for: git's mode and the id of the blob, tree or submodule commit."""

    mode: int
    id: str


class Trees:
    """Reads and edits the trees of one object store."""

    def __init__(self, objects: Objects) -> None:
        """Read from `objects`."""
        self._objects = objects
        self.entries = functools.lru_cache(_PARSED_TREES)(self._entries)
        self.flat = functools.lru_cache(_FLAT_TREES)(self._flat)

    def find(self, tree: str, path: str) -> Entry | None:
        """What stands at `path`, or None."""
        entry: Entry | None = Entry(FOLDER, tree)
        for name in path.split("/"):
            if entry is None or not stat.S_ISDIR(entry.mode):
                return None
            entry = self.entries(entry.id).get(name)
        return entry

    def changes(
        self, before: str, after: str, prefix: str = ""
    ) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        """Yield every path that differs, with its old and new entry; directories only as the paths in them."""
        if before == after:
            return
        old, new = self.entries(before), self.entries(after)
        for name in sorted(old.keys() | new.keys()):
            was, now = old.get(name), new.get(name)
            if was != now:
                yield from self._differing(f"{prefix}{name}", was, now)

    def edited(self, base: str, changes: Mapping[str, Entry | None]) -> tuple[str, list[Tree]]:
        """The id of `base` with these paths replaced (None removes), and the new trees that nobody has stored yet.

        Only directories on the way to a change are read or made anew. A file at a path takes the place of a
        directory of that name, and the other way round.
        """
        made: list[Tree] = []
        return self._edited(base, [(path.split("/"), entry) for path, entry in changes.items()], made), made

    def closure(self, tree: str, known: str = EMPTY_TREE) -> Iterator[tuple[str, bool]]:
        """Yield the id of each tree (True) and blob (False) below `tree` that `known` has not in the same place."""
        seen: set[str] = set()
        pairs = [(tree, known)]
        while pairs:
            now, was = pairs.pop()
            if now == was or now in seen:
                continue
            seen.add(now)
            yield now, True
            old = self.entries(was)
            for name, entry in self.entries(now).items():
                if stat.S_ISDIR(entry.mode):
                    other = old.get(name)
                    pairs.append((entry.id, other.id if other and stat.S_ISDIR(other.mode) else EMPTY_TREE))
                elif old.get(name) != entry and entry.id not in seen and not S_ISGITLINK(entry.mode):
                    seen.add(entry.id)
                    yield entry.id, False

    def _entries(self, tree: str) -> Mapping[str, Entry]:
        if tree == EMPTY_TREE:
            return {}
        items = self._objects.get(tree, Tree).iteritems()
        return {_text(item.path): Entry(item.mode, item.sha.decode()) for item in items}

    def _flat(self, tree: str) -> Mapping[str, Entry]:
        found: dict[str, Entry] = {}
        folders = [("", tree, 0)]
        while folders:
            prefix, folder, depth = folders.pop()
            for name, entry in self.entries(folder).items():
                if stat.S_ISDIR(entry.mode):
                    folders.append((f"{prefix}{name}/", entry.id, depth + 1))
                else:
                    found[prefix + name] = entry
            # A tree of a few hundred bytes can name itself into billions of paths.
            if len(found) > MAX_ENTRIES or len(folders) > MAX_ENTRIES or depth > MAX_DEPTH:
                raise LimitExceeded(
                    f"git tree {tree} has over {MAX_ENTRIES} files or {MAX_DEPTH} levels; use a smaller repository",
                    reason="files",
                )
        return {path: found[path] for path in sorted(found)}

    def _differing(
        self, path: str, was: Entry | None, now: Entry | None
    ) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        old_folder, old = _split(was)
        new_folder, new = _split(now)
        if old != new:
            yield path, old, new
        yield from self.changes(old_folder, new_folder, f"{path}/")

    def _edited(self, base: str, changes: Iterable[tuple[list[str], Entry | None]], made: list[Tree]) -> str:
        entries = dict(self.entries(base))
        deeper: dict[str, list[tuple[list[str], Entry | None]]] = {}
        for (name, *rest), entry in changes:
            if rest:
                deeper.setdefault(name, []).append((rest, entry))
            elif entry is not None:
                entries[name] = entry
            else:
                entries.pop(name, None)
        for name, below in deeper.items():
            here = entries.get(name)
            folder = self._edited(_split(here)[0], below, made)
            if folder != EMPTY_TREE:
                entries[name] = Entry(FOLDER, folder)
            elif here is not None and stat.S_ISDIR(here.mode):
                del entries[name]
        return _built(entries, made)


def _built(entries: Mapping[str, Entry], made: list[Tree]) -> str:
    if not entries:
        return EMPTY_TREE
    tree = Tree()
    for name, entry in entries.items():
        tree.add(name.encode(errors="surrogateescape"), entry.mode, ObjectID(entry.id.encode()))
    made.append(tree)
    return tree.id.decode()


def _split(entry: Entry | None) -> tuple[str, Entry | None]:
    """An entry as (tree, no entry) if it is a directory, else as (empty tree, entry)."""
    if entry is not None and stat.S_ISDIR(entry.mode):
        return entry.id, None
    return EMPTY_TREE, entry


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
