"""Where a run is in its history, and when it was taken back to an earlier point.

A position `branch.step` stands in the graph's state and, with the tree of the workspace, in `lineage.jsonl`. Every
node begins by comparing the two, which tells the three ways a node can come to run:

- the positions agree: the run goes on;
- the log is one unconfirmed step ahead: the process died between writing the log and the checkpoint, so the step is
  done again on the same branch, where the journal answers what was already asked;
- the state is at an earlier position: someone resumed or forked from an old checkpoint, so the files must be taken
  back to that position's tree and a new branch begins, on which every model call is asked afresh.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tools.errors import StorageFailed
from tools.storage import JsonLines, Record

if TYPE_CHECKING:
    from pathlib import Path

START = "0.0"
Arrival = Literal["onward", "again", "fork"]


@dataclass(frozen=True, order=True)
class Position:
    """A point in a run's history."""

    branch: int
    step: int

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Read `branch.step`; a state without a position is at the start."""
        branch, _, step = (text or START).partition(".")
        return cls(int(branch), int(step))

    def __str__(self) -> str:
        """The form that the state and the logs hold."""
        return f"{self.branch}.{self.step}"


class Lineage:
    """The history of one run's positions."""

    def __init__(self, path: Path) -> None:
        """Open the history and read what it holds."""
        self._lines = JsonLines(path, durable=True)
        self._lock = threading.RLock()
        self._trees: dict[str, str | None] = {START: None}
        self._origins: dict[int, Position] = {}
        self._head: Record = {"kind": "advance", "position": START, "from": START}
        self._confirmed = True
        for record in self._lines:
            self._fold(record)

    def arrive(self, position: str | None) -> Arrival:
        """Tell how a node whose state is at `position` came to run, and confirm that position.

        Raises:
            StorageFailed: this history does not know the position.
        """
        with self._lock:
            here = self._known(position)
            if here == self._head["position"]:
                if not self._confirmed:
                    self._write({"kind": "confirm", "position": here})
                return "onward"
            if here == self._head["from"] and not self._confirmed:
                return "again"
            return "fork"

    def fork(self, position: str | None) -> None:
        """Begin a new branch at an earlier position; the files are already those of its tree."""
        with self._lock:
            branch = max(self._origins, default=0) + 1
            self._write({"kind": "fork", "branch": branch, "from": self._known(position)})

    def advance(self, node: str, position: str | None, tree: str | None) -> str:
        """Record that `node` finished at `position`, leaving `tree`; return the position the state moves to."""
        with self._lock:
            here = self.place(position)
            after = str(Position(here.branch, here.step + 1))
            self._write(
                {"kind": "advance", "position": after, "from": position or START, "tree": tree, "node": node}
            )
            return after

    def standing(self) -> list[str]:
        """Where the state may stand: at the newest position, or one before it if that one was never confirmed."""
        here, before = self._head["position"], self._head["from"]
        return [here] if self._confirmed else [here, before]

    def adopt(self, position: str, tree: str) -> None:
        """Let a position have this tree: a person changed the files and wants them so."""
        with self._lock:
            self._write({"kind": "adopt", "position": self._known(position), "tree": tree})

    def place(self, position: str | None) -> Position:
        """The point at which a node with this state works: the current branch, the state's step."""
        return Position(self.branch, Position.parse(position).step)

    @property
    def branch(self) -> int:
        """The branch that is being written."""
        return max(self._origins, default=0)

    def tree(self, position: str | None) -> str | None:
        """The tree of the workspace at a position; None before there was one.

        Raises:
            StorageFailed: this history does not know the position.
        """
        return self._trees[self._known(position)]

    def trees(self) -> list[str]:
        """Every tree of the history, newest first, each once."""
        return list(dict.fromkeys(tree for tree in reversed(self._trees.values()) if tree is not None))

    def includes(self, branch: int, step: int) -> bool:
        """Tell whether what was recorded at that point belongs to the history of the current branch."""
        child = self.branch
        limit: int | None = None
        while child != branch:
            origin = self._origins.get(child)
            if origin is None:
                return False
            limit = origin.step if limit is None else min(limit, origin.step)
            child = origin.branch
        return limit is None or step < limit

    def changed_by_others(self) -> bool:
        """Tell whether another process has moved this run on since the history was read."""
        return self._lines.changed_by_others()

    def close(self) -> None:
        """Give the file back."""
        self._lines.close()

    def _known(self, position: str | None) -> str:
        here = position or START
        if here not in self._trees:
            raise StorageFailed(
                f"the checkpoint is at position {here}, which {self._lines.path} does not know: the run's "
                f"directory and the checkpoint database are not from the same time; restore both together"
            )
        return here

    def _write(self, record: Record) -> None:
        self._lines.append(record)
        self._fold(record)

    def _fold(self, record: Record) -> None:
        if record["kind"] == "confirm":
            self._confirmed = True
            return
        if record["kind"] == "adopt":
            self._trees[record["position"]] = record["tree"]
            return
        if record["kind"] == "fork":
            self._origins[record["branch"]] = Position.parse(record["from"])
            record = {**record, "position": record["from"]}
        else:
            self._trees[record["position"]] = record["tree"]
        self._head = record
        self._confirmed = record["kind"] == "fork"
