"""What every test shares: a data directory of its own, and the servers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

pytest_plugins = ["servers.fixtures"]

# The same examples every time, so that a change is judged by what it changed; HYPOTHESIS_PROFILE=wide looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wide", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory of this test's own, and no model, embedding model or tracing from the environment.

    The memory compares words and leaves Chroma alone: the tests of these two say so themselves.
    """
    folder = tmp_path / "home"
    monkeypatch.setenv("MILLWRIGHT_HOME", str(folder))
    for name in ("MILLWRIGHT_MODEL", "OLLAMA_HOST", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "lexical")
    monkeypatch.setenv("MILLWRIGHT_CHROMA", "off")
    yield folder
    if memory := sys.modules.get("tools.memory.memory"):
        memory.close_all()
