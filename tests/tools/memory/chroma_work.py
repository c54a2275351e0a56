"""What other processes do to a memory in the tests of Chroma."""

from __future__ import annotations

import sys
from pathlib import Path

import test_chroma as tests
from killing import _Fuse

from tools.memory import chroma, spaces
from tools.memory import memory as module
from tools.memory.memory import open_memory

HOME = Path(sys.argv[1])
module.BEFORE_CHROMA_SECONDS = 0.0

__all__ = ["HOME", "feed", "off", "second", "share", "sys", "work"]


def second(home: Path) -> None:
    memory = open_memory(home)
    spaces.MANY = -1
    index = memory.space().chroma
    index.open()
    print(index.status)
    print(index.why)
    print(memory.search(tests.skill(4).description)[0].skill.name)


def feed(home: Path, line: int) -> None:
    """Feed the index in batches of ten, and be killed before that line of ours."""
    memory = open_memory(home)
    chroma.BATCH = 10
    sys.settrace(_Fuse(line, ("tools/memory/chroma.py", "tools/memory/collection.py")))
    memory.space().chroma.feed()


def work(home: Path, start: int) -> None:
    memory = open_memory(home)
    print("working", flush=True)
    for number in range(start, start + 1000):
        memory.admit(tests.skill(number), key=str(number))


def share(home: Path, which: int) -> None:
    memory = open_memory(home)
    for number in range(which * 10, which * 10 + 10):
        memory.admit(tests.skill(number), key=str(number))
    memory.catch_up()
    spaces.MANY = -1
    memory.space().chroma.open()
    right = all(
        memory.search(tests.skill(number).description)[0].skill.name == f"skill_{number}"
        for number in range(which * 10, which * 10 + 10)
    )
    print(memory.space().chroma.status, "found" if right else "lost")


def off(home: Path) -> None:
    memory = open_memory(home)
    memory.admit(tests.skill(1), key="1")
    memory.catch_up()
    assert memory.search("skill_1")
    assert memory.health().sound
    memory.close()
    print([name for name in ("chromadb", "langchain_chroma") if name in sys.modules])
