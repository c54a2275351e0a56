"""The database file: shared by threads and processes, and every fault of file and disk told in one sentence."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from shelf import library_in, offered

from tools.errors import StorageFailed
from tools.memory.database import Database
from tools.memory.library import Library
from tools.memory.salvage import salvage
from tools.memory.schema import MIGRATIONS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

SKILLS = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of sixty skills with vectors, closed."""
    path = tmp_path / "memory.sqlite"
    library = Library(Database(path))
    for number in range(SKILLS):
        name = f"tool_{number}"
        library.admit(offered(name, code=f"X = {'x' * 3000!r}\n"), key=name, vector=("f", bytes([number]) * 512))
    library.database.close()
    return path


def one_sentence(error: BaseException) -> str:
    told = str(error)
    assert "\n" not in told
    return told


def test_a_new_database_is_its_owners_alone(home: Path) -> None:
    database = Database(home / "memory" / "memory.sqlite")
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO cursors VALUES ('x', 1)")
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in (home / "memory").iterdir()}
    assert modes == dict.fromkeys(("memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm"), 0o600)
    assert (home / "memory").stat().st_mode & 0o777 == 0o700
    database.close()
    assert [entry.name for entry in (home / "memory").iterdir()] == ["memory.sqlite"]


def test_what_is_promised_of_durability_is_set(path: Path) -> None:
    database = Database(path)
    with database.transaction() as cursor:
        pragmas = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")
        }
        wait, mode = (cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("busy_timeout", "journal_mode"))
    assert pragmas == {"synchronous": 2, "secure_delete": 1}
    assert (wait, mode) == (30_000, "wal")
    database.close()


def test_a_transaction_that_fails_changes_nothing(path: Path) -> None:
    database = Database(path)

    def fail() -> None:
        with database.transaction() as cursor:
            cursor.execute("DELETE FROM skills")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert database.read("SELECT count(*) FROM skills")[0][0] == SKILLS
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM skills")
    assert database.read("SELECT count(*) FROM skills")[0][0] == 0
    database.close()


def test_a_reader_can_not_write(path: Path) -> None:
    database = Database(path)
    with pytest.raises(StorageFailed, match="readonly"), database.reading() as connection:
        connection.execute("DELETE FROM skills")
    database.close()


def test_a_reader_sees_one_moment_while_others_write(path: Path) -> None:
    library = Library(Database(path))
    with library.database.reading() as connection:
        connection.execute("BEGIN")
        before = connection.execute("SELECT count(*) FROM skills").fetchone()[0]
        library.admit(offered("newer"), key="newer")
        assert connection.execute("SELECT count(*) FROM skills").fetchone()[0] == before
    assert library.counts()["skills"] == before + 1
    library.database.close()


def test_threads_share_one_database(path: Path) -> None:
    library = Library(Database(path))

    def work(number: int) -> str:
        library.counts()
        return library.admit(offered("shared", ast_hash=str(number)), key=str(number)).id

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(work, range(40)))
    assert sorted(ids) == sorted(f"shared-{version}" for version in range(1, 41))
    library.database.close()


def test_a_child_of_a_fork_uses_connections_of_its_own(path: Path) -> None:
    library = Library(Database(path))
    assert library.counts()["skills"] == SKILLS
    child = os.fork()
    if child == 0:
        done = 1
        try:
            library.admit(offered("of_the_child"), key="child")
            done = 0
        finally:
            os._exit(done)
    assert os.waitpid(child, 0)[1] == 0
    assert library.skill("of_the_child").version == 1
    assert library.admit(offered("of_the_parent"), key="parent").version == 1
    assert library.database.check() == []
    library.database.close()


def _open(path: Path, gate: threading.Barrier) -> None:
    gate.wait(60)
    Database(path).close()


