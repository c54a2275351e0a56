"""A program with its behaviour taken out, to see whether its tests notice."""

from __future__ import annotations

import ast

from tools.verification.parsing import syntax_tree

# What makes a type at import time: without it a module could not even be imported.
_TYPES = {"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "NamedTuple", "namedtuple", "TypedDict", "Enum"}


def stubbed(source: str) -> str:
    """The same Python module with every function body replaced by `raise NotImplementedError`."""
    tree = syntax_tree(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Raise(exc=ast.Name("NotImplementedError", ast.Load()), cause=None)]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def hollowed(source: str) -> str:
    """The same module with every function body taken out, and None in the place of every constant it defines.

    Its names stay: a test that only imports them notices nothing.
    """
    tree = syntax_tree(stubbed(source))
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for statement in (statement for body in bodies for statement in body):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_value(statement.value):
            statement.value = ast.Constant(None)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _is_value(value: ast.expr | None) -> bool:
    """Whether a definition gives a value, and does not make a type."""
    if value is None or not isinstance(value, ast.Call):
        return value is not None
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return called not in _TYPES
