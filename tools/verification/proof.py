"""The outcome of checking what a run claims: one line per check, and the first thing that does not hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import MillwrightError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Status = Literal["PASS", "FAIL", "not checked"]


@dataclass(frozen=True)
class Check:
    """One thing that was checked: whether it holds, with what was seen or what is wrong."""

    name: str
    status: Status
    detail: str = ""


@dataclass
class Proof:
    """Everything that was checked about one run.

    `claimed` is the run's own verdict, `anchor` what speaks for its records other than they themselves, `note` what
    else a reader should know.
    """

    source: str
    run: str = ""
    claimed: str = ""
    anchor: str = ""
    note: str = ""
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found that does not hold."""
        return bool(self.checks) and all(check.status != "FAIL" for check in self.checks)

    @property
    def verdict(self) -> Literal["PASS", "FAIL"]:
        """PASS when everything holds and the run itself passed; an honest failure stays one."""
        return "PASS" if self.holds and self.claimed == "PASS" else "FAIL"

    @property
    def broken(self) -> str:
        """The first thing that does not hold; empty when all of it does."""
        return next((f"{check.name}: {check.detail}" for check in self.checks if check.status == "FAIL"), "")

    @property
    def conclusion(self) -> str:
        """The outcome in one sentence."""
        if not self.holds:
            return f"FAIL: what {self.run or self.source} claims does not hold: {self.broken}"
        if self.claimed == "PASS":
            return f"PASS: run {self.run} claims that it passed, and everything checked holds"
        return f"FAIL: run {self.run} says itself that it did not pass; everything checked holds"

    def to_dict(self) -> dict[str, Any]:
        """The proof as JSON holds it."""
        derived = {"verdict": self.verdict, "holds": self.holds, "broken": self.broken}
        return {**asdict(self), **derived, "conclusion": self.conclusion}

    def lines(self) -> list[str]:
        """The proof as a person reads it."""
        width = max((len(check.name) for check in self.checks), default=0)
        told = [f"{check.status:<11}  {check.name:<{width}}  {check.detail}".rstrip() for check in self.checks]
        more = [f"{name}: {text}" for name, text in (("Anchor", self.anchor), ("Note", self.note)) if text]
        return [*told, *more, self.conclusion]


def carried_out(checks: Iterable[tuple[str, Callable[[], str | None]]]) -> list[Check]:
    """Carry out checks up to the first that does not hold; one that returns None was not to be made.

    Raises:
        UsageError: a check found that there is nothing it could check.
    """
    done: list[Check] = []
    for name, check in checks:
        if any(earlier.status == "FAIL" for earlier in done):
            done.append(Check(name, "not checked"))
        else:
            done.append(_outcome(name, check))
    return done


def _outcome(name: str, check: Callable[[], str | None]) -> Check:
    try:
        detail = check()
    except UsageError:
        raise
    except MillwrightError as error:
        return Check(name, "FAIL", str(error))
    except Exception as error:  # noqa: BLE001 - foreign input: whatever it breaks in us, it is not what a run writes
        return Check(name, "FAIL", f"it is not as a run writes it ({type(error).__name__}: {error})")
    return Check(name, "not checked" if detail is None else "PASS", detail or "")