def test_many_processes_make_one_new_database_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    gate, path = context.Barrier(4), tmp_path / "memory.sqlite"
    processes = [context.Process(target=_open, args=(path, gate)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    database = Database(path)
    assert database.check() == []
    database.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    known = len(MIGRATIONS)
    wanted = rf"newer Millwright \(schema {known + 1}, this one knows {known}\).*MILLWRIGHT_HOME"
    with pytest.raises(StorageFailed, match=wanted) as told:
        Database(path)
    assert one_sentence(told.value)
    assert path.read_bytes() == before


def test_a_database_of_an_older_schema_is_brought_up_to_date_with_all_it_holds(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.sqlite"
    with monkeypatch.context() as before:
        before.setattr("tools.memory.database.MIGRATIONS", MIGRATIONS[:1])
        database = Database(old)
        with database.transaction() as cursor:
            cursor.execute("INSERT INTO admissions VALUES ('key', 'takt_time-1', 'now')")
        database.close()
    database = Database(old)
    assert len(database.read("SELECT * FROM admissions")) == 1
    assert _schema(database) == _schema(Database(path))
    database.close()


def _schema(database: Database) -> list[tuple[str, ...]]:
    return [tuple(row) for row in database.read("SELECT type, name, sql FROM sqlite_schema ORDER BY name")]


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE skills (juggling TEXT)")
    with pytest.raises(StorageFailed, match="another program: move it aside"):
        Database(path)


def text(path: Path) -> None:
    path.write_text("this is a shopping list\n" * 500)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def noise(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))


def some_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 8192, len(content) // 4096, 5):
        content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    path.write_bytes(content)


def read_all(path: Path) -> None:
    database = Database(path)
    try:
        Library(database).skills(every_version=True)
        for table in ("vectors", "admissions", "tags"):
            database.read(f"SELECT * FROM {table}")
        if found := database.check():
            raise StorageFailed(found[0])
    finally:
        database.close()


@pytest.mark.parametrize("damage", [text, half, noise])
def test_a_damaged_database_is_named_with_its_cause_and_left_as_it_is(
    path: Path, damage: Callable[[Path], None]
) -> None:
    damage(path)
    before = path.read_bytes()
    with pytest.raises(StorageFailed) as told:
        read_all(path)
    assert str(path) in one_sentence(told.value)
    assert "millwright memory doctor" in str(told.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", [half, some_pages])
def test_what_can_be_read_of_a_damaged_database_is_whole_in_the_copy(
    path: Path, damage: Callable[[Path], None]
) -> None:
    before = Library(Database(path))
    skills = {skill.id: skill for skill in before.skills(every_version=True)}
    before.database.close()
    damage(path)
    damaged = path.read_bytes()
    found = salvage(path)
    assert path.read_bytes() == damaged
    assert found.torn
    copy = Library(Database(found.path))
    saved = copy.skills(every_version=True)
    assert 2 < len(saved) == found.rows["skills"] < SKILLS
    assert all(skills[skill.id] == skill for skill in saved)
    assert copy.database.check() == []
    assert copy.counts()["words"] == len(saved)
    assert copy.admit(offered("tool_1"), key="tool_1").name == "tool_1"
    copy.database.close()
    with pytest.raises(StorageFailed, match="there already"):
        salvage(path)


def test_a_sound_database_is_salvaged_whole(path: Path) -> None:
    found = salvage(path)
    assert (found.torn, found.rows["skills"], found.rows["vectors"]) == ((), SKILLS, SKILLS)


def test_a_skill_whose_code_was_changed_by_hand_is_not_salvaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE skills SET body = replace(body, 'xxx', 'yyy') WHERE id = 'tool_7-1'")
    found = salvage(path)
    copy = Library(Database(found.path))
    assert copy.counts()["skills"] == SKILLS - 1
    assert copy.admit(offered("tool_7"), key="tool_7").id == "tool_7-1"
    copy.database.close()


def test_where_nothing_can_be_read_there_is_no_copy(path: Path) -> None:
    noise(path)
    with pytest.raises(StorageFailed, match=r"cannot be used|nothing can be read"):
        salvage(path)
    assert not list(path.parent.glob("*.salvaged.sqlite"))


def test_a_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=str(tmp_path)):
        Database(tmp_path)


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageFailed, match="MILLWRIGHT_HOME"):
        Database(tmp_path / "taken" / "memory.sqlite")


def test_a_lock_that_is_never_given_back_is_named(path: Path) -> None:
    library = Library(Database(path))
    with library.database.transaction() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match=r"locked.*end that process"):
            library.admit(offered("late"), key="late")
        stranger.execute("COMMIT")
    assert library.admit(offered("late"), key="late").version == 1
    library.database.close()


