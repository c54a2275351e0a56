"""A skill on its own: an exported folder holds the exact text that was examined, and a project file that can be read."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
import shelved

from tools.errors import UsageError
from tools.memory.records import Example
from tools.skills.exporting import export, tried
from tools.skills.running import confined

if TYPE_CHECKING:
    from pathlib import Path

ODD = 'Say "déjà vu" \\ 🙂 in one line; `code`, {braces} and\ttabs.'


def test_the_text_is_the_one_that_was_examined(tmp_path: Path) -> None:
    example = Example(arguments={"available_minutes": 480, "demand": 100}, result=4.8)
    skill = shelved.admit(shelved.takt(description=ODD, examples=(example,)))
    paths = export(skill, shelved.library(), tmp_path / "new")
    assert {path.name for path in paths} == {path.name for path in (tmp_path / "new").iterdir()}
    assert (tmp_path / "new" / "main.py").read_text() == skill.code
    assert (tmp_path / "new" / "test_main.py").read_text() == skill.tests
    project = tomllib.loads((tmp_path / "new" / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["version"], project["description"]) == ("takt-time", "1", ODD)
    readme = (tmp_path / "new" / "README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert ast.unparse(ast.parse(block)).endswith("takt_time(available_minutes=480, demand=100)")
    assert skill.sha256 in readme


async def test_tests_that_do_not_pass_on_their_own_are_told(tmp_path: Path) -> None:
    wrong = shelved.new_skill(
        shelved.TAKT, "from main import takt_time\n\ndef test_it():\n    assert takt_time(1, 1) == 2\n"
    )
    export(shelved.admit(wrong), shelved.library(), tmp_path / "out")
    assert "1 failed" in await tried(tmp_path / "out", confined())


def test_what_is_there_is_never_replaced_unasked(tmp_path: Path) -> None:
    skill = shelved.admit(shelved.takt())
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(UsageError, match="is not an empty folder"):
            export(skill, shelved.library(), place)
    (tmp_path / "main.py").write_text("old")
    export(skill, shelved.library(), tmp_path, force=True)
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "main.py").read_text() == skill.code
