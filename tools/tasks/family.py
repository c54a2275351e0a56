"""A family of tasks: a formula with its source, what it takes, what it gives, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tools.tasks.samples import Sampler

Kind = Literal["ratio", "number", "numbers", "whole", "other"]


@dataclass(frozen=True, eq=False)
class Quantity:
    """One argument.

    `name` is the reference's parameter. A quantity with `units` is sampled and computed in the first of them, and a variant
    may take it in any of them; the argument is then called `<name>_<unit>`.
    """

    name: str
    means: str
    sample: Sampler
    type: str = "float"
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What the reference returns.

    A "ratio" may be asked for as a percentage; a "number" may be rounded, and with `units` (the first is the reference's)
    asked for in any of them; "numbers" are a list or a dict of them; a "whole" number is the reference's value rounded up;
    "other" is taken as it is.
    """

    name: str
    kind: Kind = "ratio"
    type: str = "float"
    units: tuple[str, ...] = ()
    unit: str = ""  # a unit that does not vary, as it is said: "pieces per hour"
    better: Literal["higher", "lower", ""] = ""
    digits: tuple[int, ...] = (2, 3)
    levels: tuple[float, float] | None = (
        None  # in the reference's unit: below the first low, below the second medium
    )


@dataclass(frozen=True)
class Refusal:
    """A condition under which ValueError is raised, and arguments (beside valid ones) that meet it."""

    when: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Option:
    """One way to settle a detail of the formula: what it binds, how it is said, and its part of the function's name."""

    says: str
    bind: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    refuses: tuple[Refusal, ...] = ()
    edges: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Family:
    """Tasks about one formula.

    In `formula`, `says`, `notes` and the refusals `{name}` stands for the argument as the variant calls it. `core` is a
    self-contained function of the quantities and of what the options bind; `uses` are functions that it calls.
    """

    name: str
    title: str
    says: str
    formula: str
    source: str
    core: Callable[..., Any]
    takes: tuple[Quantity, ...]
    gives: Result
    refuses: tuple[Refusal, ...] = ()
    edges: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    uses: tuple[Callable[..., Any], ...] = ()
    options: tuple[Option, ...] = (Option(""),)
    noun: str = "record"  # what one record of many is: "machine", "shift", "order"
    additive: bool = False  # the arguments of several records may be summed and the formula used on the sums
    fragile: Callable[[Mapping[str, Any]], bool] | None = None  # an answer that hangs on the last bit of a sum

    def sample(self, random: Random) -> dict[str, Any]:
        """Valid arguments, in the reference's units."""
        drawn: dict[str, Any] = {}
        for quantity in self.takes:
            drawn[quantity.name] = quantity.sample(random, drawn)
        return drawn
