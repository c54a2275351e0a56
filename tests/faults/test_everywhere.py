"""A build of twenty assignments, killed at every durable operation and at 200 random times."""

from __future__ import annotations

import pytest
from faults.figures import Total, at_random, everywhere

PARTS = 16


def clean(total: Total) -> bool:
    print(total.row("killed"))
    return (total.survived, total.writes_repeated, total.bytes_lost) == (total.tried, 0, 0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_durable_operation(part: int) -> None:
    total = everywhere(part, PARTS, 1)
    assert total.killed > 50
    assert clean(total), total.failures


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))
def test_killed_at_random_times(part: int) -> None:
    total = at_random(part, 50)
    assert total.killed > 30
    assert clean(total), total.failures
