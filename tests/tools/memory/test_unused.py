"""What is offered again and again and never taken goes out of use, says why, and comes back on a person's word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from shelf import offered, used

from tools.memory.memory import open_memory
from tools.memory.records import SkillState

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.library import Library
    from tools.memory.memory import Memory


@pytest.fixture
def memory(home: Path) -> Memory:
    """A memory with one skill, `takt_time-1`."""
    memory = open_memory(home)
    memory.admit(offered(), key="1")
    return memory


def show(library: Library, runs: range, *skills: str) -> None:
    """Show skills to so many runs, twice in each."""
    for number in runs:
        for scope in ("developer/A1", "developer/A2"):
            library.expose(skills or ["takt_time-1"], f"r{number}", scope, key=f"{number}/{scope}")


def retired(library: Library, runs: int) -> list[str]:
    """What is retired after so many runs."""
    return [change.skill for change in library.retire_unused(runs)]


def test_what_so_many_runs_were_shown_and_none_used_is_retired(memory: Memory) -> None:
    library = memory.library
    show(library, range(9))
    assert retired(library, 10) == []
    show(library, range(9, 10))
    assert retired(library, 10) == ["takt_time-1"]
    assert library.skill("takt_time-1").state is SkillState.RETIRED
    assert library.history("takt_time-1")[0].why == "10 runs were shown it since it was last used, and none used it"
    assert retired(library, 10) == []


def test_a_use_and_a_persons_word_begin_the_count_anew(memory: Memory) -> None:
    library = memory.library
    show(library, range(10))
    library.record_use(used("takt_time-1", "by hand"))
    show(library, range(10, 15))
    assert retired(library, 10) == []
    show(library, range(15, 20))
    assert retired(library, 10) == ["takt_time-1"]
    library.change_state("takt_time-1", SkillState.ACTIVE, "I want it", key="person/1")
    assert retired(library, 10) == []
    show(library, range(20, 30))
    assert retired(library, 10) == ["takt_time-1"]


def test_what_nobody_was_shown_and_what_another_is_made_of_stay(memory: Memory) -> None:
    library = memory.library
    library.admit(offered("unseen"), key="2")
    library.admit(offered("line", tool_type="workflow", requires=("takt_time-1",)), key="3")
    show(library, range(10))
    assert retired(library, 10) == []
    library.change_state("line-1", SkillState.RETIRED, "not wanted", key="p")
    assert retired(library, 10) == ["takt_time-1"]
    assert library.skill("unseen").state is SkillState.ACTIVE


def test_the_index_says_that_it_is_retired_and_why(memory: Memory, home: Path) -> None:
    show(memory.library, range(3))
    memory.library.retire_unused(3)
    memory.catch_up()
    (entry,) = json.loads((home / "tools" / "index.json").read_text())["tools"]
    assert (entry["state"], entry["why"]) == (
        "retired",
        "3 runs were shown it since it was last used, and none used it",
    )
