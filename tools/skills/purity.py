"""What a tool may not use: its answer depends on its arguments alone, and giving it is all it does.

This is read from the text and gives a reason that an author understands. It is no confinement: the sandbox is, and the exam
notices what slips through here by asking twice, in another order, with another hash seed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from typing import TYPE_CHECKING

from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ALLOWED = frozenset({
    "__future__", "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections",
    "collections.abc", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib",
    "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac", "html", "io", "ipaddress", "itertools",
    "json", "math", "numbers", "operator", "random", "re", "statistics", "string", "struct", "textwrap", "typing",
    "unicodedata", "urllib.parse", "zlib",
})  # fmt: skip
# Of these only a part depends on nothing but its arguments.
_PARTS = {"random": {"Random"}, "io": {"StringIO", "BytesIO"}}
_REFUSED = {
    "open": "opens files", "input": "waits for input", "eval": "runs text as code", "exec": "runs text as code",
    "compile": "runs text as code", "__import__": "imports by a computed name", "globals": "reaches for its module's names",
    "locals": "reaches for its own names", "vars": "reaches for names", "getattr": "reaches for computed names",
    "setattr": "changes attributes", "delattr": "changes attributes", "breakpoint": "stops in a debugger",
    "exit": "ends the program", "quit": "ends the program", "id": "depends on where things stand in memory",
}  # fmt: skip
_CLOCKS = {"now", "today", "utcnow"}
_SPECIAL = {"__name__", "__class__", "__doc__", "__len__", "__init__", "__post_init__"}


def impurities(code: str, skills: Collection[str] = ()) -> list[str]:
    """Everything in a program that a tool may not use, by line; `skills` are the ones that it may import.

    Raises:
        SyntaxError, ValueError, RecursionError: it does not parse.
    """
    tree = syntax_tree(code)
    modules = _modules(tree)
    found = [(node.lineno, why) for node in _run(tree) for why in _problems(node, modules, skills)]
    return [f"line {line}: {why}" for line, why in sorted(found)]


def imports(code: str) -> set[str]:
    """The allowed modules of the standard library that a program imports.

    Raises:
        SyntaxError, ValueError, RecursionError: it does not parse.
    """
    nodes = list(ast.walk(syntax_tree(code)))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return (named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}) & ALLOWED


def _run(tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    """Every node but those that run only when the file is a script."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in {
            n.id for n in ast.walk(statement.test) if isinstance(n, ast.Name)
        }:
            continue
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.expr | ast.stmt))


def _modules(tree: ast.Module) -> dict[str, str]:
    """The module that each name stands for."""
    return {
        alias.asname or alias.name.split(".")[0]: alias.name if alias.asname else alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def _problems(node: ast.expr | ast.stmt, modules: dict[str, str], skills: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (_told(alias.name) for alias in node.names if not _may_import(alias.name, skills))
    elif isinstance(node, ast.ImportFrom):
        yield from _imported(node, skills)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _REFUSED:
        yield f"it uses {node.id}, which {_REFUSED[node.id]}: a tool only computes an answer from its arguments"
    elif isinstance(node, ast.Name) and _is_special(node.id):
        yield f"it reaches for {node.id}: a tool only computes an answer from its arguments"
    elif isinstance(node, ast.Attribute):
        yield from _attribute(node, modules)


def _imported(node: ast.ImportFrom, skills: Collection[str]) -> Iterator[str]:
    name = node.module or ""
    if node.level or not _may_import(name, skills):
        yield _told("." * node.level + name)
        return
    if name.split(".")[0] != "skills":
        yield from (_part(name, alias.name) for alias in node.names if not _is_open(name, alias.name))


def _attribute(node: ast.Attribute, modules: dict[str, str]) -> Iterator[str]:
    if _is_special(node.attr):
        yield f"it reaches for {node.attr}: a tool only computes an answer from its arguments"
    elif node.attr in _CLOCKS and _is_clock(node):
        yield f"it asks the clock ({ast.unparse(node)}): take the time as an argument"
    elif isinstance(node.value, ast.Name):
        name = modules.get(node.value.id, "")
        if name in ALLOWED and not _is_open(name, node.attr):
            yield _part(name, node.attr)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _SPECIAL


def _is_clock(node: ast.Attribute) -> bool:
    last = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    return last in ("datetime", "date")


def _may_import(name: str, skills: Collection[str]) -> bool:
    if name.startswith("skills."):
        return name.removeprefix("skills.") in skills
    return name in ALLOWED


@functools.cache
def _is_open(module: str, part: str) -> bool:
    """Whether a part of an allowed module may be used: not another module that it happens to have imported."""
    if module in _PARTS:
        return part in _PARTS[module]
    if f"{module}.{part}" in ALLOWED:
        return True
    return not inspect.ismodule(getattr(importlib.import_module(module), part, None))


def _part(module: str, part: str) -> str:
    allowed = " and ".join(sorted(_PARTS.get(module, ())))
    return f"it uses {module}.{part}, which a tool may not" + (
        f": of {module} it may use {allowed}" if allowed else ""
    )


def _told(name: str) -> str:
    if name.split(".")[0] == "skills":
        return f"it imports {name}, which is none of the skills that it was given"
    return (
        f"it imports {name}, which a tool may not: it may import skills that it was given, and of the standard library "
        "what computes (math, statistics, datetime, re, json, collections, itertools, decimal …)"
    )
