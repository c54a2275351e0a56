"""What a write is refused for before it reaches the disk, so that the last good version stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.verification.omissions import is_example_path, is_example_text, lost_definitions, placeholder
from tools.verification.parsing import syntax_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def refuse_broken_syntax(path: str, text: str, before: str | None) -> None:
    """Refuse content that does not parse.

    Raises:
        ToolRefused: with the line and the parser's message.
    """
    problem = syntax_problem(path, text)
    if problem:
        raise ToolRefused(f"not written: {problem}; write the whole corrected file", reason="syntax")


def refuse_examples(path: str, text: str, before: str | None) -> None:
    """Refuse a path or a content that was copied from an example.

    Raises:
        ToolRefused: naming it.
    """
    if is_example_path(path):
        raise ToolRefused(f"not written: {path!r} is an example; use the path of your file", reason="example")
    if is_example_text(text):
        raise ToolRefused(f"not written: {text.strip()!r} is an example; write the real content", reason="example")


def refuse_omissions(path: str, text: str, before: str | None) -> None:
    """Refuse content in which something stands for the rest of the file.

    Raises:
        ToolRefused: naming the line.
    """
    line = placeholder(path, text, before)
    if line:
        raise ToolRefused(
            f"not written: the line {line!r} in {path} stands for something that was left out; write the whole file",
            reason="omission",
        )


def write_guards(
    task: str = "", first: Mapping[str, str] | None = None
) -> tuple[Callable[[str, str, str | None], None], ...]:
    """The guards of every agent's writes, in order.

    `first` holds the texts that the agent's files had when it began: what they define must stay, unless `task` names it.
    """

    def refuse_lost_definitions(path: str, text: str, before: str | None) -> None:
        lost = lost_definitions(path, (first or {}).get(path, ""), text, task)
        if lost:
            raise ToolRefused(
                f"not written: {path} would no longer define {', '.join(lost)}; write the whole file, and keep them",
                reason="lost_definition",
            )

    return (refuse_examples, refuse_omissions, refuse_broken_syntax, refuse_lost_definitions)
