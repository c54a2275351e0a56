"""A workspace, and a sandbox at each level that this machine can have."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, get_args

import pytest

from tools.errors import SandboxUnavailable, StorageFailed
from tools.sandbox import Level, Sandbox
from tools.sandbox.canary import Verdict, try_level

if TYPE_CHECKING:
    from pathlib import Path

assert set(get_args(Level)) == {"A", "B", "C", "off"}


@functools.cache
def verdict_of(level: Level) -> Verdict | str:
    """What the self-test says of a level, or why it cannot be had here."""
    try:
        return try_level(level)
    except (SandboxUnavailable, StorageFailed, OSError) as error:
        return str(error)


@pytest.fixture(params=["A", "B"])
def verdict(request: pytest.FixtureRequest) -> Verdict:
    found = verdict_of(request.param)
    if isinstance(found, str):
        pytest.skip(f"level {request.param} cannot be had here: {found}")
    return found


@pytest.fixture
def sandbox(verdict: Verdict) -> Sandbox:
    return Sandbox(verdict.level, verdict.held, tuple(verdict.open))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder
