"""What a build made, as a series of commits: one for each assignment, with the files whose content is its work."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agents.contracts import Assignment
    from graphs.build.board import Board
    from tools.runs.run import Run
    from tools.storage import Record

REST = "Keep what no assignment wrote"


def commits(run: Run, board: Board, tree: str | None) -> list[str]:
    """The commits that lead from the base to `tree`, in the order of the assignments; their ids, oldest first.

    What a person changed in the workspace and kept comes last, as that person's.
    """
    if tree is None:
        return []
    assignments = sorted(board.assignments.values(), key=lambda a: (a.sequence, a.id))
    authors = _authors(run, assignments)
    series = _Series(run, board.facts.get("base"))
    for assignment in assignments:
        paths = [path for path, author in authors.items() if author == assignment.id]
        after = run.store.subset(series.tree, tree, paths)
        series.add(after, str(assignment.role), f"{assignment.title}\n\n{assignment.task}", assignment.id)
    series.add(tree, "user", REST)
    return series.commits


class _Series:
    """Commits, each on the one before it."""

    def __init__(self, run: Run, base: Record | None) -> None:
        self.commits: list[str] = []
        self.tree = str(base["tree"]) if base else EMPTY_TREE
        self._parents = [str(base["commit"])] if base else []
        self._run = run
        self._number = 0

    def add(self, tree: str, author: str, message: str, assignment: str = "") -> None:
        """Add a commit of `tree`, unless it changes nothing."""
        began = datetime.fromisoformat(self._run.manifest["created"])
        at = int(began.timestamp()) + self._number
        self._number += 1
        if tree == self.tree:
            return
        commit = self._run.store.commit(
            tree,
            parents=self._parents,
            author=f"{author} <{author}@millwright.invalid>",
            assignment=assignment,
            message=message,
            run=self._run.id,
            at=at,
        )
        self.commits.append(commit)
        self._parents, self.tree = [commit], tree


def _authors(run: Run, assignments: Iterable[Assignment]) -> dict[str, str]:
    """The assignment that gave each path its present content; putting an earlier version back makes nobody an author."""
    present = run.ledger.files()
    found: dict[str, tuple[int, str]] = {}
    for assignment in assignments:
        for record in run.ledger.operations(assignment=assignment.id):
            for path, after in _results(record):
                if present[path] == after:
                    found[path] = max(found.get(path, (0, "")), (record["seq"], assignment.id))
    return {path: author for path, (_, author) in sorted(found.items())}


def _results(record: Record) -> Iterator[tuple[str, str | None]]:
    """What stands at each path after an operation."""
    if record["op"] == "move":
        yield record["path"], None
        yield record["target"], record["after"]
    else:
        yield record["path"], record["after"]
