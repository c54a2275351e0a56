"""The history of a run's positions, through every order of steps, deaths and ways back."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tools.errors import StorageFailed
from tools.runs.lineage import START, Lineage, Position
from tools.runs.register import Register


@dataclass(frozen=True)
class Saved:
    """A checkpoint, and what must be true of the history that leads to it."""

    position: str | None
    tree: str | None = None
    done: tuple[tuple[int, int, int], ...] = ()


class History(RuleBasedStateMachine):
    """Steps, deaths at each point of a step, and resuming from any checkpoint there ever was."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.saved = [Saved(None)]
        self.here = self.saved[0]
        self.count = 0
        self.worked: set[tuple[int, int]] = set()
        self.unfinished = False
        self.open()

    def open(self) -> None:
        self.lineage = Lineage(self.root / "lineage.jsonl")
        self.register = Register(self.root / "register.jsonl", self.lineage)

    def die(self) -> None:
        self.lineage.close()
        self.register.close()
        self.open()

    def begin(self) -> Position:
        """A node begins at the checkpoint and writes what it found out."""
        arrival = self.lineage.arrive(self.here.position)
        assert arrival == ("again" if self.unfinished else "onward")
        place = self.lineage.place(self.here.position)
        self.count += 1
        self.register.redo(place, "work")
        self.register.write(place, "work", [("found", str(self.count), place.step), ("fact", "last", self.count)])
        self.worked.add((place.branch, place.step))
        return place

    def finish(self, place: Position) -> Saved:
        tree = f"tree-{self.count}"
        position = self.lineage.advance("work", self.here.position, tree)
        assert position == f"{place.branch}.{place.step + 1}"
        return Saved(position, tree, (*self.here.done, (place.branch, place.step, self.count)))

    @rule()
    def a_step(self) -> None:
        self.here, self.unfinished = self.finish(self.begin()), False
        self.saved.append(self.here)
        assert self.lineage.arrive(self.here.position) == "onward"

    @rule()
    def killed_while_working(self) -> None:
        self.begin()
        self.die()

    @rule()
    def killed_before_the_checkpoint(self) -> None:
        self.finish(self.begin())
        self.die()
        self.unfinished = True
        assert self.lineage.arrive(self.here.position) == "again"

    @rule()
    def killed_after_the_checkpoint(self) -> None:
        self.a_step()
        self.die()

    @rule(data=st.data(), dies=st.booleans())
    def taken_back(self, data: st.DataObject, dies: bool) -> None:
        chosen = data.draw(st.sampled_from(self.saved))
        if self.lineage.arrive(chosen.position) != "fork":
            return
        branch = self.lineage.branch
        self.lineage.fork(chosen.position)
        self.here, self.unfinished = chosen, False
        if dies:
            self.die()
        assert self.lineage.branch == branch + 1
        assert self.lineage.arrive(chosen.position) == "onward"

    @rule()
    def adopted(self) -> None:
        if self.here.position is None:
            return
        assert self.here.position in self.lineage.standing()
        self.count += 1
        self.lineage.adopt(self.here.position, f"tree-{self.count}")
        changed = Saved(self.here.position, f"tree-{self.count}", self.here.done)
        self.saved = [changed if s.position == self.here.position else s for s in self.saved]
        self.here = changed

    @invariant()
    def every_checkpoint_has_its_tree(self) -> None:
        for saved in self.saved:
            assert self.lineage.tree(saved.position) == saved.tree
        assert (self.here.position or START) in self.lineage.standing()

    @invariant()
    def only_the_work_of_this_history_counts(self) -> None:
        mine = {(branch, step) for branch, step, _ in self.here.done}
        place = self.lineage.place(self.here.position)
        for branch, step in self.worked - {(place.branch, place.step)}:
            assert self.lineage.includes(branch, step) == ((branch, step) in mine)

    @invariant()
    def the_register_holds_what_this_history_found(self) -> None:
        place = self.lineage.place(self.here.position)
        self.register.redo(place, "work")
        tables = self.register.read()
        assert dict(tables.get("found", {})) == {str(count): step for _, step, count in self.here.done}
        last = self.here.done[-1][2] if self.here.done else None
        assert tables.get("fact", {}).get("last") == last

    def teardown(self) -> None:
        self.lineage.close()
        self.register.close()
        shutil.rmtree(self.root)


TestHistory = History.TestCase
TestHistory.settings = settings(deadline=None, max_examples=25, stateful_step_count=20)


def test_a_position_is_read_as_it_is_written() -> None:
    for text in ("0.0", "3.14"):
        assert str(Position.parse(text)) == text
    assert Position.parse(None) == Position(0, 0)
    assert Position(0, 9) < Position(0, 10) < Position(1, 2)


def test_a_position_that_the_history_does_not_know_is_named(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path / "lineage.jsonl")
    for ask in (lineage.arrive, lineage.tree, lineage.fork):
        with pytest.raises(
            StorageFailed, match=r"position 0\.7, which .*lineage\.jsonl does not know.*restore both"
        ):
            ask("0.7")
    assert lineage.tree(START) is None
    assert lineage.branch == 0
    lineage.close()


def test_the_trees_come_newest_first_and_once(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path / "lineage.jsonl")
    position = None
    for tree in ("a", None, "b", "b", "c"):
        position = lineage.advance("work", position, tree)
        lineage.arrive(position)
    assert lineage.trees() == ["c", "b", "a"]
    lineage.close()


def test_lines_of_abandoned_branches_are_passed_over(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path / "lineage.jsonl")
    register = Register(tmp_path / "register.jsonl", lineage)
    first = lineage.advance("plan", None, "t1")
    register.write(Position(0, 0), "plan", [("fact", "goal", "old"), ("fact", "gone", 1)])
    register.write(Position(0, 1), "check", [("fact", "goal", "newer"), ("fact", "gone", None)])
    lineage.advance("check", first, "t2")
    assert register.read() == {"fact": {"goal": "newer"}}
    lineage.fork(first)
    assert register.read() == {"fact": {"goal": "old", "gone": 1}}
    register.write(lineage.place(first), "check", [("fact", "goal", "other")])
    again = Register(tmp_path / "register.jsonl", lineage)
    assert register.read() == again.read() == {"fact": {"goal": "other", "gone": 1}}
    for part in (lineage, register, again):
        part.close()
