"""The program that was written: its text, and the tools of the library that it imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.skills.program import Program
from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.librarian import Found

PACKAGE = "skills"


def imported(code: str, found: Sequence[Found]) -> list[Found]:
    """The tools that code imports, of those that its author was shown.

    Raises:
        ToolRefused: it does not parse, or imports a tool that was not shown.
    """
    known = {tool.name: tool for tool in found}
    names = _names(code)
    strange = [name for name in names if name not in known]
    if strange:
        offered = ", ".join(f"{PACKAGE}.{name}" for name in known) or "none"
        raise ToolRefused(f"it imports {PACKAGE}.{strange[0]}, which is not there; tools to import: {offered}")
    return [known[name] for name in names]


def composed(entry: str, code: str, tools: Sequence[Found]) -> Program:
    """The program of code that imports these tools, with everything that they need in turn.

    Raises:
        ToolRefused: two of the tools need different versions of a third.
    """
    requires: dict[str, str] = {}
    for tool in tools:
        for name, text in {tool.name: tool.code, **tool.requires}.items():
            if requires.setdefault(name, text) != text:
                raise ToolRefused(
                    f"it imports tools that need different versions of {name}; import only one of them"
                )
    return Program(entry, code, requires)


def _names(code: str) -> list[str]:
    """The modules below the package that the code imports, each once."""
    try:
        tree = syntax_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolRefused(f"it does not parse: {error}", reason="syntax") from error
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            dotted = [f"{PACKAGE}.{a.name}" for a in node.names] if module == PACKAGE else [module]
        elif isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        else:
            continue
        found += [name.split(".")[1] for name in dotted if name.startswith(f"{PACKAGE}.")]
    return list(dict.fromkeys(found))
