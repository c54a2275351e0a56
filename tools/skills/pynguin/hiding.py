"""A reference of which pynguin sees one function: it would call every public one, and tests may call the tool alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = "sought"
"""What the function is called here, for pynguin leaves out whatever begins with `main` or `test`."""

HIDDEN = "_hidden_"


def alone(source: str, entry: str) -> str:
    """The same module with its last function `entry` as `sought`, and every other one under a private name.

    What a reference is made of stays in it, so that the search is led by all of its branches.

    Raises:
        SyntaxError: it does not parse.
    """
    tree = syntax_tree(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    kept = next((node for node in reversed(functions) if node.name == entry), None)
    others = {node.name: HIDDEN + node.name for node in functions if node is not kept}
    _Renaming({entry: SHOWN, **others}).visit(tree)
    for node in functions:
        node.name = SHOWN if node is kept else others[node.name]
    return ast.unparse(tree)


class _Renaming(ast.NodeTransformer):
    """Renames what a module says of its functions; a parameter of the same name hides one, and stays."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        own = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        outer, self._names = self._names, {old: new for old, new in self._names.items() if old not in own}
        self.generic_visit(node)
        self._names = outer
        return node
