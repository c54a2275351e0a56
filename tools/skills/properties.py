"""What must hold for any tool of a signature, for arguments that are generated from it.

They know nothing of the formula: a tool answers with what it declares or raises ValueError, and answers the same the
second time. Numbers have two decimals and a moderate size, for a tool may overflow where nobody
uses it. The same signature always gets the same arguments.
"""

from __future__ import annotations

import builtins
import json
import random
from itertools import islice
from typing import TYPE_CHECKING, Any

from tools.skills import schemas
from tools.skills.comparing import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.skills.calling import Answer
    from tools.skills.interface import Interface
    from tools.skills.schemas import Schema

EXAMPLES = 50
PROPERTIES = 2  # it answers as declared or refuses, and it answers the same again
MOST_ITEMS = 8
MOST_LETTERS = 12
_LETTERS = "abcXYZ019 .,:;-_/()ßé€\n"
# At these a formula breaks if it does at all, so each stands alone and beside the others.
_EDGES: Mapping[str, tuple[Any, ...]] = {
    "integer": (0, 1, -1, 2, 1000, -1000),
    "number": (0, 1, -1, 0.5, 0.01, -0.01, 1000, -1000, 10_000.0),
    "boolean": (False, True),
    "null": (None,),
    "string": ("", "a", " ", "0", "\n", "ß"),
}


def generated(interface: Interface, most: int = EXAMPLES) -> list[dict[str, Any]]:
    """Different arguments for a tool, or none for a signature that says too little.

    Objects are among these: their keys mean something that a signature does not tell.
    """
    parameters: Mapping[str, Schema] = interface.parameters["properties"]
    if not parameters or not all(_is_told(schema) for schema in parameters.values()):
        return []
    found: dict[str, dict[str, Any]] = {}
    for arguments in islice(_drawn(parameters), 4 * most):
        found.setdefault(json.dumps(arguments), arguments)
    return list(found.values())[:most]


def broken(
    interface: Interface, asked: Sequence[Mapping[str, Any]], once: Sequence[Answer], again: Sequence[Answer]
) -> list[str]:
    """What does not hold of a tool, by the arguments at which it does not, the shortest first."""
    wrong = []
    for arguments, first, second in zip(asked, once, again, strict=True):
        called = f"{interface.entry}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
        if found := _broken(interface, first, second):
            wrong.append(f"{called} {found}")
    return sorted(wrong, key=len)


def _broken(interface: Interface, first: Answer, second: Answer) -> str:
    if first.kind in ("stopped", "not_json"):
        return f"comes to no answer: {first.error}"
    if first.kind == "raised" and not _may_raise(first.exception):
        return f"raises {first.error}; a tool answers, or raises ValueError"
    if first.kind == "returned" and schemas.problem(first.value, interface.returns):
        return f"returns {schemas.shown(first.value)}, which is not {schemas.told(interface.returns)}"
    if not same(first, second):
        return f"{first.told}, and then {second.told}"
    return ""


def _may_raise(exception: str) -> bool:
    kind = getattr(builtins, exception, Exception)
    return isinstance(kind, type) and issubclass(kind, ValueError | OverflowError)


def _drawn(parameters: Mapping[str, Schema]) -> Iterator[dict[str, Any]]:
    """Arguments without end: every edge of each parameter in turn, then edges and other values at random."""
    chance = random.Random(json.dumps(parameters))  # noqa: S311 - arguments, no secret
    yield {name: _edges(schema)[0] for name, schema in parameters.items()}
    for name, schema in parameters.items():
        for edge in _edges(schema):
            yield {other: edge if other == name else _value(of, chance) for other, of in parameters.items()}
    while True:
        yield {name: _value(schema, chance) for name, schema in parameters.items()}


def _is_told(schema: Schema) -> bool:
    """Whether a schema says enough to make values of it."""
    if inner := schema.get("anyOf") or schema.get("prefixItems"):
        return all(_is_told(one) for one in inner)
    if schema.get("type") == "array":
        return _is_told(schema.get("items", {}))
    return "enum" in schema or schema.get("type") in _EDGES


def _edges(schema: Schema) -> Sequence[Any]:
    if "anyOf" in schema:
        return [edge for one in schema["anyOf"] for edge in _edges(one)]
    if "enum" in schema:
        return list(schema["enum"])
    if "prefixItems" in schema:
        return [[_edges(one)[0] for one in schema["prefixItems"]]]
    if schema.get("type") == "array":
        return [[], *([edge] for edge in _edges(schema["items"])), [_edges(schema["items"])[0]] * 2]
    return _EDGES[schema["type"]]


def _value(schema: Schema, chance: random.Random) -> Any:
    if "anyOf" in schema:
        return _value(chance.choice(schema["anyOf"]), chance)
    if "prefixItems" in schema:
        return [_value(one, chance) for one in schema["prefixItems"]]
    if schema.get("type") == "array":
        return [_value(schema["items"], chance) for _ in range(chance.randint(0, MOST_ITEMS))]
    if "enum" in schema or chance.random() < 0.25:
        return chance.choice(_edges(schema))
    return _plain(schema["type"], chance)


def _plain(kind: str, chance: random.Random) -> Any:
    if kind == "integer":
        return chance.randint(-1000, 1000)
    if kind == "number":
        return chance.choice([chance.randint(-100, 1000), chance.randint(-100_000, 1_000_000) / 100])
    if kind == "string":
        return "".join(chance.choices(_LETTERS, k=chance.randint(0, MOST_LETTERS)))
    return chance.choice(_EDGES[kind])
