"""What a test of references needs: an example with a known answer, and the same formula by another route."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from tools.skills.comparing import same_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.tasks.family import Family


@dataclass(frozen=True)
class Proof:
    """An example by hand or from print (`where`), in the reference's units, and an independent second formulation."""

    arguments: dict[str, Any]
    expected: Any
    second: Callable[..., Any]
    where: str = "by hand"
    within: float = 1e-9


def answer(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What the function returns, or ValueError."""
    try:
        return function(**arguments)
    except ValueError:
        return ValueError


def check(family: Family, proof: Proof) -> None:
    """The example holds, and both formulations agree on ordinary arguments, edges and refusals of every option."""
    usual = dict(family.options[0].bind)
    assert same_values(family.core(**proof.arguments, **usual), proof.expected, proof.within), proof.where
    random = Random(family.name)
    for option in family.options:
        special = [*family.edges, *option.edges]
        refused = [refusal.arguments for refusal in (*family.refuses, *option.refuses)]
        for arguments in [*({} for _ in range(60)), *special]:
            given = family.sample(random) | dict(arguments) | dict(option.bind)
            here, there = answer(family.core, given), answer(proof.second, given)
            assert same_values(here, there), (family.name, given, here, there)
        for arguments in refused:
            given = family.sample(random) | dict(arguments) | dict(option.bind)
            assert answer(family.core, given) is ValueError, (family.name, given)
