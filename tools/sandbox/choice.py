"""Which level this machine gets: the strongest whose self-test held."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import SandboxUnavailable, StorageFailed
from tools.sandbox.bubblewrap import missing_programs
from tools.sandbox.canary import Verdict, try_level
from tools.sandbox.landlock import landlock_version
from tools.sandbox.leftovers import sweep

if TYPE_CHECKING:
    from tools.sandbox.execution import Level

# What level B may lack and still be a sandbox; it is said in every result.
TOLERATED: dict[Level, frozenset[str]] = {
    "A": frozenset(),
    "B": frozenset({"timestamps", "shared_memory", "processes", "read_only", "signal_host"}),
}


@dataclass(frozen=True)
class Choice:
    """The verdict on the chosen level, if any, and why each stronger level was refused."""

    verdict: Verdict | None
    refused: dict[Level, str]


@functools.cache
def strongest() -> Choice:
    """Try the levels once per process, strongest first; also remove what killed processes left behind."""
    sweep()
    refused: dict[Level, str] = {}
    for level in TOLERATED:
        try:
            verdict = _tried(level)
        except (SandboxUnavailable, StorageFailed, OSError) as error:
            refused[level] = str(error)
        else:
            return Choice(verdict, refused)
    return Choice(None, refused)


def _tried(level: Level) -> Verdict:
    if level == "A" and (missing := missing_programs()):
        raise SandboxUnavailable(f"{' and '.join(missing)} not installed")
    if level == "B" and not landlock_version():
        raise SandboxUnavailable("this kernel does not offer Landlock")
    verdict = try_level(level)
    if intolerable := set(verdict.open) - TOLERATED[level]:
        found = "; ".join(f"{name}: {verdict.open[name]}" for name in sorted(intolerable))
        raise SandboxUnavailable(f"the self-test broke out: {found}")
    return verdict
