"""What the memory costs as it grows: adding and finding, beside plain SQLite and a plain product of matrices.

`python benchmarks/memory.py [SIZE ...]` (100 1000 10000 50000 by default) makes a library of each size in a temporary
directory and prints milliseconds of processor time, medians of 30, of one run on one machine: read them as ratios.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded: threads that wait would count as work
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tools.memory import library as admitting
from tools.memory import spaces
from tools.memory.memory import Memory
from tools.memory.records import NewSkill
from tools.memory.searching import by_words

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 30
WORDS = """
takt yield sigma buffer spindle gear bolt chart lot batch kanban forecast margin torque thermal pulley spring beam
scrap cost payback loan vowel slug camel roman binary prime factor list matrix date week leap interest colour hash
"""
ROOTS = WORDS.split()


def skill(number: int) -> NewSkill:
    dice = random.Random(number)
    said = " ".join(dice.choice(ROOTS) + dice.choice(("", "s", "ing", "ed")) for _ in range(14))
    return NewSkill(
        name=f"skill_{number}",
        description=said,
        entry=f"skill_{number}",
        parameters={"type": "object", "properties": {"value": {"type": "number"}}},
        tags=(dice.choice(ROOTS),),
        code=f"def skill_{number}(value: float) -> float:\n" + "    value += 1\n" * 20,
        tests="assert True\n" * 20,
        run="benchmark",
        proved=True,
        ast_hash=str(number),
    )


def fill(memory: Memory, size: int) -> None:
    """What `Library.admit` writes for each, in a few transactions instead of one each."""
    fingerprint = memory.embedder.fingerprint
    for start in range(0, size, 5000):
        new = [skill(number) for number in range(start, min(size, start + 5000))]
        rows = memory.embedder.embed([one.words for one in new])
        with memory.library.database.transaction() as cursor:
            for one, row in zip(new, rows, strict=True):
                admitting._insert(cursor, one, (fingerprint, row.tobytes()))


def milliseconds(work: Callable[[int], object], times: int = TIMES) -> float:
    taken = []
    for number in range(times):
        began = time.process_time()
        work(number)
        taken.append(time.process_time() - began)
    return 1000 * median(taken)


def plain_insert(folder: Path) -> Callable[[int], object]:
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE skills (id INTEGER PRIMARY KEY, body TEXT)")
    return lambda n: connection.execute("INSERT INTO skills (body) VALUES (?)", (skill(n).model_dump_json(),))


def measure(size: int, folder: Path) -> dict[str, float]:
    memory = Memory(folder)
    fill(memory, size)
    texts = [" ".join(random.Random(10**9 + n).sample(ROOTS, 4)) for n in range(TIMES)]
    space, database = memory.space(), memory.library.database
    queries = memory.embedder.embed(texts)
    began = time.process_time()
    space.scan.catch_up()
    figures = {"read all vectors once": 1000 * (time.process_time() - began)}
    figures["search, all of it"] = milliseconds(lambda n: memory.search(texts[n]))
    figures["  of it: embed the query (lexical)"] = milliseconds(lambda n: memory.embedder.embed([texts[n]]))
    figures["  of it: words (FTS5)"] = milliseconds(lambda n: by_words(database, texts[n], 50))
    figures["  of it: compare all vectors"] = milliseconds(lambda n: space.scan.nearest(queries[n], 50))
    figures["search by name"] = milliseconds(lambda n: memory.search(f"skill_{n}"))
    matrix = space.scan._rows[: len(space.scan)].copy()
    figures["numpy product alone"] = milliseconds(lambda n: matrix @ queries[n])
    fresh = size + 10**6
    library, vector = memory.library, (memory.embedder.fingerprint, queries[0].tobytes())
    figures["plain SQLite insert"] = milliseconds(plain_insert(folder))
    figures["admit, the transaction"] = milliseconds(
        lambda n: library.admit(skill(fresh + n), key=f"a{n}", vector=vector)
    )
    memory.nodes.catch_up = lambda _: 0  # type: ignore[method-assign] - measured alone, below
    figures["admit, until it returns (without nodes/)"] = milliseconds(
        lambda n: memory.admit(skill(fresh + 100 + n), key=f"b{n}")
    )
    began = time.process_time()
    space.chroma.feed()
    figures["Chroma: first feeding, each"] = 1000 * (time.process_time() - began) / (size + 60)
    figures["Chroma: the 50 nearest"] = milliseconds(lambda n: space.chroma.nearest(queries[n], 50))
    spaces.MANY = -1
    figures["search through Chroma, all of it"] = milliseconds(lambda n: memory.search(texts[n]))
    spaces.MANY = 10_000
    memory.close()
    return figures


def main() -> None:
    os.environ.update(MILLWRIGHT_EMBEDDINGS="lexical", MILLWRIGHT_CHROMA="auto")
    sizes = [int(size) for size in sys.argv[1:]] or [100, 1000, 10_000, 50_000]
    columns = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            columns[size] = measure(size, Path(folder))
        print(f"{size}: {columns[size]}", file=sys.stderr)
    print("| milliseconds | " + " | ".join(f"{size} skills" for size in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    for name in columns[sizes[0]]:
        print(f"| {name} | " + " | ".join(f"{columns[size][name]:.2f}" for size in sizes) + " |")


if __name__ == "__main__":
    main()
