"""What is forgotten is gone: from the tables, the words, the files, and from the bytes on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shelf import library_in, offered, task, used

from tools.errors import SkillUnknown, StorageFailed, UsageError
from tools.memory.projections import IndexFile, Nodes
from tools.memory.records import Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.memory.library import Library

MARK = "zanzibar"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    """A library of forty skills, one of which has a mark in all that it left."""
    library = library_in(home)
    for number in range(40):
        name = f"tool_{number}"
        library.admit(offered(name), key=name, vector=("f", bytes([number]) * 64))
    skill = library.admit(
        offered("marked", description=f"The {MARK} of all.", code=f"# {MARK}\n", tags=(MARK,), run="run-of-marked"),
        key="marked",
        vector=("f", MARK.encode() * 8),
    )
    library.alias(f"{MARK}_alias", skill.id, MARK, key="a")
    library.record_use(used(skill.id, "r", detail=MARK))
    library.settle("r", verified=True)
    library.expose([skill.id], "r", MARK, key="e")
    library.record_task(task("t", skill=skill.id, code=f"# {MARK}", title=MARK))
    yield library
    library.database.close()


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def catch_up(home: Path, library: Library) -> None:
    Nodes(home).catch_up(library)
    IndexFile(home).catch_up(library)


@pytest.mark.parametrize("what", ["marked-1", "marked", "skill:marked-1", "run-of-marked"])
def test_a_skill_is_forgotten_by_id_name_owner_and_run(library: Library, home: Path, what: str) -> None:
    catch_up(home, library)
    assert MARK.encode() in bytes_of(home)
    assert library.forget(what) > 0
    catch_up(home, library)
    assert MARK.encode() not in bytes_of(home)
    counts = library.counts()
    assert (counts["skills"], counts["words"], counts["vectors"]) == (40, 40, 40)
    assert (counts["aliases"], counts["uses"], counts["exposures"], counts["tasks"]) == (0, 0, 0, 0)
    assert library.find_by_tags([MARK]) == []
    with pytest.raises(SkillUnknown):
        library.skill("marked-1")
    assert library.database.check() == []
    assert library.forget(what) == 0


def test_the_other_versions_of_a_name_stay_when_one_is_forgotten(library: Library) -> None:
    second = library.admit(offered("marked", ast_hash="second"), key="second")
    library.forget("marked-1")
    assert library.skill("marked") == second
    assert library.forget("marked") > 0
    with pytest.raises(SkillUnknown):
        library.skill("marked")


def test_a_forgotten_key_admits_anew(library: Library) -> None:
    library.forget("marked")
    again = library.admit(offered("marked"), key="marked")
    assert (again.id, again.uses, library.history(again.id)) == ("marked-1", 0, [])


def test_a_skill_that_another_is_made_of_is_not_forgotten_before_that(library: Library) -> None:
    library.admit(offered("sum_up", tool_type="workflow", requires=("tool_1-1",), run="both"), key="sum_up")
    before = library.counts()
    with pytest.raises(UsageError, match="'tool_1-1' cannot be forgotten: 'sum_up-1' is made of it"):
        library.forget("tool_1")
    assert library.counts() == before
    assert library.forget("both") > 0
    assert library.forget("tool_1") > 0


def test_a_run_takes_what_it_said_of_others_with_it(library: Library) -> None:
    for run in ("r1", "r2"):
        library.record_use(used("tool_1-1", run))
        library.settle(run, verified=True)
    library.record_workflow(Workflow(id="r1:task", intent=MARK, at="1"))
    library.record_workflow(Workflow(id="r10", intent="another", at="1"))
    library.forget("r1")
    skill = library.skill("tool_1")
    assert (skill.uses, skill.successes) == (1, 1)
    assert library.database.read("SELECT trials, won FROM skills WHERE id = 'tool_1-1'")[0][:] == (1, 1)
    assert [workflow.id for workflow in library.workflows()] == ["r10"]


def test_a_workflow_is_forgotten_by_its_id_and_by_its_owner(library: Library) -> None:
    for name in ("one", "two"):
        library.record_workflow(Workflow(id=name, intent=name, at="1"), vector=("f", b"1234"))
    assert library.forget("one") > 0
    assert library.forget("workflow:two") > 0
    assert library.workflows() == []
    assert library.database.read("SELECT owner FROM words WHERE words MATCH 'one OR two'") == []


def test_what_nobody_knows_is_forgotten_without_a_change(library: Library) -> None:
    before = library.database.read("SELECT max(seq) FROM changes")[0][0]
    assert library.forget("nothing of that kind") == 0
    assert library.database.read("SELECT max(seq) FROM changes")[0][0] == before


def test_a_reader_that_holds_a_copy_is_told_of(library: Library, home: Path) -> None:
    with library.database.transaction() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with library.database.reading() as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM skills").fetchone()
        with pytest.raises(StorageFailed, match="another process reads"):
            library.forget("marked")
    assert library.counts()["skills"] == 40
    library.database.close()
    assert MARK.encode() not in bytes_of(home)
