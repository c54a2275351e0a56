"""The vector index, with the real Chroma: derived, fed by one process, mended from the database."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from shelf import offered

from tools.memory import spaces
from tools.memory.memory import Memory, open_memory
from tools.memory.records import SkillState

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMA = str(Path(sys.executable).with_name("chroma"))
WORDS = "takt time yield sigma buffer spindle gear bolt chart lot batch kanban forecast margin torque".split()  # noqa: SIM905
DEADLINE = 120.0


@pytest.fixture(autouse=True)
def chroma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_CHROMA", "auto")
    monkeypatch.setattr("tools.memory.memory.BEFORE_CHROMA_SECONDS", 0.0)


def skill(number: int) -> object:
    """One of many skills of which no two are alike."""
    said = " ".join(random.Random(number).sample(WORDS, 6))
    return offered(f"skill_{number}", description=f"{said} {number}", ast_hash=str(number), tags=())


def fill(memory: Memory, count: int, start: int = 0) -> None:
    """Admit as `Memory.admit` does, but leave what follows to the end: it is slow one by one."""
    for number in range(start, start + count):
        new = skill(number)
        memory.library.admit(new, key=str(number), vector=memory._serving.vector(new.words))


def level(memory: Memory) -> None:
    """Everything has caught up, and the four places hold the same number of skills, in order."""
    memory.catch_up()
    health = memory.health()
    assert health.sound, health.findings
    assert len(set(health.counts.values())) == 1, health.counts


def through_chroma(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index answer however few there are."""
    monkeypatch.setattr(spaces, "MANY", -1)
    assert memory.space().chroma.open(), memory.space().chroma.why


