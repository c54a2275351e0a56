"""Property tests from a signature alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.skills.interface import Interface


def property_tests(interface: Interface) -> str | None:
    """None."""
    return None
