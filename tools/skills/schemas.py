"""JSON Schema as far as annotations need it: from an annotation to its schema, and from a value to what is wrong with it.

Source: JSON Schema 2020-12, the keywords `type`, `enum`, `anyOf`, `items`, `prefixItems`, `minItems`, `maxItems`,
`properties`, `required` and `additionalProperties`. `float` is a number, and a whole number is a number, too.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tools.errors import ToolRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Schema = dict[str, Any]
_SIMPLE: dict[str, Schema] = {
    "int": {"type": "integer"}, "float": {"type": "number"}, "bool": {"type": "boolean"}, "str": {"type": "string"},
    "None": {"type": "null"}, "Any": {}, "object": {}, "list": {"type": "array"}, "dict": {"type": "object"},
    "tuple": {"type": "array"},
}  # fmt: skip
_LISTS = {"list", "List", "Sequence", "Iterable", "Collection"}
_DICTS = {"dict", "Dict", "Mapping", "MutableMapping"}
_TUPLES = {"tuple", "Tuple"}
_ALLOWED = "int, float, bool, str, None, list, dict, tuple, Optional, Union, Literal and Any"


def schema_of(node: ast.expr) -> Schema:
    """The schema of an annotation.

    Raises:
        ToolRefused: JSON has no such type.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return schema_of(_quoted(node.value))
    if isinstance(node, ast.Constant) and node.value is None:
        return {"type": "null"}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _any_of([node.left, node.right])
    if isinstance(node, ast.Subscript):
        return _subscripted(_name(node.value), _inner(node.slice), node)
    name = _name(node)
    if name in _SIMPLE:
        return dict(_SIMPLE[name])
    if name in _LISTS | _DICTS | _TUPLES:
        return {"type": "object" if name in _DICTS else "array"}
    raise _refused(node)


def problem(value: Any, schema: Mapping[str, Any], where: str = "it") -> str:
    """What is wrong with a value, in one clause; empty when it fits."""
    if "anyOf" in schema:
        problems = [problem(value, one, where) for one in schema["anyOf"]]
        return "" if "" in problems else f"{where} is {shown(value)}, and must be {told(schema)}"
    if "enum" in schema and not any(type(value) is type(one) and value == one for one in schema["enum"]):
        return f"{where} is {shown(value)}, and must be {told(schema)}"
    if not _is_a(value, schema.get("type")):
        return f"{where} is {shown(value)}, and must be {told(schema)}"
    if isinstance(value, list | tuple):
        return _problem_in_list(value, schema, where)
    if isinstance(value, dict):
        return _problem_in_object(value, schema, where)
    return ""


def told(schema: Mapping[str, Any]) -> str:
    """A schema in words."""
    if "anyOf" in schema:
        return " or ".join(told(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(repr(one) for one in schema["enum"])
    words = {
        "integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text",
        "null": "null", "array": "a list", "object": "an object",
    }  # fmt: skip
    return words.get(schema.get("type", ""), "anything")


def shown(value: Any) -> str:
    """A value, cut if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _quoted(text: str) -> ast.expr:
    from tools.verification.parsing import syntax_tree

    try:
        statement = syntax_tree(text).body[0]
    except (SyntaxError, ValueError, IndexError):
        statement = None
    if not isinstance(statement, ast.Expr):
        raise ToolRefused(f"the annotation {text!r} does not parse", reason="interface")
    return statement.value


def _name(node: ast.expr) -> str:
    """The last part of a dotted name; `typing.List` is `List`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _inner(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _subscripted(name: str, inner: Sequence[ast.expr], node: ast.expr) -> Schema:
    if name == "Optional" and len(inner) == 1:
        return _any_of([inner[0], ast.Constant(None)])
    if name == "Union":
        return _any_of(inner)
    if name == "Literal" and all(isinstance(one, ast.Constant) for one in inner):
        return {"enum": [one.value for one in inner if isinstance(one, ast.Constant)]}
    if name in _LISTS and len(inner) == 1:
        return {"type": "array", "items": schema_of(inner[0])}
    if name in _DICTS and len(inner) == 2:
        if schema_of(inner[0]) != {"type": "string"}:
            raise ToolRefused(
                f"the keys of {ast.unparse(node)} must be str: JSON has no others", reason="interface"
            )
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if name in _TUPLES:
        return _tuple(inner)
    raise _refused(node)


def _tuple(inner: Sequence[ast.expr]) -> Schema:
    last = inner[-1]
    if len(inner) == 2 and isinstance(last, ast.Constant) and last.value is ...:
        return {"type": "array", "items": schema_of(inner[0])}
    items = [schema_of(one) for one in inner]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _any_of(nodes: Sequence[ast.expr]) -> Schema:
    found: list[Schema] = []
    for node in nodes:
        schema = schema_of(node)
        found += [one for one in schema.get("anyOf", [schema]) if one not in found]
    if {"type": "number"} in found:
        found = [one for one in found if one != {"type": "integer"}]
    if not all(found):
        return {}
    return found[0] if len(found) == 1 else {"anyOf": found}


def _refused(node: ast.expr) -> ToolRefused:
    return ToolRefused(
        f"the annotation {ast.unparse(node)} has no form in JSON; use {_ALLOWED}", reason="interface"
    )


def _is_a(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    types: dict[str, type | tuple[type, ...]] = {
        "integer": int, "number": (int, float), "boolean": bool, "string": str,
        "null": type(None), "array": (list, tuple), "object": dict,
    }  # fmt: skip
    return isinstance(value, types[kind])


def _problem_in_list(value: Sequence[Any], schema: Mapping[str, Any], where: str) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not least <= len(value) <= most:
        return f"{where} holds {len(value)} items, and must hold {least}"
    kinds = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
    found = (
        problem(item, kind, f"item {n} of {where}")
        for n, (item, kind) in enumerate(zip(value, kinds, strict=False))
    )
    return next((one for one in found if one), "")


def _problem_in_object(value: Mapping[Any, Any], schema: Mapping[str, Any], where: str) -> str:
    known = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{missing[0]!r} is missing in {where}"
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        if not isinstance(key, str):
            return f"the key {shown(key)} of {where} must be text"
        if others is False and key not in known:
            return f"there is no {key!r} in {where}: there are {', '.join(known) or 'none'}"
        kind = known.get(key, others if isinstance(others, dict) else {})
        if found := problem(item, kind, f"{key!r}" if where == "the arguments" else f"{key!r} of {where}"):
            return found
    return ""
