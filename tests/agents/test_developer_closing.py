"""The tools that end a developer's work, and what it is told at the start."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from agents.contracts import Assignment, Role
from agents.developer import SHOWN_CHARACTERS, briefing, closing_tools
from tools.errors import ToolRefused
from tools.events import EventLog
from tools.workspace.confined import ConfinedDir
from tools.workspace.ledger import Actor, Ledger
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORK = Assignment(id="A1", title="T", task="Do it.", paths=["pkg/__init__.py", "pkg/py.typed", "pkg/a.py"])


@pytest.fixture
def view(tmp_path: Path) -> Iterator[WorkspaceView]:
    (tmp_path / "workspace").mkdir()
    with ExitStack() as stack:
        files = stack.enter_context(ConfinedDir(tmp_path / "workspace"))
        store = stack.enter_context(SnapshotStore(tmp_path / "objects.git"))
        ledger = stack.enter_context(closing(Ledger(tmp_path / "ledger.jsonl")))
        events = stack.enter_context(closing(EventLog(tmp_path / "events.jsonl")))
        yield WorkspaceView(
            files, store, ledger, events, actor=Actor("developer", "A1"), base=None, owned=WORK.paths
        )


def test_finishing_needs_every_promised_file_and_lets_markers_be_empty(view: WorkspaceView) -> None:
    finish = {tool.name: tool for tool in closing_tools(view, WORK)}["finish"]
    with pytest.raises(
        ToolRefused, match=r"pkg/__init__\.py, pkg/py\.typed, pkg/a\.py are missing or empty on disk"
    ):
        finish.invoke({"summary": "Done."})
    view.write("pkg/__init__.py", "")
    view.write("pkg/py.typed", "")
    view.write("pkg/a.py", "")
    with pytest.raises(
        ToolRefused, match=r"not finished: pkg/a\.py is missing or empty on disk; write with write_file"
    ):
        finish.invoke({"summary": "Done."})
    view.write("pkg/a.py", "A = 1\n")
    assert finish.invoke({"summary": "Done.", "files": ["pkg/a.py"]}) == "Finished."


def test_a_callback_has_one_of_three_levels_a_subject_and_a_message(view: WorkspaceView) -> None:
    tell = {tool.name: tool for tool in closing_tools(view, WORK)}["raise_callback"]
    assert tell.invoke({"level": "blocker", "subject": "a.py", "message": "It is not there."}).startswith("Noted.")
    for wrong in ({"level": "fatal"}, {"subject": ""}, {"message": ""}):
        with pytest.raises(ValidationError):
            tell.invoke({"level": "info", "subject": "s", "message": "m", **wrong})


def test_the_task_comes_last_after_what_went_wrong_and_what_is_there() -> None:
    long = "x" * (SHOWN_CHARACTERS + 1)
    rules, told = briefing(
        WORK.model_copy(update={"role": Role.TESTER}),
        goal="The goal.",
        listing={"a.py": 6, "long.py": len(long)},
        shown={"long.py": long, "a.py": "A = 1\n"},
        failure="Traceback: all of it",
    )
    assert "You are a tester" in rules.text
    assert "Every test must be able to fail" in rules.text
    parts = [
        "The goal.",
        "a.py (6 bytes)",
        "long.py is long; read",
        "A = 1\n",
        "Traceback: all of it",
        "Your assignment A1",
    ]
    places = [told.text.index(part) for part in parts]
    assert places == sorted(places)
    assert long not in told.text
