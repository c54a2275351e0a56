"""Skills as the memory sees them, with code that nobody runs, and a library of a directory's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.memory.database import Database
from tools.memory.library import Library
from tools.memory.records import NewSkill, TaskRecord, Use

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = {"type": "number"}


def offered(name: str = "takt_time", **more: Any) -> NewSkill:
    """A skill for admission whose code is unlike that of every other name."""
    fields = {
        "name": name,
        "description": "Takt time: minutes for each unit.",
        "entry": name,
        "parameters": {
            "type": "object",
            "properties": {"minutes": NUMBER, "demand": NUMBER},
            "required": ["minutes", "demand"],
        },
        "returns": NUMBER,
        "tags": ("manufacturing", "time"),
        "code": f"def {name}(minutes, demand):\n    return minutes / demand\n",
        "tests": f"from main import {name}\n",
        "family": "takt",
        "ast_hash": f"hash of {name}",
        "run": "run-of-the-factory",
        "proved": True,
    }
    return NewSkill.model_validate({**fields, **more})


def used(skill: str, run: str, outcome: str = "returned", **more: Any) -> Use:
    """One call of a skill."""
    return Use.model_validate({"key": f"{run}/{skill}/0", "skill": skill, "run": run, "outcome": outcome, **more})


def task(key: str, **more: Any) -> TaskRecord:
    """A task that ended."""
    fields = {"key": key, "run": key, "task": "t", "outcome": "admitted", "at": "2026-01-02T03:04:05.678Z"}
    return TaskRecord.model_validate({**fields, **more})


def library_in(home: Path) -> Library:
    """The library of the data directory `home`."""
    return Library(Database(home / "memory" / "memory.sqlite"))
