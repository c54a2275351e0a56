"""Does a file parse, and what does it define?"""

from __future__ import annotations

import ast
import contextlib
import gc
import json
import threading
import tomllib
import warnings
from typing import TYPE_CHECKING, TypeGuard

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_lock = threading.RLock()
_BYTE_ORDER_MARK = "\ufeff"
_MARKERS = ("__init__.py", "py.typed", ".gitkeep", ".keep")


def syntax_problem(path: str, text: str) -> str | None:
    """Why a Python, JSON, TOML or YAML file does not parse, with the line; None when it does or is another kind."""
    parse = _PARSERS.get(path.rsplit(".", 1)[-1].lower()) if "." in path else None
    if parse is None:
        return None
    try:
        with _alone():
            parse(text)
    except SyntaxError as error:
        line = (error.text or "").strip()
        return f"{path} does not parse: line {error.lineno}: {error.msg}" + (f": {line}" if line else "")
    except (ValueError, yaml.YAMLError) as error:
        return f"{path} does not parse: {error}"
    except (RecursionError, MemoryError):
        return f"{path} does not parse: it is nested too deeply"
    return None


def syntax_tree(text: str) -> ast.Module:
    """The syntax tree of Python source.

    Raises:
        SyntaxError, ValueError, RecursionError: it does not parse.
    """
    with _alone():
        return ast.parse(text.removeprefix(_BYTE_ORDER_MARK))


def may_be_empty(path: str) -> bool:
    """Whether a file of this name does its work by being there."""
    return path.rsplit("/", 1)[-1] in _MARKERS


def definitions(text: str) -> set[str]:
    """The functions, classes, methods (`Class.method`) and top-level names that Python source defines.

    Source that does not parse defines nothing.
    """
    try:
        tree = syntax_tree(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    names: set[str] = set()
    for node in tree.body:
        names |= _names(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for item in node.body for name in _names(item)}
    return names


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Parse without warnings, whose filters belong to the whole process, and undisturbed.

    CPython before 3.11.8 and 3.12.2 counts the depth of a tree that it builds for all threads together, and raises
    SystemError when two build at once (python/cpython#106905). Other threads build theirs without our lock, such as
    those that format a traceback; they can come in between only where the garbage collector runs Python code.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collecting:
                gc.enable()


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {name.id for target in node.targets for name in ast.walk(target) if _bound(name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.If | ast.Try | ast.TryStar | ast.With):
        return {name for item in _inner(node) for name in _names(item)}
    return set()


def _bound(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _inner(node: ast.If | ast.Try | ast.TryStar | ast.With) -> list[ast.stmt]:
    """The statements of every branch."""
    found = list(node.body)
    if not isinstance(node, ast.With):
        found += node.orelse
    if isinstance(node, ast.Try | ast.TryStar):
        found += [*(item for handler in node.handlers for item in handler.body), *node.finalbody]
    return found


def _python(text: str) -> None:
    compile(text.removeprefix(_BYTE_ORDER_MARK), "<file>", "exec", dont_inherit=True)


def _yaml(text: str) -> None:
    # Composed and not constructed: what a tag or a date means is for the program that reads it.
    for _ in yaml.compose_all(text, Loader=yaml.SafeLoader):
        pass


_PARSERS: dict[str, Callable[[str], object]] = {
    "py": _python,
    "pyi": _python,
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": _yaml,
    "yml": _yaml,
}
