"""How one attempt at a piece of work is made: its rung and settings, and the one thing that a retry changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from agents.models.protocols import Rung

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What is changed first after each kind of failure; then what is left, in the order of the last line.
_REMEDIES: Mapping[str, Sequence[str]] = {
    "stuck": ("temperature",),
    # Within the attempt the model was asked in the other form already.
    "empty": ("temperature", "size"),
    "discarded": ("temperature", "size"),
    "reasoning_only": ("temperature", "size"),
    "repetition": ("temperature", "size"),
    "refused": ("temperature", "size"),
    "cut": ("size",),
    "time_limit": ("size",),
    "context_lost": ("size",),
    "syntax_error": ("size",),
    "": ("protocol", "size", "temperature"),
}
BOLD = 0.8
SOBER = 0.0
HOT = frozenset({"stuck", "empty", "discarded", "reasoning_only", "repetition", "refused"})
"""Failures after which more randomness helps, and not less."""

FEW = 3
"""So many results of a rung are needed before they count."""

SMALL = "Keep every file short, under 120 lines, and write one file per answer."


class Approach(BaseModel):
    """How an attempt is made. It is journalled, so a replay needs no profile and no model's facts."""

    model_config = ConfigDict(frozen=True)

    rung: Rung = Rung.NATIVE
    small: bool = False
    temperature: float | None = None
    window: int | None = None
    """The largest prompt and answer together, in tokens, that the model really reads; None when unknown."""
    can_call: bool = True
    earned_edits: bool = False
    patient: bool = True
    """Whether answers of no use are borne with; not any more after an attempt that wrote nothing."""

    changed: tuple[str, ...] = ()
    """What was changed since the first attempt, the newest last."""

    @property
    def lower(self) -> Rung:
        """The rung below native calls."""
        return Rung.EDITS if self.earned_edits else Rung.FENCED


class Experience(BaseModel):
    """What is known of a model when an attempt begins; `won` and `lost` count attempts per rung."""

    can_call: bool | None = None
    window: int | None = None
    won: dict[str, int] = {}
    lost: dict[str, int] = {}
    probes: dict[str, Any] = {}

    def rate(self, rung: Rung) -> float | None:
        """The share of attempts on a rung that succeeded; None when there are too few."""
        won, lost = self.won.get(rung, 0), self.lost.get(rung, 0)
        return None if won + lost < FEW else won / (won + lost)


def first_approach(known: Experience) -> Approach:
    """Where to begin: native calls, unless the model cannot call, failed the probes, or does better with text."""
    can_call = known.can_call is not False
    earned = known.probes.get("search_replace") is True or known.won.get(Rung.FENCED, 0) >= FEW
    lower = Rung.EDITS if earned else Rung.FENCED
    native, fenced = known.rate(Rung.NATIVE), known.rate(lower)
    poor = native is not None and (fenced or 0.5) > native
    unable = native is None and known.probes.get("native_call") is False and known.probes.get("fenced_file") is True
    return Approach(
        rung=lower if not can_call or poor or unable else Rung.NATIVE,
        window=known.window,
        can_call=can_call,
        earned_edits=earned,
    )


def next_approach(before: Approach, failure: str, *, patient: bool = True) -> Approach:
    """The same approach with one named thing changed, chosen by the kind of the failure."""
    before = before.model_copy(update={"patient": patient})
    for name in (*_REMEDIES.get(failure, ()), *_REMEDIES[""]):
        update = {} if name in before.changed else _change(name, before, failure)
        if update:
            return before.model_copy(update={**update, "changed": (*before.changed, name)})
    again = SOBER if before.temperature == BOLD else BOLD
    return before.model_copy(update={"temperature": again, "changed": (*before.changed, "temperature")})


def _change(name: str, before: Approach, failure: str) -> dict[str, Any]:
    if name == "protocol":
        return _other_rung(before)
    if name == "size":
        return {} if before.small else {"small": True}
    return {"temperature": BOLD if failure in HOT else SOBER}


def _other_rung(before: Approach) -> dict[str, Any]:
    if before.rung is Rung.NATIVE:
        return {"rung": before.lower}
    return {"rung": Rung.NATIVE} if before.can_call else {}
