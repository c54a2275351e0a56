"""A run's directory: opened once, taken back to any point, copied whole or not at all, and watched for strangers."""

from __future__ import annotations

import gc
import json
import os
import threading
from pathlib import Path

import pytest
from killing import every, killed_at

from tools.errors import RunUnknown, StorageFailed, WorkspaceChanged
from tools.runs import run as runs
from tools.runs.foreign import check_unchanged, settle_changes
from tools.runs.home import data_dir, run_dir, run_ids
from tools.runs.run import Run, clone_run, create_run, open_run
from tools.workspace.ledger import Actor, check_chain, sha256
from tools.workspace.view import WorkspaceView

LINES = ("runs/run.py", "runs/lineage.py", "workspace/ledger.py", "tools/storage.py")


def write(run: Run, path: str, text: str, *, key: str = "") -> None:
    """A developer writes a file."""
    view = WorkspaceView(
        run.files,
        run.store,
        run.ledger,
        run.events,
        actor=Actor("developer", "A1"),
        base=None,
        owned=[path],
    )
    view.key = key or f"{run.lineage.place(None)}/develop/A1#0/{run.ledger.head[:8]}/{path}"
    view.write(path, text)


def step(run: Run, position: str | None, **files: str) -> str:
    """A node that writes files and finishes."""
    run.arrive(position)
    for name, text in files.items():
        write(run, f"{name}.py", text)
    position = run.advance("work", position, run.store.take(run.files))
    run.lineage.arrive(position)
    return position


def built(run_id: str = "one") -> tuple[Run, str, str]:
    """A run of two steps, and the positions behind them."""
    run = create_run(run_id, goal="g")
    first = step(run, None, a="A = 1\n", b="B = 1\n")
    second = step(run, first, a="A = 2\n", c="C = 1\n")
    return run, first, second


def contents(run: Run) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(run.workspace.iterdir())}


def reopened(run: Run) -> Run:
    """The run as another process would open it."""
    return Run(run.root)


FIRST = {"a.py": "A = 1\n", "b.py": "B = 1\n"}
SECOND = {"a.py": "A = 2\n", "b.py": "B = 1\n", "c.py": "C = 1\n"}


def test_going_back_restores_the_files_and_the_ledger_follows() -> None:
    run, first, second = built()
    assert contents(run) == SECOND
    assert str(run.arrive(first)) == "1.1"
    assert contents(run) == FIRST
    assert {p: s for p, s in run.ledger.files().items() if s} == {p: sha256(t.encode()) for p, t in FIRST.items()}
    check_unchanged(run)
    assert str(run.arrive(second)) == "2.2"
    assert contents(run) == SECOND
    check_unchanged(run)
    run.arrive(None)
    assert contents(run) == {}
    check_unchanged(run)
    assert check_chain(run.root / "ledger.jsonl") == run.ledger.head


def test_only_the_operations_of_the_present_history_count() -> None:
    run, first, _ = built()
    assert [r["path"] for r in run.operations("A1")] == ["a.py", "b.py", "a.py", "c.py"]
    run.arrive(first)
    write(run, "d.py", "D = 1\n", key=f"{run.lineage.place(first)}/develop/A1#0/0/0")
    kept = [r["path"] for r in run.operations("A1")]
    assert "d.py" in kept
    assert run.version("a.py", sha256(b"A = 2\n")) == b"A = 2\n"
    assert run.version("a.py", sha256(b"A = 3\n")) is None


def test_going_back_can_be_killed_between_any_two_lines() -> None:
    for line in every(61, lambda n: _killed_going_back(n)):
        run = reopened(open_run(f"back{line}"))
        # Whatever was reached, it is no change by someone else, and the next process finishes it.
        check_unchanged(run)
        run.arrive("0.1")
        assert contents(run) == FIRST
        assert run.ledger.open_intents() == []
        assert run.lineage.branch == 1
        check_unchanged(run)
        assert check_chain(run.root / "ledger.jsonl") == run.ledger.head
        run.close()


def _killed_going_back(line: int) -> bool:
    run, first, _ = built(f"back{line}")
    return killed_at(line, lambda: reopened(run).arrive(first), *LINES)


