"""The ledger: every change of a line shows, and a kill between two lines is seen for what it was."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import ProofBroken
from tools.workspace.ledger import GENESIS, Actor, FileOperation, Ledger, check_chain, sha256

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

A, B = sha256(b"a"), sha256(b"b")


def operation(path: str = "a.py", key: str = "k", **more: object) -> FileOperation:
    """A write of A1."""
    fields = {"op": "write", "before": None, "after": A, "size": 1, "actor": Actor("developer", "A1"), **more}
    return FileOperation(path=path, key=key, **fields)  # type: ignore[arg-type]


def written(path: Path) -> Ledger:
    """A ledger of two writes, a command and a move."""
    ledger = Ledger(path)
    for name in ("a.py", "b.py"):
        ledger.intend(operation(name, name))
        ledger.settle(operation(name, name))
    ledger.command(argv=["pytest"], exit_code=0)
    moved = operation("a.py", "m", op="move", before=A, target="c.py")
    ledger.intend(moved)
    ledger.settle(moved)
    return ledger


def test_a_ledger_that_is_read_again_knows_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = written(path)
    again = Ledger(path)
    assert first.files() == again.files() == {"a.py": None, "b.py": A, "c.py": A}
    assert first.head == again.head == check_chain(path)
    assert again.commands() == first.commands()
    assert [r["key"] for r in again.operations(assignment="A1")] == ["a.py", "b.py", "m"]
    assert again.last_write("c.py") == again.last_write("a.py") == again.done("m")
    assert again.open_intents() == []
    first.close()
    again.close()


def test_an_intent_is_open_until_it_is_settled_or_void(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.intend(operation("a.py", "1"))
    ledger.intend(operation("b.py", "2"))
    ledger.close()
    again = Ledger(tmp_path / "ledger.jsonl")
    assert [r["path"] for r in again.open_intents()] == ["a.py", "b.py"]
    assert again.files() == {}
    again.settle(operation("a.py", "1"))
    again.void(operation("b.py", "2"), "the disk is full")
    assert again.open_intents() == []
    assert again.intent("2") is None
    assert again.done("2") is None
    assert again.files() == {"a.py": A}
    again.close()


def test_operations_are_told_apart_by_assignment_and_attempt(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number, (name, attempt) in enumerate([("A1", 0), ("A1", 1), ("A2", 0)]):
        ledger.settle(operation(f"{number}.py", str(number), actor=Actor("developer", name, attempt)))
    assert [r["path"] for r in ledger.operations(assignment="A1")] == ["0.py", "1.py"]
    assert [r["path"] for r in ledger.operations(assignment="A1", attempt=1)] == ["1.py"]
    assert list(ledger.operations(assignment="A3")) == []
    ledger.close()


def test_operations_can_be_read_while_other_agents_write(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.settle(operation("0.py", "first"))
    reading = ledger.operations(assignment="A1")
    assert next(reading)["key"] == "first"
    ledger.settle(operation("1.py", "second"))
    assert list(reading) == []
    ledger.close()


def test_threads_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    threads = [
        threading.Thread(target=lambda n=n: [ledger.settle(operation(f"{n}.py", f"{n}/{i}")) for i in range(10)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert check_chain(path) == ledger.head
    assert len(list(ledger.operations(assignment="A1"))) == 40
    ledger.close()


def test_an_empty_ledger_has_the_first_hash(tmp_path: Path) -> None:
    assert check_chain(tmp_path / "none.jsonl") == GENESIS
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.head == GENESIS
    ledger.close()


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_line_removed_changed_moved_or_added_shows(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    ledger = written(path)
    head = ledger.head
    ledger.close()
    lines = path.read_bytes().splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    way = data.draw(st.sampled_from(["remove", "change", "swap", "repeat", "not an object", "not JSON"]))
    record = json.loads(lines[number])
    if way == "remove":
        del lines[number]
    elif way == "change":
        name = data.draw(st.sampled_from(sorted(record)))
        lines[number] = json.dumps({**record, name: "other"}).encode() + b"\n"
    elif way == "swap":
        lines[number], lines[number - 1] = lines[number - 1], lines[number]
    elif way == "repeat":
        lines.insert(number, lines[number])
    else:
        lines[number] = b"[1, 2]\n" if way == "not an object" else b"{torn\n"
    path.write_bytes(b"".join(lines))
    # A changed last line is a chain of its own; the head that the report holds gives it away.
    with contextlib.suppress(ProofBroken):
        assert check_chain(path) != head


@settings(deadline=None, max_examples=30)
@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_ledger_killed_at_any_byte_goes_on_as_one_chain(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    written(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % (len(whole) + 1)])
    again = Ledger(path)
    assert again.files().get("b.py") in (None, A)
    again.intend(operation("d.py", "d", after=B))
    again.settle(operation("d.py", "d", after=B))
    assert again.files()["d.py"] == B
    assert check_chain(path) == again.head
    assert {r["key"] for r in again.open_intents()} <= {"a.py", "b.py", "m"}
    assert len(again.open_intents()) <= 1
    again.close()
