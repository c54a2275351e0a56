"""From a reply's text to whole resulting files: what salvage is to calls, for files.

A reply is taken whole or not at all: when one of its edits cannot be applied, none is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.models.salvage import applypatch, searchreplace, udiff, wholefile
from agents.models.salvage.calls import CUT_REASONS
from agents.models.salvage.matching import NoPlace
from agents.models.salvage.reader import Cut
from agents.models.salvage.thoughts import without_thoughts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_EDIT_COST = 20_000
_ALLOWANCE = 50_000_000


@dataclass(frozen=True)
class Edit:
    """What one file shall become.

    `content` is the whole new text, None for a deletion; `move_to` is the new path of a renamed file.
    """

    path: str
    content: str | None
    format: str
    move_to: str | None = None
    is_new: bool = False

    @property
    def op(self) -> str:
        """`add`, `update` or `delete`."""
        return "delete" if self.content is None else "add" if self.is_new else "update"


@dataclass(frozen=True)
class SalvagedEdits:
    """The edits of a reply, or the sentences that tell the model why there are none."""

    edits: tuple[Edit, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass
class Draft:
    """The files as the edits read so far leave them."""

    files: Mapping[str, str]
    edits: dict[str, Edit]
    spent: int = 0

    def charge(self, characters: int = 0) -> None:
        """Account for one edit over so many characters. Raises NoPlace beyond the allowance."""
        self.spent += _EDIT_COST + characters
        if self.spent > _ALLOWANCE:
            raise NoPlace("the reply holds more edits than can be applied in good time; send fewer at a time.")

    def content(self, path: str) -> str | None:
        """The current text of a file, or None if there is none."""
        if path in self.edits:
            return self.edits[path].content if self.edits[path].move_to is None else None
        return self.files.get(path)

    def put(self, path: str, content: str | None, format_id: str, move_to: str | None = None) -> None:
        """Note what a file becomes."""
        self.edits[path] = Edit(path, content, format_id, move_to, is_new=path not in self.files)

    def resolve(self, path: str) -> str:
        """The path as it is known here: itself, or the only file whose path ends with it."""
        if self.content(path) is not None:
            return path
        known = [*self.files, *self.edits]
        ending = {name for name in known if name.endswith("/" + path) or path.endswith("/" + name)}
        return ending.pop() if len(ending) == 1 else path


def salvage_edits(text: str, files: Mapping[str, str], finish_reason: str = "stop") -> list[Edit]:
    """The file edits that the text of a reply holds; `files` maps each path to its current content.

    Never raises on any text, and returns nothing rather than a guess: see `examine_edits` for the reasons.
    """
    return list(examine_edits(text, files, finish_reason).edits)


def examine_edits(text: str, files: Mapping[str, str], finish_reason: str = "stop") -> SalvagedEdits:
    """The edits of a reply together with what was refused and why."""
    if finish_reason.lower() in CUT_REASONS:
        return SalvagedEdits(
            refusals=(f"The reply ended with {finish_reason!r}: no edit is taken from a cut reply.",)
        )
    text = without_thoughts(text).replace("\r\n", "\n")
    draft = Draft(files, {})
    try:
        _reader_of(text)(text, draft)
    except NoPlace as problem:
        return SalvagedEdits(refusals=(str(problem),))
    except Cut:
        return SalvagedEdits(
            refusals=("The reply ends inside an edit; nothing of it was applied. Send it again, whole.",)
        )
    edits = (
        edit for edit in draft.edits.values() if edit.content != files.get(edit.path) or edit.move_to or edit.is_new
    )
    return SalvagedEdits(tuple(edits))


def _reader_of(text: str) -> Callable[[str, Draft], None]:
    """The format that the reply is written in, told by its marker lines."""
    if applypatch.BEGIN.search(text):
        return applypatch.read
    if searchreplace.HEAD.search(text):
        return searchreplace.read
    if udiff.begins(text):
        return udiff.read
    return wholefile.read
