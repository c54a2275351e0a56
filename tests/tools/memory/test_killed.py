"""A process that is killed at any step of an admission: all of it is there afterwards, or nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from killing import every, killed_at
from shelf import library_in, offered, used

from tools.errors import SkillUnknown
from tools.memory.projections import IndexFile, Nodes

if TYPE_CHECKING:
    from tools.memory.library import Library

FILES = tuple(
    f"tools/{name}.py"
    for name in (
        *("memory/library", "memory/rows", "memory/lookup", "memory/outbox", "memory/uses", "memory/database"),
        *("memory/nodes", "memory/index_file", "memory/locks", "memory/forgetting", "storage"),
    )
)


def catch_up(home: Path, library: Library) -> None:
    Nodes(home).catch_up(library)
    IndexFile(home).catch_up(library)


def level(home: Path) -> int:
    """Open the memory as the next process does; every count agrees and every file is whole. How many skills there are."""
    library = library_in(home)
    catch_up(home, library)
    counts = library.counts()
    nodes = [path.name for path in (home / "nodes").iterdir()] if (home / "nodes").exists() else []
    index = json.loads((home / "tools" / "index.json").read_text())
    assert counts["skills"] == counts["words"] == counts["vectors"] == len(nodes) == index["count"]
    assert {entry["id"] for entry in index["tools"]} == set(nodes)
    assert not [path for path in (home / "tools").iterdir() if path.name != "index.json"]
    assert [*Nodes(home).faults(library), *IndexFile(home).faults(library), *library.database.check()] == []
    library.database.close()
    return counts["skills"]


def admit(home: Path) -> None:
    library = library_in(home)
    library.admit(offered("takt_time"), key="takt", vector=("f", b"1234"))
    catch_up(home, library)


def version(home: Path) -> None:
    library = library_in(home)
    library.admit(offered("takt_time", ast_hash="other", code="X = 2\n"), key="second", vector=("f", b"5678"))
    catch_up(home, library)


def settle(home: Path) -> None:
    library = library_in(home)
    library.record_use(used("takt_time-1", "r"))
    library.settle("r", verified=True)
    catch_up(home, library)


def forget(home: Path) -> None:
    library = library_in(home)
    library.forget("takt_time-1")
    catch_up(home, library)


def ends_as(home: Path, work: str) -> None:
    """What an operation leaves when it ends, however often it was begun."""
    library = library_in(home)
    if work == "admit":
        assert library.admit(offered("takt_time"), key="takt").id == "takt_time-1"
    elif work == "version":
        assert library.skill("takt_time").id == "takt_time-2"
    elif work == "settle":
        assert (library.skill("takt_time").uses, library.skill("takt_time").successes) == (1, 1)
    else:
        with pytest.raises(SkillUnknown):
            library.skill("takt_time-1")
    library.database.close()


@pytest.mark.parametrize("work", [admit, version, settle, forget])
@pytest.mark.parametrize("step", [61, pytest.param(1, marks=pytest.mark.soak)])
def test_killed_before_any_line_everything_or_nothing_is_there_and_the_same_key_completes_it(
    tmp_path: Path, work, step: int
) -> None:
    def attempt(line: int) -> bool:
        home = tmp_path / str(line)
        if work is not admit:
            admit(home)
        return killed_at(line, lambda: work(home), *FILES)

    before = 0 if work is admit else 1
    after = {"admit": 1, "version": 2, "settle": 1, "forget": 0}[work.__name__]
    strikes = 0
    for line in every(step, attempt):
        home = tmp_path / str(line)
        assert level(home) in (before, after)
        work(home)
        assert level(home) == after
        ends_as(home, work.__name__)
        strikes += 1
    assert strikes > (100 if step == 1 else 2)


ENDLESS = """
import sys
from pathlib import Path
from shelf import library_in, offered
from tools.memory.projections import IndexFile, Nodes
home, start = Path(sys.argv[1]), int(sys.argv[2])
library = library_in(home)
for number in range(start, start + 10_000):
    skill = library.admit(offered(f"tool_{number}"), key=str(number), vector=("f", b"1234"))
    print(skill.id, flush=True)
    Nodes(home).catch_up(library)
    IndexFile(home).catch_up(library, at_once=False)
    if number % 5 == 4:
        print(f"forget tool_{number - 2}-1", flush=True)
        library.forget(f"tool_{number - 2}")
        print(f"forgot tool_{number - 2}-1", flush=True)
"""


@pytest.mark.parametrize("times", [4, pytest.param(200, marks=pytest.mark.soak)])
def test_killed_at_any_time_nothing_that_was_acknowledged_is_lost(home: Path, times: int) -> None:
    rng = random.Random(times)
    expected: set[str] = set()
    for round_ in range(times):
        said = _killed_while_admitting(home, round_ * 1_000, after=rng.randrange(1, 40), delay=rng.random() * 0.02)
        forgotten, begun = ({line[7:] for line in said if line.startswith(word)} for word in ("forgot ", "forget "))
        expected = (expected | {line for line in said if " " not in line}) - forgotten
        count = level(home)
        library = library_in(home)
        there = {skill.id for skill in library.skills()}
        library.database.close()
        assert count == len(there)
        assert expected - there <= begun, "acknowledged, and lost"
        assert not forgotten & there
        expected &= there
    assert expected


def _killed_while_admitting(home: Path, start: int, *, after: int, delay: float) -> list[str]:
    """The lines that a process printed before it was killed, some time after its `after`-th."""
    tests = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(home), str(start)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tests.parent), str(tests)))},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    signal.sigtimedwait([], delay)
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]
