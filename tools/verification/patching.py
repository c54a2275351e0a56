"""Patches taken back from the workspace that they gave, so that it shows what they lead from."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dulwich.patch import FilePatch, PatchHunk, apply_patch_hunks, git_base85_decode, parse_unified_diff

from tools.errors import ProofBroken
from tools.workspace.trees import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURE = b"\n-- \nmillwright\n"
_NUMBER = re.compile(rb"^Subject: .*?PATCH (\d+)/(\d+)\]", re.MULTILINE)
_SWAPPED = {b"+": b"-", b"-": b"+"}
_LARGEST = 500_000_000


@dataclass
class Base:
    """What the patches lead from: the content of every file, and git's mode of those that a patch names."""

    files: dict[str, bytes]
    modes: dict[str, int] = field(default_factory=dict)


def take_back(patches: Mapping[str, bytes], files: Mapping[str, bytes]) -> Base:
    """Undo every patch in `files`, the last one first, and return what is left.

    Raises:
        ProofBroken: naming the first patch that does not fit.
    """
    left = Base(dict(files))
    for number, name in reversed(list(enumerate(sorted(patches), 1))):
        _check_number(name, patches[name], number, len(patches))
        for change in parse_unified_diff(patches[name].removesuffix(_SIGNATURE)):
            _take_back(name, change, left)
    return left


def _check_number(name: str, patch: bytes, number: int, count: int) -> None:
    found = _NUMBER.search(patch)
    if not name.startswith(f"{number:04}-") or not found or (int(found[1]), int(found[2])) != (number, count):
        raise ProofBroken(f"patches/{name} does not say that it is number {number} of {count}")


def _take_back(name: str, change: FilePatch, left: Base) -> None:
    new = None if change.new_path is None else _path(change.new_path)
    old = None if change.old_path is None else _path(change.old_path)
    path = new or old
    if path is None or (new is None) == (path in left.files):
        raise ProofBroken(
            f"patches/{name} does not fit workspace/{path}: it is there, or missing, against the patch"
        )
    before = _undone(change, left.files.pop(path, b""))
    if before is None or (old is None and before):
        raise ProofBroken(f"patches/{name} does not give what stands in workspace/{path}")
    left.modes.pop(path, None)
    if old is not None:
        left.files[path] = before
        left.modes[path] = change.old_mode or FILE


def _undone(change: FilePatch, content: bytes) -> bytes | None:
    """The content before the change; None if the change does not give this content."""
    if change.binary:
        return _literal(change.binary_old) if _literal(change.binary_new) == content else None
    if not all(_counts(hunk) == (hunk.old_count, hunk.new_count) for hunk in change.hunks):
        return None
    lines = apply_patch_hunks(replace(change, hunks=[_swapped(hunk) for hunk in change.hunks]), _lines(content))
    return None if lines is None else b"".join(lines)


def _counts(hunk: PatchHunk) -> tuple[int, int]:
    marks = [line[:1] for line in hunk.lines]
    return len(marks) - marks.count(b"+") - marks.count(b"\\"), len(marks) - marks.count(b"-") - marks.count(b"\\")


def _swapped(hunk: PatchHunk) -> PatchHunk:
    lines = [_SWAPPED.get(line[:1], line[:1]) + line[1:] for line in hunk.lines]
    return PatchHunk(hunk.new_start, hunk.new_count, hunk.old_start, hunk.old_count, lines)


def _literal(data: bytes | None) -> bytes:
    return zlib.decompressobj().decompress(git_base85_decode(data or b""), _LARGEST)


def _lines(content: bytes) -> list[bytes]:
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _path(name: bytes) -> str:
    """A name in a diff without its `a/` or `b/`."""
    return name.partition(b"/")[2].decode(errors="surrogateescape")
