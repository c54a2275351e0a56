"""What the gym plays: misbehaviours alone and in pairs, early and late, now and then or without end."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from millwright.gym.ways import REGISTRY
from tools.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from millwright.gym.misbehaviour import Misbehaviour

When = Literal["early", "late"]
MOST_STRIKES = 3
_NAME = re.compile(r"([\w+]+)/(early|late)/(\d{1,3}|always)/([1-9]\d{0,2})")


@dataclass(frozen=True)
class Scenario:
    """One build with a model that misbehaves in these ways, in turn.

    `strikes` is how often it does before it behaves; None is for ever. Late is after the first assignment has landed.
    `pieces` is in how many pieces a reply is streamed.
    """

    ways: tuple[str, ...]
    when: When = "early"
    strikes: int | None = 1
    pieces: int = 3

    @property
    def name(self) -> str:
        """Its name, from which `named` makes it again."""
        strikes = "always" if self.strikes is None else self.strikes
        return f"{'+'.join(self.ways)}/{self.when}/{strikes}/{self.pieces}"

    @property
    def misbehaviours(self) -> list[Misbehaviour]:
        """The misbehaviours, in turn."""
        return [REGISTRY[way] for way in self.ways]

    @property
    def tested(self) -> bool:
        """Whether the task has tests, which are then run."""
        return any(m.tested for m in self.misbehaviours)

    @property
    def slow(self) -> bool:
        """Whether only a limit on time ends a call."""
        return any(m.slow for m in self.misbehaviours)

    @property
    def allows_right(self) -> bool:
        """Whether the right files are within reach."""
        if any(m.fatal for m in self.misbehaviours):
            return False
        return self.strikes is not None or all(m.harmless for m in self.misbehaviours)


def named(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        UsageError: there is no such way to misbehave, or the name has another form.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(f"{name!r} is no scenario; one looks like empty/early/1/3 or empty+refuses/late/always/3")
    ways, when, strikes, pieces = found.groups()
    _known(ways.split("+"))
    at: When = "late" if when == "late" else "early"
    return Scenario(tuple(ways.split("+")), at, None if strikes == "always" else int(strikes), int(pieces))


def singles(ways: Iterable[str] = ()) -> list[Scenario]:
    """Every misbehaviour alone: once early, three times late, and for ever, streamed in one piece and in many."""
    names = list(ways) or list(REGISTRY)
    _known(names)
    found = []
    for name in names:
        found.append(Scenario((name,), "early", 1, 40))
        found.append(Scenario((name,), "early", None, 3))
        if not REGISTRY[name].early_only:
            found.append(Scenario((name,), "late", MOST_STRIKES, 1))
    return found


def pairs(count: int, seed: int) -> list[Scenario]:
    """A sample of `count` pairs of misbehaviours that strike in turn; the same for the same seed."""
    generator = random.Random(seed)  # noqa: S311 - a sample, not a secret
    every = list(itertools.combinations(REGISTRY, 2))
    return [_paired(ways, generator) for ways in generator.sample(every, min(count, len(every)))]


def sampled(scenarios: Sequence[Scenario], share: float, seed: int) -> list[Scenario]:
    """About this share of the scenarios, in their order; the same for the same seed."""
    generator = random.Random(seed)  # noqa: S311
    return [scenario for scenario in scenarios if generator.random() < share]


def _paired(ways: tuple[str, str], generator: random.Random) -> Scenario:
    early = any(REGISTRY[way].early_only for way in ways)
    when: When = "early" if early or generator.random() < 0.5 else "late"
    return Scenario(ways, when, generator.choice([2, MOST_STRIKES, None]), generator.choice([1, 3, 40]))


def _known(ways: Iterable[str]) -> None:
    for way in ways:
        if way not in REGISTRY:
            raise UsageError(
                f"{way!r} is no misbehaviour of the gym; `millwright gym --list` shows all {len(REGISTRY)}"
            )
