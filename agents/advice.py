"""What an agent is told of the skills that fit its work: what they compute, what speaks for them, and their code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.contracts import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.skills.offering import Offered

CODE_CHARACTERS = 3_000
"""So much code is shown, of the skills that fit best: a small window has room for it."""

_CALLED = """\
These tools compute; they write no file. They were tested before, so call one where you need a value that it can give,
such as an expected result. You need not use them:"""
_COPIED = "Code that was tested before; where it fits, copy it into your files instead of writing it anew:"


def advice(skills: Sequence[Offered], role: Role, *, textual: bool) -> str:
    """One short block, or nothing: who can call tools may call them, and who writes the code may copy theirs.

    A tester is shown no code: it tests a description.
    """
    called = [] if textual else [_said(skill) for skill in skills]
    copied = [] if role is Role.TESTER else _within(skills, CODE_CHARACTERS)
    blocks = [(_CALLED, called), (_COPIED, copied)]
    return "\n\n".join("\n".join([told, *lines]) for told, lines in blocks if lines)


def _said(skill: Offered) -> str:
    return f"- {skill.tool}: {skill.description.strip().splitlines()[0]} ({skill.evidence})"


def _within(skills: Sequence[Offered], room: int) -> list[str]:
    """The code of the best skills that stand alone, as far as there is room."""
    found = []
    for skill in skills:
        if not skill.requires and len(skill.code) <= room:
            found.append(f"{skill.name} ({skill.evidence}):\n```python\n{skill.code.strip()}\n```")
            room -= len(skill.code)
    return found
