"""Skills for tests: small programs, admitted to the library of the test's own data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.memory.database import Database
from tools.memory.library import Library
from tools.memory.records import Evidence, NewSkill, ToolType
from tools.runs.home import data_dir
from tools.skills.interface import read_interface

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.records import Skill

TAKT = '''
def takt_time(available_minutes: float, demand: int) -> float:
    """Takt time in minutes per unit: the available minutes divided by the units demanded."""
    if demand <= 0:
        raise ValueError(f"demand must be positive, got {demand}")
    return available_minutes / demand
'''
TAKT_TESTS = """
import pytest
from main import takt_time


def test_minutes_per_unit():
    assert takt_time(480, 100) == 4.8


def test_no_demand():
    with pytest.raises(ValueError):
        takt_time(480, 0)
"""
LINES = '''
from skills.takt_time import takt_time


def stations(available_minutes: float, demand: int, work_minutes: float) -> float:
    """Stations that a line needs: the work minutes of one unit divided by the takt time."""
    return work_minutes / takt_time(available_minutes, demand)
'''
LINES_TESTS = """
from main import stations


def test_stations():
    assert stations(480, 100, 9.6) == 2.0
"""


def new_skill(code: str, tests: str = "", *, proved: bool = True, **more: Any) -> NewSkill:
    """A skill that is ready for admission; its name is that of its function."""
    entry = more.pop("entry", None) or code.split("def ", 1)[1].split("(", 1)[0]
    interface = read_interface(code, entry)
    kind = ToolType.WORKFLOW if more.get("requires") else ToolType.FUNCTION
    evidence = Evidence(tests=tests.count("def test"), noticed=9, mutants=10, oracle_cases=12 if proved else 0)
    given = {
        "name": entry,
        "tool_type": kind,
        "description": interface.description,
        "run": "made",
        "evidence": evidence,
    }
    return NewSkill(
        entry=entry,
        parameters=interface.parameters,
        returns=interface.returns,
        code=code,
        tests=tests,
        proved=proved,
        **{**given, **more},
    )


def library(home: Path | None = None) -> Library:
    """The library of a data directory, by default of this test's own."""
    return Library(Database((home or data_dir()) / "memory" / "memory.sqlite"))


def admit(new: NewSkill) -> Skill:
    """Admit a skill by the database alone, as a second process does."""
    return library().admit(new, key=f"{new.name}/{new.code}")


def takt(**more: Any) -> NewSkill:
    """The skill that most tests use."""
    return new_skill(TAKT, TAKT_TESTS, tags=("manufacturing",), **more)
