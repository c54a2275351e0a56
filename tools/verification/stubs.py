"""A program with its behaviour taken out, to see whether its tests notice."""

from __future__ import annotations

import ast


def stubbed(source: str) -> str:
    """The same Python module with every function body replaced by `raise NotImplementedError`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Raise(exc=ast.Name("NotImplementedError", ast.Load()), cause=None)]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
