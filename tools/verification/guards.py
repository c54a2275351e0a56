"""What a write is refused for before it reaches the disk, so that the last good version stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.verification.parsing import syntax_problem

if TYPE_CHECKING:
    from collections.abc import Callable


def refuse_broken_syntax(path: str, text: str, before: str | None) -> None:
    """Refuse content that does not parse.

    Raises:
        ToolRefused: with the line and the parser's message.
    """
    problem = syntax_problem(path, text)
    if problem:
        raise ToolRefused(f"not written: {problem}; write the whole corrected file", reason="syntax")


def write_guards() -> tuple[Callable[[str, str, str | None], None], ...]:
    """The guards of every agent's writes, in order."""
    return (refuse_broken_syntax,)
