"""Kill a process before each system call with which a change of the memory reaches the disk, Chroma's among them.

    PYTHONPATH=tests:. python tests/faults/admissions.py {first,another,version,retire,forget} [--from N] [--every N]

Each trial begins with the same directory. The killed process is followed by one that opens the memory as a user does and
compares database, Chroma, `index.json` and `nodes/` skill by skill; that one is killed as well in every other trial, and
another follows. Then the same work is done again with the same key, and the four are compared with what it comes to.
Every second kill at a write comes after half of its bytes. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any

import chromadb  # noqa: F401 - here once for all children
import langchain_chroma  # noqa: F401
import numpy as np
from faults.syscalls import struck_at
from shelf import offered

from tools.errors import SkillUnknown
from tools.memory import memory as module
from tools.memory import spaces
from tools.memory.memory import Memory, open_memory
from tools.memory.records import SkillState

Places = dict[str, dict[str, str]]
OUTLIVED = 3  # points in a row that were not reached: threads change their number a little


def first(memory: Memory) -> None:
    """The first skill of all: database, index and directories are made."""
    memory.admit(offered("takt_time"), key="takt")


def another(memory: Memory) -> None:
    """A skill beside others."""
    memory.admit(offered("takt_time"), key="takt")


def version(memory: Memory) -> None:
    """A second version of a skill that is there."""
    memory.admit(offered("tool_1", ast_hash="other", code="X = 2\n"), key="second")


def retire(memory: Memory) -> None:
    """A skill is no longer offered."""
    memory.library.change_state("tool_1-1", SkillState.RETIRED, "unused", key="retired")
    memory.catch_up()


def forget(memory: Memory) -> None:
    """A skill is deleted everywhere."""
    try:
        memory.forget("tool_1-1")
    except SkillUnknown:
        memory.catch_up()  # it is gone already


WORKS = {work.__name__: work for work in (first, another, version, retire, forget)}


def done(home: Path, work: str) -> None:
    """Do the work, and wait for what follows it."""
    memory = open_memory(home)
    WORKS[work](memory)
    memory.wait()
    assert memory.failure == ""
    memory.close()


def prepared(home: Path, work: str) -> None:
    """What the work begins with."""
    memory = open_memory(home)
    for number in range(0 if work == "first" else 3):
        memory.admit(offered(f"tool_{number}"), key=str(number))
    memory.catch_up()
    memory.close()


def found(home: Path) -> Places:
    """Open the memory as the next process does; what each of the four places holds, by id."""
    memory = open_memory(home)
    health = memory.health()
    assert health.sound, health.findings
    space, states = memory.space(), ("id", "state")
    index = space.chroma
    assert index.status == "ours", index.why
    kept = index._collection._chroma.get(include=["metadatas", "embeddings"])
    rows = memory.library.database.read("SELECT id, state, sha256 FROM skills")
    entries = json.loads(memory.index.path.read_bytes())["tools"]
    places = {
        "database": {row["id"]: row["state"] for row in rows},
        "chroma": {said["id"]: said["state"] for said in kept["metadatas"]},
        "index.json": dict(tuple(entry[name] for name in states) for entry in entries),
        "nodes": {path.name: _written(path) for path in memory.nodes.folder.glob("*")},
    }
    assert {entry["id"]: entry["sha256"] for entry in entries} == {row["id"]: row["sha256"] for row in rows}
    assert places["nodes"] == {row["id"]: row["sha256"] for row in rows}
    _same_vectors(memory, dict(zip(kept["ids"], kept["embeddings"], strict=True)))
    _found_by_all(memory)
    assert not [path for path in (home / "tools").iterdir() if path.name != "index.json"]
    memory.close()
    return places


def _written(folder: Path) -> str:
    """The digest that the files of a skill have."""
    code, tests = ((folder / name).read_text() for name in ("main.py", "test.py"))
    interface = json.loads((folder / "interface.json").read_bytes())
    said = json.dumps({"code": code, "tests": tests, "interface": interface}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _same_vectors(memory: Memory, there: dict[str, Any]) -> None:
    """Chroma's vectors are those of the database, as far as it keeps digits."""
    rows = memory.library.database.read("SELECT owner, vector FROM vectors")
    for owner, blob in rows:
        if owner.startswith("skill:"):
            assert np.allclose(there[owner], np.frombuffer(blob, dtype="<f4"), atol=1e-6), owner


def _found_by_all(memory: Memory) -> None:
    """The newest version of every name is found by its text, through Chroma."""
    spaces.MANY = -1
    for skill in memory.library.skills():
        hits = memory.search(f"{skill.name} {skill.description}")
        assert skill.id in {hit.skill.id for hit in hits}, (skill.id, hits)


def agree(places: Places) -> None:
    """The four hold the same skills, in the same states where they keep them."""
    assert places["database"] == places["chroma"] == places["index.json"]
    assert places["nodes"].keys() == places["database"].keys()


def in_child(home: Path, work: Any, number: int | None = None, *, torn: bool = False) -> Any:
    """What a process of its own finds or does, killed at that point if there is one."""
    told = home.with_suffix(".told")
    struck = struck_at(number, lambda: told.write_text(json.dumps(work(home))), home, torn=torn)
    assert struck.killed or struck.code == 0, f"the process itself failed at {struck.points[-3:]}"
    return struck, None if struck.killed else json.loads(told.read_text())


class Trials:
    """All trials of one work."""

    def __init__(self, root: Path, work: str) -> None:
        self.root, self.work = root, work
        self.base = root / "base"
        in_child(self.base, partial(prepared, work=work))
        _, self.before = in_child(shutil.copytree(self.base, root / "untouched"), found)
        whole = shutil.copytree(self.base, root / "whole")
        struck, _ = in_child(whole, partial(done, work=work))
        self.steps: list[str] = struck.points
        _, self.after = in_child(whole, found)
        agree(self.before)
        agree(self.after)
        assert self.before != self.after

    def trial(self, number: int) -> str:
        """Kill at a point; its name, or nothing if there is none of that number."""
        home = shutil.copytree(self.base, self.root / str(number))
        struck, _ = in_child(home, partial(done, work=self.work), number, torn=number % 2 == 1)
        if not struck.killed:
            return ""
        if number % 2:
            in_child(home, found, number * 7 % 31)
        _, places = in_child(home, found)
        agree(places)
        assert places in (self.before, self.after), places
        in_child(home, partial(done, work=self.work))
        _, places = in_child(home, found)
        assert places == self.after
        shutil.rmtree(home)
        return struck.points[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("--from", dest="start", type=int, default=0, help="the first point")
    parser.add_argument("--every", type=int, default=1, help="every Nth point")
    options = parser.parse_args()
    os.environ |= {"MILLWRIGHT_CHROMA": "auto", "MILLWRIGHT_EMBEDDINGS": "lexical"}
    module.BEFORE_CHROMA_SECONDS = 0.0
    assert threading.active_count() == 1, "a process with threads must not fork"
    struck: list[str] = []
    with tempfile.TemporaryDirectory(prefix="millwright-admissions-") as root:
        trials, number, outlived = Trials(Path(root), options.work), options.start, 0
        while outlived < OUTLIVED:
            point = trials.trial(number)
            struck += [point] if point else []
            outlived = 0 if point else outlived + 1
            number += options.every
    json.dump({"kills": len(struck), "points": struck, "steps": trials.steps}, sys.stdout)


if __name__ == "__main__":
    main()
