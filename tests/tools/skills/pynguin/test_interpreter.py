"""The interpreter of pynguin: found where it is named or made, and asked what it has."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest
from pynguins import installed

from tools.errors import UsageError
from tools.skills.pynguin import interpreter
from tools.skills.pynguin.interpreter import VARIABLE, find_pynguin

if TYPE_CHECKING:
    from pathlib import Path


def script(path: Path, text: str) -> Path:
    """A command that prints something."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_without_one_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(interpreter, "FOLDER", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="run `make pynguin`"):
        find_pynguin()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exit 1", "is no Python"),
        ("echo '[]'", "is no Python"),
        (
            """echo '{"pynguin": "0.40.0", "python": [3, 11], "roots": []}'""",
            "has pynguin 0.40.0, and 0.48 is needed",
        ),
        ("""echo '{"pynguin": "0.48.0", "python": [3, 10], "roots": []}'""", "is Python 3.10"),
    ],
)
def test_what_cannot_serve_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setenv(VARIABLE, str(script(tmp_path / "python", text)))
    with pytest.raises(UsageError, match=told):
        find_pynguin()


def test_a_python_without_pynguin_and_one_that_is_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)
    with pytest.raises(UsageError, match=r"has no pynguin, and 0\.48 is needed"):
        find_pynguin()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="cannot be run"):
        find_pynguin()


def test_the_one_that_is_installed_says_its_version_and_what_it_must_be_able_to_read() -> None:
    found = installed()
    assert found.name.startswith("pynguin 0.48.")
    assert any(found.python.is_relative_to(root) for root in found.roots)
