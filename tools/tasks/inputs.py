"""The arguments on which a tool is compared with the reference: ordinary ones, edges, and ones that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools.tasks.catalogue import EVERY, VALUE
from tools.tasks.reference import answer
from tools.tasks.samples import seeded
from tools.tasks.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from tools.tasks.variants import Variant

LEAST = 30
"""How many inputs a task has at least."""

_MOST_DRAWS = 400
_NUDGE, _SAME = 1e-11, 1e-9
_SHIFTS = ("early", "late", "night")


def inputs_of(variant: Variant) -> list[dict[str, Any]]:
    """Edges, refused arguments and ordinary ones: the same for the same variant, none twice, all of them settled."""
    random = seeded(variant.entry)
    found: list[dict[str, Any]] = []
    candidates = [*_edges(variant, random), *_refused(variant, random)]
    for arguments in candidates:
        if arguments not in found and settled(variant, arguments):
            found.append(arguments)
    wanted = max(LEAST, len(found) + LEAST // 2)
    for _ in range(_MOST_DRAWS):
        if len(found) >= wanted:
            break
        arguments = ordinary(variant, random)
        if arguments not in found and settled(variant, arguments):
            found.append(arguments)
    return found


def ordinary(variant: Variant, random: Random) -> dict[str, Any]:
    """Valid arguments of no special kind."""
    if variant.shape is EVERY:
        return _items(variant, [_record(variant, random) for _ in range(random.randint(1, 5))])
    if variant.shape.many:
        records = [_record(variant, random) for _ in range(random.randint(1, 6))]
        return _with_target(variant, random, {"records": _labelled(variant, records, random)})
    return _with_target(variant, random, _record(variant, random))


def settled(variant: Variant, arguments: Mapping[str, Any]) -> bool:
    """Whether the answer stays when its measured values move in the eleventh place.

    Where it does not (a tie in rounding, a value that equals a threshold but for its last bit), two right programs
    may differ.
    """
    fragile = variant.family.fragile
    if fragile is not None and any(map(fragile, _single(variant, arguments))):
        return False
    answers = []
    for nudge in (0.0, _NUDGE, -_NUDGE):
        try:
            answers.append(answer(variant, arguments, nudge))
        except ValueError:
            answers.append(ValueError)
    return all(_alike(answers[0], other) for other in answers[1:])


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, bool | str) or not isinstance(one, float | int | list | dict):
        return bool(one == other)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    return isinstance(other, float | int) and abs(one - other) <= _SAME * max(abs(one), abs(other))


def _record(variant: Variant, random: Random, fixed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Arguments of one measure in the variant's units, some of them `fixed` in the reference's."""
    drawn = variant.family.sample(random) | dict(fixed or {})
    record = {}
    for quantity, unit in zip(variant.family.takes, variant.units, strict=True):
        value = drawn[quantity.name]
        record[variant.argument(quantity)] = in_unit(value, quantity.units[0], unit) if unit else value
    return record


def _single(variant: Variant, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of each measure, under the reference's names. Families that ask for this have no units."""
    if variant.shape is EVERY:
        (quantity,) = variant.family.takes
        return [{quantity.name: item} for item in arguments["items"]]
    if variant.shape.many:
        return list(arguments["records"])
    return [dict(arguments)]


def _items(variant: Variant, records: list[dict[str, Any]]) -> dict[str, Any]:
    return {"items": [value for record in records for value in record.values()]}


def _labelled(variant: Variant, records: list[dict[str, Any]], random: Random) -> list[dict[str, Any]]:
    label, noun = variant.shape.label, variant.family.noun
    if label == "name":
        return [{"name": f"{noun} {number}", **record} for number, record in enumerate(records, 1)]
    if label == "shift":
        return [{"shift": random.choice(_SHIFTS), **record} for record in records]
    return records


def _with_target(variant: Variant, random: Random, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same with a target near what the measure usually gives, where one is asked for."""
    if not variant.shape.target:
        return arguments
    return arguments | {"target": _target(variant, random)}


def _target(variant: Variant, random: Random) -> float:
    plain = replace(variant, shape=VALUE, digits=None)
    value = float(answer(plain, _record(plain, random)))
    return float(f"{value:.3g}")


def _edges(variant: Variant, random: Random) -> Iterator[dict[str, Any]]:
    edges = [_record(variant, random, edge) for edge in (*variant.family.edges, *variant.option.edges)]
    if variant.shape is EVERY:
        yield from (_items(variant, records) for records in ([], edges, *([edge] for edge in edges)))
        return
    if not variant.shape.many:
        yield from (_with_target(variant, random, edge) for edge in edges)
        return
    one = _record(variant, random)
    several = [_record(variant, random) for _ in range(4)]
    for records in ([], [one], [one, one, *several], [*edges, *several], *([edge, one] for edge in edges)):
        yield _with_target(variant, random, {"records": _labelled(variant, records, random)})


def _refused(variant: Variant, random: Random) -> Iterator[dict[str, Any]]:
    for refusal in variant.refuses:
        wrong = _record(variant, random, refusal.arguments)
        if variant.shape is EVERY:
            yield _items(variant, [_record(variant, random), wrong])
            continue
        if not variant.shape.many:
            yield _with_target(variant, random, wrong)
            continue
        records = [_record(variant, random) for _ in range(random.randint(0, 3))]
        records.insert(random.randint(0, len(records)), wrong)
        yield _with_target(variant, random, {"records": _labelled(variant, records, random)})
