"""The hostile model: a capable one, until its moment comes to misbehave."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from millwright.gym.pupil import Moment, Pupil
from millwright.gym.script import Model, Reply

if TYPE_CHECKING:
    from millwright.gym.scenario import Scenario
    from millwright.gym.script import ChatRequest

USUAL_PIECES = Reply().chunks


class Hostile:
    """Answers the requests of one scenario, from any thread."""

    def __init__(self, scenario: Scenario) -> None:
        """Play `scenario` from its beginning."""
        self._scenario = scenario
        self._pupil = Pupil(tested=scenario.tested)
        self._lock = threading.Lock()
        self.strikes = 0

    def __call__(self, request: ChatRequest) -> Reply:
        """Answer well or badly."""
        moment = self._pupil.moment(request)
        with self._lock:
            reply = self._next(moment)
        # A long reply keeps the many pieces that it needs, to be slow or to be given up in the middle.
        pieces = self._scenario.pieces
        return replace(reply, chunks=max(reply.chunks, pieces) if reply.chunks > USUAL_PIECES else pieces)

    def _next(self, moment: Moment) -> Reply:
        ways = self._scenario.misbehaviours
        if self._scenario.strikes is not None and self.strikes >= self._scenario.strikes:
            return moment.good
        if self._scenario.when == "late" and not moment.late:
            return moment.good
        # In turn, but a way that cannot strike now leaves its turn to the other.
        for way in ways[self.strikes % len(ways) :] + ways[: self.strikes % len(ways)]:
            if moment.kind in way.at:
                moment = replace(moment, strikes=self.strikes)
                self.strikes += 1
                return way.play(moment)
        return moment.good


def model_of(scenario: Scenario) -> Model:
    """The model as its server describes it: one that can do what every way of the scenario needs."""
    capable = [c for c in ("completion", "tools") if all(c in m.capabilities for m in scenario.misbehaviours)]
    return Model(f"gym-{scenario.name}".replace("/", "-").replace("+", "-"), capable)
