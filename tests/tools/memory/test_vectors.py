"""The exact scan: always what a fresh comparison of the database's vectors would find."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import library_in, offered

from tools.memory.reembedding import drop, keep
from tools.memory.vectors import Scan, vectors_of

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.library import Library

WIDTH = 8


def vector(seed: int) -> np.ndarray:
    row = np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
    return row / np.linalg.norm(row)


def admit(library: Library, number: int) -> str:
    new = offered(f"skill_{number}", ast_hash=str(number), run=f"run-{number}")
    return library.admit(new, key=str(number), vector=("f", vector(number).tobytes())).id


def fresh(library: Library, query: np.ndarray, limit: int) -> list[tuple[str, float]]:
    rows = library.database.read("SELECT owner, vector FROM vectors WHERE fingerprint = 'f'")
    found = [(row[0], float(np.frombuffer(row[1], np.float32) @ query)) for row in rows]
    return sorted(found, key=lambda pair: -pair[1])[:limit]


def same(found: list[tuple[str, float]], wanted: list[tuple[str, float]]) -> bool:
    return [owner for owner, _ in found] == [owner for owner, _ in wanted] and np.allclose(
        [cosine for _, cosine in found], [cosine for _, cosine in wanted], atol=1e-6
    )


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(["admit", "forget", "renew"]), st.integers(0, 12)), max_size=25))
def test_after_any_changes_the_scan_finds_what_is_stored(tmp_path_factory, steps: list[tuple[str, int]]) -> None:
    library = library_in(tmp_path_factory.mktemp("scan"))
    scan = Scan(library.database, "f", WIDTH)
    for number, (what, which) in enumerate(steps):
        if what == "admit":
            admit(library, which)
        elif what == "forget":
            library.forget(f"skill:skill_{which}-1")
        else:
            drop_one(library, f"skill:skill_{which}-1")
            keep(library, "f", {f"skill:skill_{which}-1": vector(100 + number).tobytes()})
        scan.catch_up()
        assert same(scan.nearest(vector(999), 5), fresh(library, vector(999), 5))
    library.database.close()


def drop_one(library: Library, owner: str) -> None:
    with library.database.transaction() as cursor:
        cursor.execute("DELETE FROM vectors WHERE owner = ?", (owner,))


def test_room_is_made_for_as_many_as_there_are(home: Path) -> None:
    library = library_in(home)
    scan = Scan(library.database, "f", WIDTH)
    names = [admit(library, number) for number in range(300)]
    scan.catch_up()
    assert len(scan) == 300
    assert scan.nearest(vector(299), 1)[0][0] == f"skill:{names[299]}"
    assert len(scan.nearest(vector(1), 1000)) == 300
    library.database.close()


def test_other_fingerprints_and_kinds_are_not_compared(home: Path) -> None:
    library = library_in(home)
    admit(library, 1)
    with library.database.transaction() as cursor:
        cursor.execute("INSERT INTO vectors VALUES ('workflow:w', 'f', ?)", (vector(1).tobytes(),))
        cursor.execute("INSERT INTO vectors VALUES ('skill:skill_1-1', 'g', ?)", (b"1234",))
    scan = Scan(library.database, "f", WIDTH)
    scan.catch_up()
    assert [owner for owner, _ in scan.nearest(vector(1), 9)] == ["skill:skill_1-1"]
    drop(library, "f")
    assert vectors_of(library.database, "f", ["skill:skill_1-1"]) == {}
    library.database.close()


def test_searching_threads_meet_a_growing_matrix(home: Path) -> None:
    library = library_in(home)
    scan = Scan(library.database, "f", WIDTH)
    failed: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                scan.catch_up()
                assert all(abs(cosine) < 1.01 for _, cosine in scan.nearest(vector(5), 10))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(60):
        admit(library, number)
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []
    scan.catch_up()
    assert len(scan) == 60
    library.database.close()
