"""What every test shares: a data directory of its own, and the servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest_plugins = ["servers.fixtures"]

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
