"""Everything that lies in a workspace, and why some of it is not offered as a file."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from tools.errors import PathRefused
from tools.workspace.names import MAX_DEPTH, checked
from tools.workspace.refusals import reading_failed, require_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from tools.workspace.folders import Tree


class Entry(NamedTuple):
    """Something that is no directory; `reason` is the code for which `read` would refuse it, or None."""

    path: str
    found: os.stat_result
    reason: str | None


def entries(tree: Tree, prefix: str = "") -> Iterator[Entry]:
    """Yield what lies under the directory `prefix`, in the order of the whole paths.

    A directory that may not be named (`.git`) or lies too deep is one entry; what vanishes meanwhile is left out.
    """
    try:
        with tree.folder(prefix) as folder:
            found = dict(folder.entries())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise reading_failed(error, prefix or ".") from error
    # A directory sorts as if it ended in "/": so the order is that of the whole paths.
    for name in sorted(found, key=lambda name: f"{name}/" if stat.S_ISDIR(found[name].st_mode) else name):
        path = f"{prefix}/{name}" if prefix else name
        reason = _refused_name(path)
        if not stat.S_ISDIR(found[name].st_mode):
            yield Entry(path, found[name], reason or why_left_out(found[name]))
        elif reason or path.count("/") + 1 >= MAX_DEPTH:
            yield Entry(path, found[name], reason or "too_deep")
        else:
            try:
                yield from entries(tree, path)
            except PathRefused as refusal:  # a mount point, or a link that stood there a moment later
                yield Entry(path, found[name], refusal.reason)


def why_left_out(found: os.stat_result) -> str | None:
    """The code for which an entry of this kind is refused, or None for a regular file with one name."""
    try:
        require_regular("", found)
    except PathRefused as refusal:
        return refusal.reason
    return None


def _refused_name(path: str) -> str | None:
    try:
        checked(path)
    except PathRefused as refusal:
        return refusal.reason
    return None
