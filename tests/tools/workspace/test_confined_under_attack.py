"""Confined files while another process swaps directories, links and files under their hands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from benchmarks.confinement import Confined, Resolved
from benchmarks.races import RACES, Attack, Operation, Tally, race

if TYPE_CHECKING:
    from pathlib import Path

    from tools.workspace.confined import Confinement

WAYS: tuple[Confinement, ...] = ("openat2", "nofollow-walk")
SOAK = 120_000


def attacked(way: Confinement, root: Path, attack: Attack, operation: Operation, tries: int) -> Tally:
    tally = race(partial(Confined, way=way), root, attack, operation, tries)
    assert tally.tries == tries
    assert tally.escaped == 0, (attack, operation, tally)
    return tally


@pytest.mark.parametrize("way", WAYS)
def test_no_operation_escapes_a_live_attacker(way: Confinement, tmp_path: Path) -> None:
    totals = Tally()
    for attack, operation in RACES:
        totals += attacked(way, tmp_path, attack, operation, tries=100)
    # Both outcomes were seen, so the attacker was really at it, and the tool still did its work in between.
    assert min(totals.outcomes["done"], totals.outcomes["refused"]) > 100


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("attack", "operation"), RACES)
def test_no_operation_escapes_in_very_many_tries(
    way: Confinement, attack: Attack, operation: Operation, tmp_path: Path
) -> None:
    attacked(way, tmp_path, attack, operation, tries=SOAK // len(RACES))


def test_the_attacker_is_good_enough_to_break_a_tool_that_checks_strings(tmp_path: Path) -> None:
    escaped = 0
    for _ in range(20):
        escaped += race(Resolved, tmp_path, "folder", "read", tries=500).escaped
        if escaped:
            return
    pytest.fail("10,000 reads through resolve() and open() did not leak once: the attack shows nothing")
