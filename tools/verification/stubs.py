"""A program with its behaviour taken out, to see whether its tests notice."""

from __future__ import annotations

import ast

from tools.verification.parsing import syntax_tree


def stubbed(source: str) -> str:
    """The same Python module with every function body replaced by `raise NotImplementedError`."""
    tree = syntax_tree(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Raise(exc=ast.Name("NotImplementedError", ast.Load()), cause=None)]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
