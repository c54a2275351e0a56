"""What pynguin's tests call: the arguments of every call of the function, read from their text and never by running it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def calls_in(tests: str, entry: str, parameters: Sequence[str]) -> list[dict[str, Any]]:
    """The arguments of the calls by name, each once, in order; a call with anything but plain values is left out.

    Raises:
        SyntaxError: the text does not parse.
    """
    functions = [node for node in syntax_tree(tests).body if isinstance(node, ast.FunctionDef)]
    found: dict[str, dict[str, Any]] = {}
    for named in (call for function in functions for call in _calls(function, entry, parameters)):
        found.setdefault(repr(named), named)  # as text, for 1, 1.0 and True are different arguments
    return list(found.values())


def _calls(test: ast.FunctionDef, entry: str, parameters: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The calls of one test; what it gave a name before is put in its place."""
    values: dict[str, ast.expr] = {}
    for statement in _statements(test.body):
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == entry:
                named = _arguments(node, parameters, values)
                if named is not None:
                    yield named
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            values[statement.targets[0].id] = _resolved(statement.value, values)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements in order, those that are expected to raise among them."""
    for statement in body:
        if isinstance(statement, ast.With):
            yield from _statements(statement.body)
        else:
            yield statement


def _arguments(call: ast.Call, parameters: Sequence[str], values: Mapping[str, ast.expr]) -> dict[str, Any] | None:
    given = dict(zip(parameters, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    try:
        named = {name: ast.literal_eval(_resolved(value, values)) for name, value in given.items()}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return {name: named[name] for name in parameters if name in named}


def _resolved(value: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """An expression with every known name replaced by what it stands for."""

    class Replacing(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return values.get(node.id, node)

    resolved: ast.expr = Replacing().visit(value)
    return resolved