def processes(home: Path, code: str, *arguments: object, **settings: str) -> subprocess.Popen:
    """A process of its own that works on the memory in `home`."""
    environment = {**os.environ, "PYTHONPATH": ".:tests:tests/tools/memory", **settings}
    text = f"from chroma_work import *\n{code}"
    command = [sys.executable, "-c", text, str(home), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_the_index_follows_and_holds_nothing_but_ids(home: Path) -> None:
    memory = open_memory(home)
    memory.admit(skill(1), key="1")
    memory.wait()
    assert memory.failure == ""
    index = memory.space().chroma
    assert index.owners() == {"skill:skill_1-1"}
    kept = index._collection._chroma.get(include=["documents", "metadatas"])
    assert kept["documents"] == ["skill:skill_1-1"]
    assert kept["metadatas"] == [{"id": "skill_1-1", "kind": "skill", "state": "active"}]
    memory.library.change_state("skill_1-1", SkillState.RETIRED, "unused", key="r")
    memory.catch_up()
    assert index._collection._chroma.get()["metadatas"][0]["state"] == "retired"
    memory.forget("skill_1-1")
    assert index.owners() == set()


def test_the_index_finds_what_comparing_all_vectors_finds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory(home)
    fill(memory, 120)
    memory.catch_up()
    texts = [" ".join(random.Random(n).sample(WORDS, 3)) for n in range(1000, 1010)]
    exact = [memory.search(text) for text in texts]
    through_chroma(memory, monkeypatch)
    asked = []
    nearest = memory.space().chroma.nearest
    monkeypatch.setattr(memory.space().chroma, "nearest", lambda *a: asked.append(a) or nearest(*a))
    fill(memory, 3, start=120)  # these are not in the index yet
    for text, wanted in zip(texts, exact, strict=True):
        found = memory.search(text, limit=200)
        assert {hit.skill.id for hit in wanted} <= {hit.skill.id for hit in found}
        assert [h.score for h in found] == pytest.approx([likeness(memory, h, text) for h in found], abs=1e-5)
    assert len(asked) >= len(texts)
    assert memory.search(skill(121).description)[0].skill.name == "skill_121"


def likeness(memory: Memory, hit: object, text: str) -> float:
    from tools.memory.ranking import BESIDE_WORDS
    from tools.memory.ranking import likeness as fused

    query, row = memory.embedder.embed([text, hit.skill.words])
    return fused(float(query @ row), hit.words, 0.0, BESIDE_WORDS)


@pytest.mark.parametrize("harm", ["removed", "garbage", "emptied", "one too many", "one too few"])
def test_a_damaged_index_is_made_anew(home: Path, harm: str) -> None:
    memory = open_memory(home)
    fill(memory, 10)
    level(memory)
    folder = memory.folder / "chroma"
    index = memory.space().chroma
    if harm == "one too many":
        index._collection.put({"skill:nobody-1": np.ones(1024, np.float32).tobytes()}, {"skill:nobody-1": "active"})
    elif harm == "one too few":
        index._collection.delete(["skill:skill_3-1"])
    memory.close()
    if harm == "removed":
        shutil.rmtree(folder)
    elif harm == "garbage":
        (folder / "chroma.sqlite3").write_bytes(b"garbage" * 5000)
    elif harm == "emptied":
        (folder / "chroma.sqlite3").unlink()
    level(open_memory(home))


def test_an_index_that_vanishes_meanwhile_costs_no_search(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory(home)
    fill(memory, 10)
    level(memory)
    through_chroma(memory, monkeypatch)
    shutil.rmtree(memory.folder / "chroma")
    for _ in range(3):
        assert memory.search("skill_4")[0].skill.name == "skill_4"
        assert memory.search(skill(5).description)[0].skill.name == "skill_5"


def test_a_second_process_compares_all_vectors_and_says_so(home: Path) -> None:
    memory = open_memory(home)
    fill(memory, 5)
    level(memory)
    other = processes(home, "second(HOME)")
    said, _ = other.communicate(timeout=DEADLINE)
    assert other.returncode == 0
    status, why, found = said.splitlines()
    assert status == "theirs"
    assert why == f"process {os.getpid()} has the vector index open"
    assert found == "skill_4"


def killed_while_feeding(home: Path, line: int) -> bool:
    """Let a process feed the index and be killed before the given line of ours that it runs; whether it was."""
    feeding = processes(home, "feed(HOME, int(sys.argv[2]))", line)
    feeding.communicate(timeout=DEADLINE)
    assert feeding.returncode in (0, -signal.SIGKILL)
    return feeding.returncode != 0


@pytest.mark.parametrize("line", [60, 200])
def test_after_a_kill_while_feeding_all_places_agree(home: Path, line: int) -> None:
    memory = open_memory(home)
    fill(memory, 40)
    memory.close()
    assert killed_while_feeding(home, line)
    again = open_memory(home)
    level(again)
    assert again.health().counts["database"] == 40
    assert again.search("skill_39")[0].skill.name == "skill_39"


@pytest.mark.soak
def test_after_a_kill_before_every_twelfth_line_of_the_feeding_all_places_agree(home: Path) -> None:
    killed, turn = True, 0
    while killed:
        memory = open_memory(home)
        if turn:
            memory.library.forget(f"skill_{2 * turn - 1}")
        fill(memory, 2, start=2 * turn)
        memory.close()
        killed = killed_while_feeding(home, 1 + 12 * turn)
        level(open_memory(home))
        open_memory(home).close()
        turn += 1
    assert turn > 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_after_a_kill_at_any_time_of_admitting_and_feeding_all_places_agree(home: Path, seed: int) -> None:
    for turn in range(3):
        working = processes(home, "work(HOME, int(sys.argv[2]))", turn * 1000)
        assert working.stdout.readline().strip() == "working"
        time.sleep(random.Random(seed * 10 + turn).uniform(0, 6))
        working.send_signal(signal.SIGKILL)
        working.communicate()
    memory = open_memory(home)
    level(memory)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real `chroma run` on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [CHROMA, "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and running.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait()


def test_processes_share_a_server_and_all_of_them_ask_it(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_CHROMA", server)
    open_memory(home).close()
    clients = [processes(home, "share(HOME, int(sys.argv[2]))", number) for number in range(3)]
    said = [client.communicate(timeout=DEADLINE)[0].split() for client in clients]
    assert [client.returncode for client in clients] == [0, 0, 0]
    assert all(words == ["server", "found"] for words in said)
    memory = open_memory(home)
    memory.catch_up()
    assert memory.space().chroma.status == "server"
    level(memory)
    assert memory.health().counts["chroma"] == 30
    through_chroma(memory, monkeypatch)
    for number in range(30):
        assert memory.search(skill(number).description)[0].skill.name == f"skill_{number}"


def test_a_server_that_is_away_costs_nothing_but_speed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_CHROMA", "http://127.0.0.1:9")
    memory = open_memory(home)
    fill(memory, 5)
    memory.catch_up()
    assert memory.space().chroma.status == "failed"
    assert memory.search("skill_2")[0].skill.name == "skill_2"
    health = memory.health()
    assert health.sound
    assert next(f for f in health.findings if f.subject == "chroma").state == "weak"


def test_a_server_that_says_nothing_is_not_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.memory.collection.SERVER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MILLWRIGHT_CHROMA", f"http://127.0.0.1:{silent.getsockname()[1]}")
        memory = open_memory(home)
        fill(memory, 1)
        memory.catch_up()
        assert memory.space().chroma.status == "failed"
        assert "Timeout" in memory.space().chroma.why


def test_switched_off_it_is_never_loaded(home: Path) -> None:
    code = "off(HOME)"
    other = processes(home, code, MILLWRIGHT_CHROMA="off")
    said, _ = other.communicate(timeout=DEADLINE)
    assert said.strip() == "[]"
    assert other.returncode == 0
    assert not (home / "memory" / "chroma").exists()


def test_the_child_of_a_fork_opens_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory(home)
    fill(memory, 3)
    level(memory)
    through_chroma(memory, monkeypatch)
    child = os.fork()
    if child == 0:
        right = not memory.space().chroma.usable and memory.search("skill_2")[0].skill.name == "skill_2"
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert memory.space().chroma.usable
