"""What a program offers, read from its text and never by running it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import ToolRefused
from tools.skills.schemas import schema_of
from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from tools.skills.schemas import Schema

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Interface:
    """A function as a tool: its name, the first paragraph of its docstring, and what it takes and returns."""

    entry: str
    description: str
    parameters: Schema
    returns: Schema

    @property
    def names(self) -> list[str]:
        """The parameters, in order."""
        return list(self.parameters["properties"])


def read_interface(code: str, entry: str) -> Interface:
    """The interface of the function `entry`.

    Raises:
        ToolRefused: the code does not parse, has no such function, or the function cannot be a tool; with the reason.
    """
    function = _function(code, entry)
    description = (ast.get_docstring(function) or "").split("\n\n")[0]
    if not description.strip():
        raise ToolRefused(
            f"{entry} has no docstring; its first sentence says what the tool does", reason="interface"
        )
    return Interface(entry, " ".join(description.split()), *_schemas(function))


def agrees(interface: Interface, signature: str) -> list[str]:
    """Every difference to a wanted signature, `def name(parameter: type) -> type`; empty when there is none.

    Raises:
        ToolRefused: the signature is not one that a tool can have.
    """
    wanted = signature_of(signature)
    found = []
    if interface.entry != wanted.entry:
        found.append(f"the function is called {interface.entry}, it must be {wanted.entry}")
    if interface.names != wanted.names:
        found.append(f"the parameters are ({', '.join(interface.names)}), they must be ({', '.join(wanted.names)})")
        return found
    for name, schema in wanted.parameters["properties"].items():
        here = interface.parameters["properties"][name]
        if here != schema:
            found.append(f"the parameter {name} is declared as {here}, it must be {schema}")
    if wanted.parameters["required"] != interface.parameters["required"]:
        found.append(f"parameters without a default must be: {', '.join(wanted.parameters['required']) or 'none'}")
    if interface.returns != wanted.returns:
        found.append(f"it is declared to return {interface.returns}, it must be {wanted.returns}")
    return found


def signature_of(signature: str) -> Interface:
    """The interface that a `def` line asks for; its description is empty.

    Raises:
        ToolRefused: it is not one that a tool can have.
    """
    line = re.sub(r":?\s*(\.\.\.)?\s*$", "", signature.strip())
    found = re.match(r"def\s+(\w+)", line)
    if found is None:
        raise ToolRefused(
            f"{signature!r} is no signature; write `def name(parameter: type) -> type`", reason="interface"
        )
    return Interface(found[1], "", *_schemas(_function(f"{line}: ...", found[1])))


def _function(code: str, entry: str) -> ast.FunctionDef:
    try:
        tree = syntax_tree(code)
    except SyntaxError as error:
        raise ToolRefused(f"the code does not parse: line {error.lineno}: {error.msg}", reason="syntax") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ToolRefused(f"the code does not parse: {error}", reason="syntax") from error
    named = [node for node in tree.body if isinstance(node, Function) and node.name == entry]
    if not named:
        others = [node.name for node in tree.body if isinstance(node, Function)]
        raise ToolRefused(
            f"there is no function {entry} at the top level (there is: {', '.join(others) or 'none'}); define it",
            reason="interface",
        )
    if isinstance(named[-1], ast.AsyncFunctionDef):
        raise ToolRefused(f"{entry} is declared with async; a tool is a plain function", reason="interface")
    return named[-1]


def _schemas(function: ast.FunctionDef) -> tuple[Schema, Schema]:
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        raise ToolRefused(
            f"{function.name} takes *args, **kwargs or arguments without a name; each argument of a tool has a name",
            reason="interface",
        )
    defaults: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults))
    pairs = list(zip(arguments.args, [*defaults, *arguments.defaults], strict=True))
    pairs += list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    properties = {argument.arg: _parameter(function.name, argument, default) for argument, default in pairs}
    parameters: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": [argument.arg for argument, default in pairs if default is None],
        "additionalProperties": False,
    }
    if function.returns is None:
        raise ToolRefused(f"{function.name} does not say what it returns; annotate it", reason="interface")
    return parameters, schema_of(function.returns)


def _parameter(name: str, argument: ast.arg, default: ast.expr | None) -> Schema:
    if argument.annotation is None:
        raise ToolRefused(
            f"the parameter {argument.arg} of {name} has no annotation; give its type", reason="interface"
        )
    schema = schema_of(argument.annotation)
    if default is None:
        return schema
    try:
        return {**schema, "default": ast.literal_eval(default)}
    except ValueError as error:
        raise ToolRefused(
            f"the default of {argument.arg} in {name} is computed; write a plain value", reason="interface"
        ) from error
