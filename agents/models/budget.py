"""What a run may spend on its model: calls, tokens and seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.errors import BudgetExhausted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.storage import Record


@dataclass
class Budget:
    """Counts a run's spending against its limits; None is no limit. Seconds are those spent in model calls."""

    max_calls: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def spent_by(cls, calls: Iterable[Record], **limits: float | None) -> Budget:
        """A budget that already counts the journalled calls, so that a resumed run does not start from zero."""
        budget = cls(**limits)  # type: ignore[arg-type]  # the limits are the three fields above
        for call in calls:
            budget.count(call.get("usage") or {}, call.get("seconds", 0.0))
        return budget

    def count(self, usage: Record, seconds: float) -> None:
        """Add one finished call."""
        self.calls += 1
        self.tokens += usage.get("total_tokens", 0)
        self.seconds += seconds

    def calls_left(self) -> int | None:
        """How many calls the run may still make; None without a limit."""
        return None if self.max_calls is None else max(0, self.max_calls - self.calls)

    def check(self) -> None:
        """Refuse the next call when a limit is reached.

        Raises:
            BudgetExhausted: naming the limit and what raises it.
        """
        for name, spent, limit in (
            ("calls", self.calls, self.max_calls),
            ("tokens", self.tokens, self.max_tokens),
            ("seconds", self.seconds, self.max_seconds),
        ):
            if limit is not None and spent >= limit:
                raise BudgetExhausted(
                    f"the budget of {limit:.15g} model {name} is used up; --max-{name} with `millwright runs fork` "
                    f"goes on from here with more"
                )
