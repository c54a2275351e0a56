"""A named way in which a model, or its server, misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from millwright.gym.pupil import Kind, Moment
from millwright.gym.script import Reply

CALLING: frozenset[Kind] = frozenset({"write", "finish", "review"})
WRITING: frozenset[Kind] = frozenset({"write"})
ANSWERING: frozenset[Kind] = frozenset({"plan", "remediate", "recheck"})
TEXT: frozenset[Kind] = frozenset({"text"})
ANY: frozenset[Kind] = CALLING | ANSWERING | TEXT
Play = Callable[[Moment], Reply]


@dataclass(frozen=True)
class Misbehaviour:
    """How a model misbehaves, and when it can.

    `at`: the moments it strikes. `harmless`: the right files are within reach even if it never stops. `fatal`: one
    strike may end the run. `slow`: only a limit on time ends it. `tested`: only tests can notice it.
    `capabilities`: what the model's server says it can do.
    """

    name: str
    about: str
    at: frozenset[Kind]
    play: Play
    harmless: bool = False
    fatal: bool = False
    slow: bool = False
    tested: bool = False
    capabilities: tuple[str, ...] = ("completion", "tools")

    @property
    def early_only(self) -> bool:
        """Whether there is nothing for it to strike once the first assignment has landed."""
        return self.at <= ANSWERING


REGISTRY: dict[str, Misbehaviour] = {}


def misbehaviour(
    at: frozenset[Kind],
    *,
    harmless: bool = False,
    fatal: bool = False,
    slow: bool = False,
    tested: bool = False,
    capabilities: tuple[str, ...] = ("completion", "tools"),
) -> Callable[[Play], Play]:
    """Register a function of the moment under its own name; its docstring says what it does."""

    def register(play: Play) -> Play:
        name = str(getattr(play, "__name__", "misbehaviour"))
        about = (play.__doc__ or "").splitlines()[0].rstrip(".")
        REGISTRY[name] = Misbehaviour(name, about, at, play, harmless, fatal, slow, tested, capabilities)
        return play

    return register