def test_a_write_that_died_half_way_is_forgotten_when_its_step_is_taken_back() -> None:
    run, first, second = built()
    write(run, "b.py", "B = 2\n", key=f"{second}/develop/A1#0/0/0")
    lines = (run.root / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (run.root / "ledger.jsonl").write_bytes(b"".join(lines[:-1]))
    run = reopened(run)
    assert [r["path"] for r in run.ledger.open_intents()] == ["b.py"]
    check_unchanged(run)
    run.arrive(first)
    assert run.ledger.open_intents() == []
    assert contents(run) == FIRST
    (run.workspace / "b.py").write_text("B = 3\n")
    with pytest.raises(WorkspaceChanged, match=r"'b\.py'"):
        check_unchanged(run)


def test_a_copy_stands_where_the_original_stood_and_goes_its_own_way() -> None:
    run, first, _ = built()
    copy = clone_run("one", "two", first)
    assert contents(copy) == FIRST
    assert contents(run) == SECOND
    assert (copy.manifest["forked_from"], copy.manifest["id"], copy.manifest["goal"]) == ("one", "two", "g")
    step(copy, first, a="A = 9\n")
    assert contents(copy)["a.py"] == "A = 9\n"
    assert contents(run) == SECOND
    assert clone_run("one", "two", first) is copy
    check_unchanged(copy)
    check_unchanged(run)


def test_a_copy_is_whole_or_absent_when_killed_between_any_two_lines() -> None:
    built()
    for line in every(83, lambda n: killed_at(n, lambda: clone_run("one", f"copy{n}", "0.1"), *LINES)):
        name = f"copy{line}"
        there = name in run_ids()
        assert there == run_dir(name).exists()
        copy = clone_run("one", name, "0.1")
        assert contents(copy) == FIRST
        check_unchanged(copy)
    assert not list((data_dir() / "runs").glob(".*"))


def test_threads_that_copy_one_run_to_one_place_get_one_copy() -> None:
    built()
    found: list[Run] = []
    threads = [threading.Thread(target=lambda: found.append(clone_run("one", "two", "0.1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_a_copy_from_nowhere_or_of_no_position_is_refused_and_leaves_nothing() -> None:
    built()
    with pytest.raises(RunUnknown, match="no run 'none' to copy from"):
        clone_run("none", "two", None)
    with pytest.raises(StorageFailed, match=r"position 7\.7"):
        clone_run("one", "two", "7.7")
    assert [entry.name for entry in (data_dir() / "runs").iterdir()] == ["one"]


def test_a_run_is_opened_once_and_again_when_another_process_moved_it_on() -> None:
    run, _, second = built()
    assert open_run("one") is run
    other = reopened(run)
    other.advance("work", second, None)
    again = open_run("one")
    assert again is not run
    assert again.lineage.tree("0.3") is None
    other.close()
    with pytest.raises(RunUnknown, match="there is no run 'none'"):
        open_run("none")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to count descriptors")
def test_runs_that_nobody_uses_give_their_descriptors_back() -> None:
    class Held:
        def __init__(self) -> None:
            self.descriptor = os.open(os.devnull, os.O_RDONLY)

        def close(self) -> None:
            os.close(self.descriptor)

    def opened() -> int:
        gc.collect()
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = opened()
    for number in range(runs.OPEN_RUNS + 4):
        create_run(f"run{number}").resources["held"] = Held()
    for number in range(runs.OPEN_RUNS):
        create_run(f"again{number}").resources["held"] = Held()
    full = opened()
    for number in range(runs.OPEN_RUNS):
        create_run(f"more{number}").resources["held"] = Held()
    assert opened() == full
    assert full > before


def test_notes_are_kept_beside_what_was_there() -> None:
    run = create_run("one", goal="g")
    run.note(status="finished", verdict="PASS")
    found = json.loads((run.root / "run.json").read_bytes())
    assert (found["goal"], found["status"], found["verdict"]) == ("g", "finished", "PASS")
    assert create_run("one", goal="other").manifest["goal"] == "g"


# What someone else did


def test_a_changed_or_deleted_file_is_named_with_the_ways_out() -> None:
    run, _, _ = built()
    (run.workspace / "stranger.py").write_text("not ours")
    check_unchanged(run)
    (run.workspace / "b.py").write_text("mine")
    with pytest.raises(
        WorkspaceChanged, match=r"'b\.py'.*is not what Millwright wrote.*--discard-.*--keep-changes"
    ):
        check_unchanged(run)
    (run.workspace / "b.py").unlink()
    with pytest.raises(WorkspaceChanged, match=r"'b\.py'.*was deleted"):
        check_unchanged(run)


def test_changes_are_discarded() -> None:
    run, _, _ = built()
    (run.workspace / "b.py").write_text("mine")
    (run.workspace / "c.py").unlink()
    assert settle_changes(run, keep=False) == ["b.py", "c.py"]
    assert contents(run) == SECOND
    check_unchanged(run)
    assert settle_changes(run, keep=False) == []


@pytest.mark.parametrize("confirmed", [True, False])
def test_changes_are_kept_wherever_the_state_stands(confirmed: bool) -> None:
    run, _, second = built()
    run.advance("work", second, run.lineage.tree(second))
    if confirmed:
        run.lineage.arrive("0.3")
    (run.workspace / "b.py").write_text("mine")
    (run.workspace / "c.py").unlink()
    assert settle_changes(run, keep=True) == ["b.py", "c.py"]
    check_unchanged(run)
    for position in ("0.3",) if confirmed else ("0.3", second):
        tree = run.lineage.tree(position)
        assert tree is not None
        assert run.store.read(tree, "b.py") == b"mine"
        assert set(run.store.list(tree)) == {"a.py", "b.py"}


def test_what_a_killed_process_of_ours_left_is_no_strangers_work() -> None:
    run, _, second = built()
    write(run, "b.py", "B = 2\n", key=f"{second}/develop/A1#0/0/0")
    lines = (run.root / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (run.root / "ledger.jsonl").write_bytes(b"".join(lines[:-1]))
    run = reopened(run)
    check_unchanged(run)
    (run.workspace / "a.py").write_text("mine")
    assert settle_changes(run, keep=True) == ["a.py"]
    tree = run.lineage.tree(second)
    assert tree is not None
    assert run.store.read(tree, "b.py") == b"B = 1\n"
    (run.workspace / "b.py").write_text("neither the old nor the new one")
    with pytest.raises(WorkspaceChanged, match=r"'b\.py'"):
        check_unchanged(run)


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_something_else_in_the_place_of_a_file_is_named(kind: str) -> None:
    run, _, _ = built()
    place = run.workspace / "b.py"
    place.unlink()
    if kind == "link":
        place.symlink_to("a.py")
    elif kind == "directory":
        place.mkdir()
    else:
        os.mkfifo(place)
    for settle in (
        check_unchanged,
        lambda r: settle_changes(r, keep=True),
        lambda r: settle_changes(r, keep=False),
    ):
        with pytest.raises(WorkspaceChanged, match=r"'b\.py'.*no ordinary file any more.*put the real one back"):
            settle(run)
