"""Files that are made from the database: level with it, put right from it, and never believed."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from shelf import library_in, offered, used

from tools.errors import StorageFailed
from tools.memory.outbox import note, pending
from tools.memory.projections import IndexFile, Nodes, tools_index
from tools.memory.records import Evidence, SkillState

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from tools.memory.library import Library


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    """A library of three skills, level with its files."""
    library = library_in(home)
    for name in ("takt_time", "scrap_rate", "oee"):
        library.admit(offered(name), key=name)
    catch_up(home, library)
    yield library
    library.database.close()


def catch_up(home: Path, library: Library) -> None:
    Nodes(home).catch_up(library)
    IndexFile(home).catch_up(library)


def faults(home: Path, library: Library) -> list[str]:
    return [*Nodes(home).faults(library), *IndexFile(home).faults(library)]


def index_of(home: Path) -> dict[str, dict]:
    return {entry["id"]: entry for entry in json.loads((home / "tools" / "index.json").read_text())["tools"]}


def test_a_skill_stands_as_three_files_for_its_owner_alone(library: Library, home: Path) -> None:
    skill = library.skill("takt_time")
    node = home / "nodes" / skill.id
    assert (node / "main.py").read_text() == skill.code
    assert (node / "test.py").read_text() == skill.tests
    interface = json.loads((node / "interface.json").read_text())
    assert interface == skill.interface
    assert list(interface["parameters"]["properties"]) == ["minutes", "demand"]
    assert stat.S_IMODE(node.stat().st_mode) == stat.S_IMODE((home / "nodes").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in node.iterdir()} == {0o600}
    assert sorted(path.name for path in (home / "nodes").iterdir()) == ["oee-1", "scrap_rate-1", "takt_time-1"]


def test_the_index_says_of_a_skill_what_it_is_and_what_it_is_worth(library: Library, home: Path) -> None:
    new = offered(
        "pace", evidence=Evidence(tests=4, noticed=9, mutants=10, oracle_cases=7), task="m/1", source="ISO"
    )
    skill = library.admit(new, key="pace")
    library.record_use(used(skill.id, "r"))
    library.settle("r", verified=True)
    library.alias("tempo", skill.id, "same", key="a")
    catch_up(home, library)
    entry = index_of(home)[skill.id]
    assert (entry["name"], entry["version"], entry["state"], entry["tool_type"]) == (
        "pace",
        1,
        "active",
        "function",
    )
    assert entry["signature"] == {"parameters": skill.parameters, "returns": skill.returns}
    assert entry["sha256"] == skill.sha256
    assert entry["evidence"]["mutation_score"] == 0.9
    assert (entry["evidence"]["tests"], entry["evidence"]["uses"], entry["evidence"]["successes"]) == (4, 1, 1)
    assert entry["provenance"]["run"] == skill.run
    assert entry["tags"] == ["manufacturing", "time"]
    assert entry["aliases"] == ["tempo"]


def test_the_index_of_an_empty_memory_is_empty(tmp_path: Path) -> None:
    library = library_in(tmp_path)
    catch_up(tmp_path, library)
    assert index_of(tmp_path) == {}
    assert faults(tmp_path, library) == []
    library.database.close()


def test_states_and_counts_follow_and_nothing_is_written_twice(library: Library, home: Path) -> None:
    nodes, index = Nodes(home), IndexFile(home)
    before = (home / "tools" / "index.json").stat().st_ino
    assert (nodes.catch_up(library), index.catch_up(library)) == (0, False)
    assert (home / "tools" / "index.json").stat().st_ino == before
    library.change_state("oee-1", SkillState.RETIRED, "not wanted", key="s")
    library.record_use(used("takt_time-1", "r"))
    inode = (home / "nodes" / "oee-1").stat().st_ino
    catch_up(home, library)
    assert index_of(home)["oee-1"]["state"] == "retired"
    assert index_of(home)["takt_time-1"]["evidence"]["uses"] == 1
    assert (home / "nodes" / "oee-1").stat().st_ino == inode
    assert faults(home, library) == []


def test_a_large_index_is_not_written_for_every_skill(tmp_path: Path) -> None:
    library, index = library_in(tmp_path), IndexFile(tmp_path)
    written = 0
    for number in range(150):
        library.admit(offered(f"tool_{number}"), key=str(number))
        written += index.catch_up(library, at_once=False)
    assert 100 <= written < 130
    index.catch_up(library)
    library.admit(offered("last"), key="last")
    assert not index.catch_up(library, at_once=False)
    assert index.catch_up(library)
    assert len(index_of(tmp_path)) == 151
    library.database.close()


TAMPERING = {
    "main.py was changed": lambda home: (home / "nodes/oee-1/main.py").write_text("import os; os.abort()"),
    "test.py was changed": lambda home: (home / "nodes/oee-1/test.py").write_text(""),
    "interface.json is missing": lambda home: (home / "nodes/oee-1/interface.json").unlink(),
    "oee-1: is missing": lambda home: shutil.rmtree(home / "nodes/oee-1"),
    "'conftest.py' is none of its files": lambda home: (home / "nodes/oee-1/conftest.py").write_text("1"),
    "nodes/evil: no skill of that id": lambda home: (home / "nodes/evil").mkdir(),
    "nodes/evil.py: no skill of that id": lambda home: (home / "nodes/evil.py").write_text("1"),
    "oee-1: is no directory": lambda home: (
        shutil.rmtree(home / "nodes/oee-1"),
        (home / "nodes/oee-1").symlink_to(home),
    ),
    "scrap_rate-1: main.py was changed": lambda home: (
        (home / "nodes/scrap_rate-1/main.py").unlink(),
        (home / "nodes/scrap_rate-1/main.py").symlink_to("/etc/passwd"),
    ),
    "index.json is missing": lambda home: (home / "tools/index.json").unlink(),
    "index.json cannot be read": lambda home: (home / "tools/index.json").write_text("{"),
    "index.json differs from the memory in 1 skills: oee-1": lambda home: _edit(
        home, '"name": "oee"', '"name": "x"'
    ),
    "index.json is of change": lambda home: _edit(home, '"seq": 3', '"seq": 2'),
    "index.json was changed": lambda home: _edit(home, '"format": 1', '"format":  1'),
}


def _edit(home: Path, old: str, new: str) -> None:
    path = home / "tools" / "index.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("told", TAMPERING)
def test_what_someone_changed_is_noticed_and_put_right(library: Library, home: Path, told: str) -> None:
    TAMPERING[told](home)
    assert any(told in sentence for sentence in faults(home, library))
    repaired = [*Nodes(home).repair(library), *IndexFile(home).repair(library)]
    assert any(told in sentence for sentence in repaired) or not told.startswith(("nodes", "oee"))
    assert faults(home, library) == []
    assert "os.abort" not in (home / "nodes/oee-1/main.py").read_text()
    assert library.skill("oee").code == offered("oee").code


def test_nothing_outside_is_touched_through_a_link(library: Library, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "main.py").write_text("mine")
    shutil.rmtree(home / "nodes/oee-1")
    (home / "nodes/oee-1").symlink_to(outside)
    library.forget("oee")
    catch_up(home, library)
    assert (outside / "main.py").read_text() == "mine"
    assert not os.path.lexists(home / "nodes/oee-1")


def test_files_that_were_deleted_are_made_again(library: Library, home: Path) -> None:
    shutil.rmtree(home / "nodes")
    shutil.rmtree(home / "tools")
    catch_up(home, library)
    assert faults(home, library) == []


def test_a_directory_in_the_place_of_the_index_is_told(tmp_path: Path) -> None:
    library = library_in(tmp_path)
    (tmp_path / "tools" / "index.json").mkdir(parents=True)
    with pytest.raises(StorageFailed, match=r"index\.json"):
        IndexFile(tmp_path).catch_up(library)
    library.database.close()


def test_the_log_of_changes_does_not_grow_with_uses_and_states(library: Library) -> None:
    for number in range(50):
        library.record_use(used("oee-1", f"r{number}"))
        library.change_state("oee-1", list(SkillState)[number % 4], "", key=str(number))
    (count,) = library.database.read("SELECT count(*) FROM changes")[0]
    assert count <= 3 + 1


def test_another_vector_changes_no_file(library: Library, home: Path) -> None:
    with library.database.transaction() as cursor:
        note(cursor, "skill:oee-1", "vector")
    assert (Nodes(home).catch_up(library), IndexFile(home).catch_up(library)) == (0, False)
    assert faults(home, library) == []


def test_whoever_begins_at_nothing_hears_of_everything(library: Library) -> None:
    for number in range(3):
        library.record_use(used("oee-1", f"r{number}"))
    library.forget("scrap_rate")
    heard = {(owner, op) for _, owner, op in pending(library.database, "newcomer")}
    assert heard == {
        ("skill:takt_time-1", "put"),
        ("skill:oee-1", "put"),
        ("skill:oee-1", "count"),
        ("skill:scrap_rate-1", "delete"),
    }


def test_the_index_of_a_large_library_is_written_without_holding_all_of_it(home: Path) -> None:
    library = library_in(home)
    for number in range(100):
        library.admit(offered(f"tool_{number}", description="long " * 1_000, ast_hash=str(number)), key=str(number))
    index = IndexFile(home)
    tracemalloc.start()
    index.catch_up(library)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(index_of(home)) == 100
    assert most < index.path.stat().st_size / 2
    library.database.close()


def _admit(home: Path, worker: int, count: int, gate: threading.Barrier) -> None:
    library = library_in(home)
    gate.wait(60)
    for number in range(count):
        name = f"own_{worker}_{number}" if number % 2 else "shared"
        library.admit(offered(name, ast_hash=f"{worker}/{number}"), key=f"{worker}/{number}")
        catch_up(home, library)
    library.database.close()


def _read(home: Path, gate: threading.Barrier, done: threading.Event) -> None:
    library = library_in(home)
    gate.wait(60)
    while not done.is_set():
        counts, skills = library.counts(), library.skills(every_version=True)
        assert counts["skills"] == counts["words"]
        assert len(skills) >= counts["skills"]
        assert tools_index(library)["count"] >= len(skills)
    library.database.close()


@pytest.mark.parametrize("count", [20, pytest.param(400, marks=pytest.mark.soak)])
def test_processes_admit_at_once_while_another_reads(home: Path, count: int) -> None:
    context = multiprocessing.get_context("spawn")
    gate, done = context.Barrier(3), context.Event()
    writers = [context.Process(target=_admit, args=(home, worker, count, gate)) for worker in range(2)]
    reader = context.Process(target=_read, args=(home, gate, done))
    for process in (*writers, reader):
        process.start()
    for process in writers:
        process.join(280)
    done.set()
    reader.join(60)
    assert [process.exitcode for process in (*writers, reader)] == [0, 0, 0]
    library = library_in(home)
    shared = [skill.version for skill in library.skills(every_version=True) if skill.name == "shared"]
    assert shared == list(range(1, count + 1))
    assert library.counts()["skills"] == 2 * count
    assert faults(home, library) == []
    assert len(list((home / "nodes").iterdir())) == len(index_of(home)) == 2 * count
    library.database.close()
