"""Whether two programs are the same: by their text, names and comments apart, or by what they answer."""

from __future__ import annotations

import ast
import hashlib
from typing import TYPE_CHECKING, Any

from tools.skills.calling import asked
from tools.skills.comparing import same
from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.skills.program import Program
    from tools.skills.running import Runner


def ast_hash(code: str, entry: str) -> str:
    """A digest of what a program does: docstrings, annotations, scripts and the names of its own things do not matter.

    The parameters of the entry function keep their names, for they are how it is called.

    Raises:
        SyntaxError, ValueError, RecursionError: it does not parse.
    """
    tree = syntax_tree(code)
    tree.body = [node for node in tree.body if not _says_nothing(node)]
    kept = {
        arg.arg
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == entry
        for arg in _args(node)
    }
    renamed = _Renamed(tree, kept, entry).visit(tree)
    return hashlib.sha256(ast.dump(renamed).encode()).hexdigest()


async def same_outputs(run: Runner, a: Program, b: Program, calls: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two programs answer all of these calls alike; without a call nothing is shown, so they do not.

    Raises:
        SandboxUnavailable: nothing here confines a process.
    """
    if not calls:
        return False
    order = [range(len(calls))]
    (first,) = await asked(run, a, calls, order, "compare")
    (second,) = await asked(run, b, calls, order, "compare")
    return all(same(x, y) for x, y in zip(first, second, strict=True))


class _Renamed(ast.NodeTransformer):
    """The tree with its own names numbered in the order of their first appearance."""

    def __init__(self, tree: ast.Module, kept: set[str], entry: str) -> None:
        own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        own |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        own |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        own |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
        self._own = own - kept - {entry}
        # A keyword is a parameter's name, or a field of something else: such names stay everywhere.
        self._own -= {n.arg for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg}
        self._numbers: dict[str, str] = {entry: "entry"}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._name(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg, node.annotation = self._name(node.arg), None
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._name(node.name) if node.name else None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns = self._name(node.name), None
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._name(node.name)
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """An annotated assignment is an assignment."""
        if node.value is None or not isinstance(node.target, ast.Name):
            return self.generic_visit(node)
        return self.generic_visit(ast.Assign([node.target], node.value))

    def _name(self, name: str) -> str:
        if name in self._own:
            self._numbers.setdefault(name, f"name{len(self._numbers)}")
        return self._numbers.get(name, name)


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement of a module is a docstring, a future import or runs only as a script."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    if isinstance(node, ast.If):
        return "__name__" in {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
    return _is_text(node)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[1:] or [ast.Pass()] if _is_text(body[0]) else body


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _args(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
