"""The one place where arguments are checked against a tool's JSON Schema, and text becomes typed values.

The subset of JSON Schema that tool definitions use: type, properties, required, additionalProperties, items, enum,
const, anyOf, oneOf, allOf, $ref into $defs or definitions, bounds and lengths. Keywords beyond it are not checked.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.literals import literal_at
from agents.models.salvage.reader import Cut, Malformed, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEPTH = 40
# A leading zero or plus belongs to a code or a phone number, not to a number.
_LOOKS_TYPED = re.compile(r"-?(?:0(?!\d)|[1-9])|[.\[{]|(?:true|false|null|none)\Z", re.IGNORECASE)
_ALIASES = {
    "str": "string", "text": "string", "int": "integer", "float": "number", "double": "number", "bool": "boolean",
    "list": "array", "tuple": "array", "dict": "object", "map": "object", "none": "null",
}  # fmt: skip
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
}
_LENGTHS: dict[str, tuple[type, Callable[[int, int], bool]]] = {
    "minLength": (str, int.__ge__),
    "maxLength": (str, int.__le__),
    "minItems": (list, int.__ge__),
    "maxItems": (list, int.__le__),
}


class Misfit(Exception):
    """The arguments do not fit the tool's schema; the message says where and why."""


def fit(
    arguments: dict[str, Any],
    schema: Mapping[str, Any],
    *,
    textual: bool = False,
    sources: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The arguments as the schema wants them. Raises Misfit.

    A string that spells a number, boolean, list or object is converted where the schema admits no string. With
    `textual` every top-level string is untyped text and is read by its property's schema. Arguments of which the tool
    declares none are refused even where JSON Schema lets them pass: `City` for an optional `city` is no value for it.
    `sources` is the text of values read as nested elements: where a string may stand it is the value (as in llama.cpp).
    """
    fitter = _Fitter(schema)
    _check_known(arguments, schema)
    if textual:
        texts = {name: text for name, text in (sources or {}).items() if fitter.takes_text(name)}
        arguments = {name: fitter.read(name, value) for name, value in {**arguments, **texts}.items()}
    fitted: dict[str, Any] = fitter.fit(arguments, {**schema, "type": "object"}, "arguments", 0)
    try:
        json.dumps(fitted, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Misfit("arguments hold half of a surrogate pair, which no file can hold") from error
    return fitted


def _check_known(arguments: dict[str, Any], schema: Mapping[str, Any]) -> None:
    declared = schema.get("properties")
    if not arguments or not declared or not isinstance(declared, dict):
        return
    elsewhere = any(keyword in schema for keyword in ("patternProperties", "allOf", "anyOf", "oneOf", "$ref"))
    takes_others = elsewhere or schema.get("additionalProperties") not in (None, False)
    if not takes_others and not declared.keys() & arguments.keys():
        raise Misfit(f"arguments {', '.join(map(repr, arguments))}: none is a parameter of the tool")


class _Fitter:
    """One schema with its definitions."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root

    def property(self, name: str) -> dict[str, Any]:
        properties = self.root.get("properties")
        schema = properties.get(name) if isinstance(properties, dict) else None
        return schema if isinstance(schema, dict) else {}

    def takes_text(self, name: str) -> bool:
        return "string" in self.types(self.property(name), 0)

    def read(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        schema = self.property(name)
        types = self.types(schema, 0)
        if types == {"string"}:
            return value
        parsed = parse_text(value)
        if isinstance(parsed, str):
            return value
        if not types or self.fits(parsed, schema):
            return parsed
        return value

    def fits(self, value: Any, schema: Any) -> bool:
        try:
            self.fit(value, schema, "", 0)
        except Misfit:
            return False
        return True

    def types(self, schema: Any, depth: int) -> set[str]:
        """The types that a schema names; empty if any value will do."""
        schema = self.resolved(schema)
        if depth > _DEPTH or not schema:
            return set()
        named = _named_types(schema)
        if named:
            return named
        choices = _listed(schema, "anyOf") or _listed(schema, "oneOf")
        if choices:
            each = [self.types(choice, depth + 1) for choice in choices]
            return set().union(*each) if all(each) else set()
        values = _listed(schema, "enum") or ([schema["const"]] if "const" in schema else [])
        return {"string"} if values and all(isinstance(value, str) for value in values) else set()

    def resolved(self, schema: Any) -> dict[str, Any]:
        for _ in range(_DEPTH):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            target: Any = self.root
            for part in schema["$ref"].lstrip("#/").split("/"):
                target = target.get(part) if isinstance(target, dict) else None
            schema = target
        return schema if isinstance(schema, dict) else {}

    def fit(self, value: Any, schema: Any, where: str, depth: int) -> Any:
        if schema is False or depth > _DEPTH:
            raise Misfit(f"{where} is not allowed here")
        schema = self.resolved(schema)
        if schema.get("nullable") is True and value is None:
            return None
        value = _typed(value, _named_types(schema), where)
        value = self.chosen(value, schema, where, depth)
        _check(value, schema, where)
        if isinstance(value, dict):
            return self.members(value, schema, where, depth)
        if isinstance(value, list) and "items" in schema:
            return [self.fit(item, schema["items"], f"{where}[{at}]", depth + 1) for at, item in enumerate(value)]
        return value

    def chosen(self, value: Any, schema: dict[str, Any], where: str, depth: int) -> Any:
        for part in _listed(schema, "allOf"):
            value = self.fit(value, part, where, depth + 1)
        choices = _listed(schema, "anyOf") or _listed(schema, "oneOf")
        if not choices:
            return value
        converted = []
        for choice in choices:
            try:
                fitted = self.fit(value, choice, where, depth + 1)
            except Misfit:
                continue
            if type(fitted) is type(value):
                return fitted
            converted.append(fitted)
        if not converted:
            raise Misfit(f"{where} = {_short(value)} fits none of the schema's alternatives")
        return converted[0]

    def members(self, value: dict[str, Any], schema: dict[str, Any], where: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        others = schema.get("additionalProperties", True)
        missing = [name for name in _listed(schema, "required") if isinstance(name, str) and name not in value]
        if missing:
            raise Misfit(f"{where} lacks {', '.join(map(repr, missing))}")
        if others is False and (unknown := [name for name in value if name not in properties]):
            raise Misfit(f"{where} has no parameter {', '.join(map(repr, unknown))}")
        return {
            name: self.fit(
                item, properties.get(name, others if isinstance(others, dict) else {}), f"{where}.{name}", depth + 1
            )
            for name, item in value.items()
        }


def _listed(schema: dict[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _named_types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type")
    names = named if isinstance(named, list) else [named]
    return {
        _ALIASES.get(name, name) for name in names if isinstance(name, str) and _ALIASES.get(name, name) in _TYPES
    }


def _typed(value: Any, types: set[str], where: str) -> Any:
    if not types or any(_TYPES[name](value) for name in types):
        return value
    if isinstance(value, float) and "integer" in types and value.is_integer():
        return int(value)
    if isinstance(value, str):
        parsed = parse_text(value)
        if not isinstance(parsed, str):
            return _typed(parsed, types, where)
    raise Misfit(f"{where} = {_short(value)} is not of type {' or '.join(sorted(types))}")


def _check(value: Any, schema: dict[str, Any], where: str) -> None:
    values = _listed(schema, "enum") or None
    if "const" in schema:
        values = [schema["const"]]
    if values is not None and not any(value == one and type(value) is type(one) for one in values):
        raise Misfit(f"{where} = {_short(value)} is none of {values!r}")
    for keyword, holds in _BOUNDS.items():
        bound = schema.get(keyword)
        if _TYPES["number"](bound) and _TYPES["number"](value) and not holds(value, bound):
            raise Misfit(f"{where} = {_short(value)} breaks {keyword} {bound!r}")
    for keyword, (kind, allows) in _LENGTHS.items():
        bound = schema.get(keyword)
        if (
            isinstance(bound, int)
            and isinstance(value, (str, list))
            and type(value) is kind
            and not allows(len(value), bound)
        ):
            raise Misfit(f"{where} breaks {keyword} {bound!r}")


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def parse_text(text: str) -> Any:
    """The number, boolean, null, list or object that the whole text spells; else the text itself."""
    stripped = text.strip()
    if not _LOOKS_TYPED.match(stripped):
        return text
    word = stripped.lower()
    if word in ("true", "false"):
        return word == "true"
    try:
        value = json.loads(stripped)
        return value if value == value and value not in (float("inf"), float("-inf")) else text
    except (ValueError, RecursionError):
        pass
    try:
        value, end = literal_at(Reader(stripped), 0)
    except (Cut, Malformed):
        return text
    return value if end == len(stripped) and not isinstance(value, str) else text
