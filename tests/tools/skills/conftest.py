"""A sandbox that keeps no account."""

from __future__ import annotations

import pytest

from tools.sandbox import Limits
from tools.skills.running import Runner, confined


@pytest.fixture
def run() -> Runner:
    return confined(limits=Limits(seconds=60))
