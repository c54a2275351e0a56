"""A skill as a program: its code, and the code of the skills that it is made of."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.storage import storage_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tools.memory.library import Library
    from tools.memory.records import Skill

PREFIX = "millwright-skill-"


@dataclass(frozen=True)
class Program:
    """The function `entry` of `code`; `requires` holds the code of every skill it is made of, by name."""

    entry: str
    code: str
    requires: Mapping[str, str] = field(default_factory=dict)

    @property
    def modules(self) -> dict[str, str]:
        """The text of each module, by the name it is imported by."""
        return {"main": self.code, **{f"skills.{name}": code for name, code in self.requires.items()}}

    @property
    def files(self) -> dict[str, str]:
        """The text of each file of the program."""
        if not self.requires:
            return {"main.py": self.code}
        made_of = {f"skills/{name}.py": code for name, code in self.requires.items()}
        return {"main.py": self.code, "skills/__init__.py": "", **made_of}


def program_of(skill: Skill, library: Library) -> Program:
    """The program of a skill, with exactly the versions that it was proved with.

    Raises:
        ToolRefused: it needs two versions of one skill.
        SkillUnknown: a skill that it is made of is no longer in the library.
    """
    found: dict[str, Skill] = {}
    waiting = list(skill.requires)
    while waiting:
        needed = library.skill(waiting.pop())
        known = found.setdefault(needed.name, needed)
        if known.id != needed.id:
            raise ToolRefused(
                f"{skill.id} is made of {known.id} and of {needed.id}, which is made for another version; make it anew",
                reason="versions",
            )
        if known is needed:
            waiting += needed.requires
    return Program(skill.entry, skill.code, {name: found[name].code for name in sorted(found)})


@contextlib.contextmanager
def folder_of(texts: Mapping[str, str]) -> Iterator[Path]:
    """A folder with these files; it is removed afterwards.

    Raises:
        StorageFailed: it could not be written.
    """
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        for name, text in texts.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise storage_failed(error, folder or tempfile.gettempdir()) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
