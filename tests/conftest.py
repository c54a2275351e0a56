"""What every test shares: a data directory of its own, and the servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

pytest_plugins = ["servers.fixtures"]

# The same examples every time, so that a change is judged by what it changed; HYPOTHESIS_PROFILE=wide looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wide", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of this test's own, and no model or tracing from the environment."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MILLWRIGHT_HOME", str(folder))
    for name in ("MILLWRIGHT_MODEL", "OLLAMA_HOST", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.delenv(name, raising=False)
    return folder
