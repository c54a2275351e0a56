"""The pynguin of this machine, for tests that need the real one."""

from __future__ import annotations

import pytest

from tools.errors import UsageError
from tools.skills.pynguin.interpreter import Pynguin, find_pynguin


def installed() -> Pynguin:
    """The pynguin that is installed; without one the test is skipped, and says how to install it."""
    try:
        return find_pynguin()
    except UsageError as error:
        pytest.skip(str(error))
