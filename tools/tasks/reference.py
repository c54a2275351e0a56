"""The oracle of a variant: our own implementation, as a function for us and as the source of a module for the sandbox.

The two are made of the same functions. What is generated is the glue between them, and the tests compare both on every
input.
"""

from __future__ import annotations

import inspect
import math
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from tools.tasks import shapes
from tools.tasks.catalogue import EVERY
from tools.tasks.forms import bindings, input_factor, result_factor
from tools.tasks.statement import title
from tools.tasks.units import scaled, scaling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.tasks.family import Quantity
    from tools.tasks.variants import Variant

_HEADER = "from __future__ import annotations\n\nimport math\nimport re\n"


def answer(variant: Variant, arguments: Mapping[str, Any], nudge: float = 0.0) -> Any:
    """What the function of this variant returns.

    `nudge` moves every measured value by up to that fraction, to see whether the answer hangs on the last bit.

    Raises:
        ValueError: the arguments are refused.
    """

    def measure(record: Mapping[str, Any]) -> Any:
        value = _measured(variant, record)
        return _moved(value, record, nudge) if nudge else value

    def finished(record: Mapping[str, Any]) -> Any:
        return _formed(variant, measure(record))

    if variant.shape is EVERY:
        name = variant.argument(variant.family.takes[0])
        given = [finished, [{name: item} for item in arguments["items"]]]
    elif variant.shape.many:
        given = [finished, arguments["records"]]
    else:
        given = [finished(arguments)]
    if variant.shape.fold is None:
        value = given[0]
    else:
        bound = {"target": arguments["target"]} if variant.shape.target else {}
        value = variant.shape.fold(*given, **bound, **bindings(variant))
    return value if variant.digits is None else shapes.rounded(value, variant.digits)


def module(variant: Variant) -> str:
    """The source of a self-contained Python module that defines the function of this variant."""
    family, shape = variant.family, variant.shape
    parts = [*family.uses, family.core]
    if shape.fold is not None:
        parts.append(shape.fold)
    if variant.digits is not None:
        parts.append(shapes.rounded)
    taken = ", ".join(f"{quantity.name}={_read(variant, quantity)}" for quantity in family.takes)
    bound = "".join(f", {name}={value!r}" for name, value in variant.option.bind.items())
    return "\n\n".join(
        [
            _HEADER,
            *(_source(part) for part in parts),
            # The core is kept under a name of its own, because the function may have the core's name.
            f"_core = {family.core.__name__}\n",
            f"def _measure(record):\n    value = _core({taken}{bound})\n    return {_form(variant)}\n",
            f"{_definition(variant)}\n    return {_result(variant)}\n",
        ]
    )


def _measured(variant: Variant, record: Mapping[str, Any]) -> Any:
    taken = {
        quantity.name: scaled(record[variant.argument(quantity)], by)
        if (by := input_factor(variant, quantity)) != 1
        else record[variant.argument(quantity)]
        for quantity in variant.family.takes
    }
    return variant.family.core(**taken, **variant.option.bind)


def _formed(variant: Variant, value: Any) -> Any:
    if variant.family.gives.kind == "whole":
        return math.ceil(value)
    if variant.percent:
        return value * 100
    return value if (by := result_factor(variant)) == 1 else scaled(value, by)


def _moved(value: Any, record: Mapping[str, Any], nudge: float) -> Any:
    """The value moved by a fraction that depends on the record: equal records stay equal."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return value * (1 + nudge * (0.5 + zlib.crc32(repr(sorted(record.items())).encode()) / 2**33))
    if isinstance(value, list):
        return [_moved(item, record, nudge) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item, record, nudge) for key, item in value.items()}
    return value


def _read(variant: Variant, quantity: Quantity) -> str:
    return f'record["{variant.argument(quantity)}"]{scaling(input_factor(variant, quantity))}'


def _form(variant: Variant) -> str:
    if variant.family.gives.kind == "whole":
        return "math.ceil(value)"
    return "value * 100" if variant.percent else f"value{scaling(result_factor(variant))}"


def _definition(variant: Variant) -> str:
    return f'{variant.signature}:\n    """{title(variant)}."""'


def _result(variant: Variant) -> str:
    shape = variant.shape
    record = "{" + ", ".join(f'"{name}": {name}' for name, _ in variant.parameters if name != "target") + "}"
    value = "_measure, records" if shape.many else f"_measure({record})"
    if shape is EVERY:
        value = f'_measure, [{{"{variant.argument(variant.family.takes[0])}": item}} for item in items]'
    if shape.fold is not None:
        bound = {"target": "target"} if shape.target else {}
        bound |= {name: repr(setting) for name, setting in bindings(variant).items()}
        value = f"{shape.fold.__name__}({', '.join([value, *(f'{k}={v}' for k, v in bound.items())])})"
    return value if variant.digits is None else f"rounded({value}, {variant.digits})"


@cache
def _source(part: Callable[..., Any]) -> str:
    return inspect.getsource(part)