def on_a_small_disk(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a mount namespace of its own with 2 MB of disk at `tmp_path`."""
    mount = f"mount -t tmpfs -o size=2000k none {shlex.quote(str(tmp_path))}"
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "sh", "-c", mount]).returncode:
        pytest.skip("mounting needs rights that this user has not")
    command = f"{mount} && exec {shlex.quote(sys.executable)} -c {shlex.quote(PREAMBLE + script)} {tmp_path}"
    paths = os.pathsep.join(str(Path(__file__).parents[depth]) for depth in (3, 2))
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )


PREAMBLE = """
import os, subprocess, sys
from pathlib import Path
from shelf import library_in, offered
from tools.errors import StorageFailed
from tools.memory.projections import IndexFile, Nodes
home = Path(sys.argv[1]) / "home"
nodes, index = Nodes(home), IndexFile(home)
def level(library):
    nodes.catch_up(library), index.catch_up(library)
    assert nodes.faults(library) == index.faults(library) == []
    assert len(os.listdir(nodes.folder)) == library.counts()["skills"]
def admit(library, name):
    skill = library.admit(offered(name, code="X = %r\\n" % ("x" * 5000)), key=name)
    nodes.catch_up(library), index.catch_up(library)
    return skill.id
"""


def test_a_full_disk_is_told_loses_nothing_and_is_survived_once_there_is_space(tmp_path: Path) -> None:
    script = """
ballast = home.parent / "ballast"
ballast.write_bytes(bytes(900_000))
library, saved = library_in(home), []
try:
    while True:
        admit(library, f"tool_{len(saved)}")
        saved.append(f"tool_{len(saved)}-1")
except StorageFailed as error:
    print(error)
ballast.unlink()
saved.append(admit(library, f"tool_{len(saved)}"))
level(library)
found = {skill.id for skill in library.skills()}
assert found == set(saved) and len(saved) > 5, (found, saved)
assert library.database.check() == []
"""
    done = on_a_small_disk(tmp_path, script)
    assert done.returncode == 0, done.stderr
    assert "full" in done.stdout
    assert "free some space" in done.stdout


def test_a_disk_that_became_read_only_is_told_and_gone_on_with_later(tmp_path: Path) -> None:
    script = """
def told(action):
    try:
        action()
    except StorageFailed as error:
        print(error)
library = library_in(home)
admit(library, "first")
library.database.close()
subprocess.run(["mount", "-o", "remount,ro", str(home.parent)], check=True)
told(lambda: library_in(home))
told(lambda: library_in(home / "elsewhere"))
subprocess.run(["mount", "-o", "remount,rw", str(home.parent)], check=True)
library = library_in(home)
admit(library, "second")
level(library)
assert [skill.id for skill in library.skills()] == ["first-1", "second-1"]
"""
    done = on_a_small_disk(tmp_path, script)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2, lines
    assert all(str(tmp_path) in line and "MILLWRIGHT_HOME" in line for line in lines)


def test_a_write_that_the_system_cuts_short_is_told_and_nothing_is_lost(home: Path) -> None:
    library = library_in(home)
    first = library.admit(offered("first"), key="first")
    library.database.close()
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = (home / "memory" / "memory.sqlite").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, size + 8192))
library = library_in(home)
try:
    library.admit(offered("second", code="x = 1\\n" * 50_000), key="second")
except StorageFailed as error:
    print(error)
print(library.counts()["skills"])
"""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE.replace('/ "home"', "") + script, str(home)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[depth]) for depth in (3, 2))},
    )
    assert done.returncode == 0, done.stderr
    told, count = done.stdout.splitlines()
    assert "cannot be used" in told
    assert count == "1"
    library = library_in(home)
    assert library.skill("first") == first
    assert library.database.check() == []
    library.database.close()
