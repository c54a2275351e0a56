"""The file tools as a model calls them: what they do, what they refuse and say, and what a repeated call changes."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tools.errors import (
    EditMismatch,
    FileMissing,
    LimitExceeded,
    NotOwned,
    NotText,
    PathRefused,
    ToolRefused,
)
from tools.events import EventLog, read_events
from tools.verification.guards import refuse_broken_syntax
from tools.workspace.confined import ConfinedDir, Quota
from tools.workspace.filetools import READ_CHARACTERS, READING, WRITING, file_tools
from tools.workspace.ledger import Actor, Ledger, check_chain, sha256
from tools.workspace.matching import LONGEST_LINE
from tools.workspace.searching import matching_lines
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.view import SEARCH_HITS, WorkspaceView, replaced_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Desk:
    """A workspace with its ledger, and the tools of one agent on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = root / "workspace"
        self.workspace.mkdir(parents=True)
        self.files = ConfinedDir(self.workspace, quota=Quota(file_bytes=200_000))
        self.store = SnapshotStore(root / "objects.git")
        self.ledger = Ledger(root / "ledger.jsonl")
        self.events = EventLog(root / "events.jsonl")
        self.base: str | None = None
        self.owned: tuple[str, ...] = ()
        self.key = ""
        self.guards: tuple[Any, ...] = ()

    def put(self, **files: str) -> None:
        """Files that were there before the step; `__` stands for a slash and `_py` for the ending."""
        for name, text in files.items():
            self.files.write(name.replace("__", "/").replace("_py", ".py"), text.encode())
        self.base = self.store.take(self.files)

    def view(self, *owned: str, name: str = "A1") -> WorkspaceView:
        view = WorkspaceView(
            self.files,
            self.store,
            self.ledger,
            self.events,
            actor=Actor("developer", name),
            base=self.base,
            owned=owned or self.owned,
            guards=self.guards,
        )
        view.key = self.key
        return view

    def call(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool as LangChain does."""
        tools = {t.name: t for t in file_tools(self.view())}
        return str(tools[tool].invoke(arguments))

    def killed(self, lines: int = 1) -> None:
        """The process died before it wrote its last lines to the ledger; another one opens it."""
        self.ledger.close()
        kept = self.ledger_path.read_bytes().splitlines(keepends=True)[:-lines]
        self.ledger_path.write_bytes(b"".join(kept))
        self.ledger = Ledger(self.ledger_path)

    @property
    def ledger_path(self) -> Path:
        return self.root / "ledger.jsonl"

    def states(self) -> list[tuple[str, str]]:
        return [(r["op"], r["state"]) for r in read_events(self.ledger_path)]

    def close(self) -> None:
        for part in (self.files, self.store, self.ledger, self.events):
            part.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path)) as made:
        yield made


def test_every_tool_has_a_description_and_described_arguments(desk: Desk) -> None:
    tools = file_tools(desk.view())
    assert tuple(tool.name for tool in tools) == READING + WRITING
    for tool in tools:
        schema = tool.args_schema.model_json_schema()  # type: ignore[union-attr]
        assert tool.description
        assert all(field["description"] for field in schema["properties"].values())
    assert [t.name for t in file_tools(desk.view(), READING)] == list(READING)


def test_writing_reading_editing_moving_and_deleting(desk: Desk) -> None:
    desk.owned = ("pkg/a.py", "pkg/b.py")
    sha = sha256(b"x = 1\n")[:12]
    assert desk.call("write_file", path="pkg/a.py", content="x = 1\n") == f"Wrote pkg/a.py: 6 bytes, sha256 {sha}."
    assert desk.call("read_file", path="./pkg//a.py") == "x = 1\n"
    assert desk.call("edit_file", path="pkg/a.py", search="1", replace="2").startswith("Edited pkg/a.py: 6 bytes")
    assert desk.call("move_file", source="pkg/a.py", target="pkg/b.py") == "Moved pkg/a.py to pkg/b.py."
    assert desk.call("list_files") == "pkg/b.py (6 bytes)"
    assert desk.call("delete_file", path="pkg/b.py") == "Deleted pkg/b.py."
    assert desk.call("list_files", folder="pkg") == "There are no files yet."
    assert desk.states() == [(op, s) for op in ("write", "edit", "move", "delete") for s in ("intent", "done")]
    assert check_chain(desk.ledger_path) == desk.ledger.head
    events = [e["op"] for e in read_events(desk.root / "events.jsonl")]
    assert events == ["write", "edit", "move", "delete"]


ATTACKS = [
    ("../outside", "traversal"),
    ("a/../../outside", "traversal"),
    ("a/..", "traversal"),
    ("/etc/passwd", "absolute"),
    ("~/x", "absolute"),
    ("file:///etc/passwd", "absolute"),
    ("C:/x", "absolute"),
    ("//host/share", "absolute"),
    ("\\\\host\\share", "absolute"),
    ("a\\b", "backslash"),
    ("a\x00b", "control_character"),
    ("a\nb", "control_character"),
    ("a\x1b[31mb", "control_character"),
    (".gi\u200ct/config", "control_character"),
    ("\u202eyp.a", "control_character"),
    ("\uff0e\uff0e/x", "traversal"),
    ("cafe\u0301.py", "not_nfc"),
    (".git/hooks/pre-commit", "protected"),
    (".GIT/config", "protected"),
    ("GIT~1/config", "reserved_name"),
    (".git::$INDEX_ALLOCATION/x", "reserved_name"),
    (".vscode/tasks.json", "protected"),
    (".envrc", "protected"),
    (".env", "protected"),
    (".pre-commit-config.yaml", "protected"),
    (".mcp.json", "protected"),
    (".claude/settings.json", "protected"),
    ("sitecustomize.py", "protected"),
    ("evil.pth", "protected"),
    ("__pycache__/a.pyc", "protected"),
    ("aux", "reserved_name"),
    ("a.py:stream", "absolute"),
    ("name.", "reserved_name"),
    ("name ", "reserved_name"),
    ("", "empty"),
    (".", "empty"),
    ("x" * 300, "too_long"),
    ("/".join("d" * 40), "too_deep"),
]


@pytest.mark.parametrize(("path", "reason"), ATTACKS)
@pytest.mark.parametrize("tool", ["read_file", "write_file", "edit_file", "delete_file", "move_file"])
def test_a_hostile_name_is_refused_by_every_tool(desk: Desk, tool: str, path: str, reason: str) -> None:
    desk.owned = ("ok.py",)
    arguments = {
        "read_file": {"path": path},
        "write_file": {"path": path, "content": "x"},
        "edit_file": {"path": path, "search": "a", "replace": "b"},
        "delete_file": {"path": path},
        "move_file": {"source": "ok.py", "target": path},
    }[tool]
    with pytest.raises(PathRefused) as refused:
        desk.call(tool, **arguments)
    assert refused.value.reason == reason
    assert list(desk.workspace.iterdir()) == []
    assert not list(read_events(desk.ledger_path))


def _link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "secret")


def _dangling(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "nothing")


def _hard_link(path: Path, outside: Path) -> None:
    os.link(outside / "secret", path)


def _fifo(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, outside: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(str(path))


def _directory(path: Path, outside: Path) -> None:
    path.mkdir()


def _link_as_parent(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


@pytest.mark.parametrize("plant", [_link, _dangling, _hard_link, _fifo, _socket, _directory])
def test_what_is_planted_at_an_owned_path_leads_nowhere(
    desk: Desk, plant: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = desk.root / "outside"
    outside.mkdir()
    (outside / "secret").write_text("SECRET")
    monkeypatch.chdir(desk.root)  # a socket's address has to be short
    plant(desk.workspace / "a", outside)
    desk.owned = ("a", "b")
    with pytest.raises(ToolRefused):
        desk.call("read_file", path="a")
    with pytest.raises(ToolRefused):
        desk.call("edit_file", path="a", search="SECRET", replace="x")
    for tool, arguments in (
        ("write_file", {"path": "a", "content": "mine"}),
        ("move_file", {"source": "a", "target": "b"}),
    ):
        with pytest.raises(ToolRefused):
            desk.call(tool, **arguments)
    # What is there is no file to this agent, and does not keep it from seeing the others.
    assert desk.call("list_files") == "There are no files yet."
    assert desk.call("search_files", pattern="SECRET") == "No line matches."
    assert (outside / "secret").read_text() == "SECRET"
    assert [entry.name for entry in outside.iterdir()] == ["secret"]


def test_a_link_in_the_place_of_a_directory_leads_nowhere(desk: Desk) -> None:
    outside = desk.root / "workspace2"
    outside.mkdir()
    (outside / "secret").write_text("SECRET")
    _link_as_parent(desk.workspace / "pkg", outside)
    desk.owned = ("pkg/secret", "pkg/new")
    for tool, arguments in (
        ("read_file", {"path": "pkg/secret"}),
        ("write_file", {"path": "pkg/new", "content": "x"}),
        ("delete_file", {"path": "pkg/secret"}),
        ("move_file", {"source": "pkg/secret", "target": "pkg/new"}),
    ):
        with pytest.raises(ToolRefused):
            desk.call(tool, **arguments)
    assert [entry.name for entry in outside.iterdir()] == ["secret"]


def test_only_owned_files_may_change_and_the_refusal_names_them(desk: Desk) -> None:
    desk.put(other_py="x = 1\n")
    desk.owned = ("b.py", "a.py")
    for tool, arguments in (
        ("write_file", {"path": "other.py", "content": "x"}),
        ("edit_file", {"path": "other.py", "search": "1", "replace": "2"}),
        ("delete_file", {"path": "other.py"}),
        ("move_file", {"source": "other.py", "target": "a.py"}),
        ("move_file", {"source": "a.py", "target": "other.py"}),
    ):
        with pytest.raises(
            NotOwned, match=r"'other.py' is not yours.*your files are: a\.py, b\.py.*raise_callback"
        ):
            desk.call(tool, **arguments)
    assert (desk.workspace / "other.py").read_text() == "x = 1\n"


def test_parallel_agents_see_the_snapshot_and_not_each_others_work(desk: Desk) -> None:
    desk.put(shared_py="S = 1\n", mine_py="M = 1\n", theirs_py="T = 1\n")
    mine, theirs = desk.view("mine.py", "new.py", name="A1"), desk.view("theirs.py", name="A2")
    theirs.write("theirs.py", "T = 2\n")
    mine.write("mine.py", "M = 2\n")
    mine.write("new.py", "N = 1\n")
    assert mine.text("theirs.py") == "T = 1\n"
    assert theirs.text("theirs.py") == "T = 2\n"
    assert theirs.text("mine.py") == "M = 1\n"
    assert set(mine.paths()) == {"mine.py", "new.py", "shared.py", "theirs.py"}
    assert set(theirs.paths()) == {"mine.py", "shared.py", "theirs.py"}
    assert [hit[2] for hit in theirs.search("= ")] == ["M = 1", "S = 1", "T = 2"]
    with pytest.raises(FileMissing, match=r"'new\.py' does not exist"):
        theirs.text("new.py")
    assert not theirs.exists("new.py")
    mine.delete("mine.py")
    assert not mine.exists("mine.py")
    assert theirs.exists("mine.py")


def test_a_missing_file_comes_with_the_nearest_name(desk: Desk) -> None:
    desk.put(pkg__calc_py="x = 1\n")
    with pytest.raises(FileMissing, match=r"'calc.py' does not exist; did you mean 'pkg/calc.py'\?"):
        desk.call("read_file", path="calc.py")
    with pytest.raises(FileMissing, match=r"'none\.py' does not exist; list_files shows what there is"):
        desk.call("read_file", path="none.py")
    desk.owned = ("mine.py",)
    with pytest.raises(FileMissing, match=r"'mine\.py' does not exist; create it with write_file"):
        desk.call("edit_file", path="mine.py", search="a", replace="b")
    with pytest.raises(FileMissing, match="nothing to delete"):
        desk.call("delete_file", path="mine.py")


def test_a_move_never_replaces_a_file(desk: Desk) -> None:
    desk.put(a_py="A", b_py="B")
    desk.owned = ("a.py", "b.py")
    with pytest.raises(PathRefused) as refused:
        desk.call("move_file", source="a.py", target="b.py")
    assert refused.value.reason == "exists"
    assert (desk.workspace / "b.py").read_text() == "B"
    assert desk.states() == [("move", "intent"), ("move", "void")]


def test_listing_a_folder_names_only_what_is_in_it(desk: Desk) -> None:
    desk.put(pkg__a_py="1", pkg2__b_py="2", c_py="3")
    assert desk.call("list_files", folder="pkg/") == "pkg/a.py (1 bytes)"
    assert desk.call("list_files", folder=".") == "c.py (1 bytes)\npkg/a.py (1 bytes)\npkg2/b.py (1 bytes)"
    assert desk.call("list_files", folder="docs") == "There are no files below 'docs'."
    with pytest.raises(PathRefused):
        desk.call("list_files", folder="../")


def test_a_long_listing_says_that_there_is_more(desk: Desk) -> None:
    desk.files = ConfinedDir(desk.workspace, durable=False)
    for number in range(503):
        desk.files.write(f"d/{number:03}.txt", b"x")
    desk.base = desk.store.take(desk.files)
    lines = desk.call("list_files").splitlines()
    assert len(lines) == 501
    assert lines[-1] == "... and 3 more; name a folder to see them"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({}, "one\ntwo\r\nthree\x0cstill\u2028three\nfour"),
        ({"first_line": 2, "last_line": 2}, "two\r\n"),
        ({"first_line": 3, "last_line": 3}, "three\x0cstill\u2028three\n"),
        ({"first_line": 4}, "four"),
        ({"first_line": 1, "last_line": 99}, "one\ntwo\r\nthree\x0cstill\u2028three\nfour"),
    ],
)
def test_lines_are_counted_as_python_counts_them(desk: Desk, arguments: dict[str, int], part: str) -> None:
    desk.put(a_py="one\ntwo\r\nthree\x0cstill\u2028three\nfour")
    assert desk.call("read_file", path="a.py", **arguments) == part
    assert desk.call("search_files", pattern="four") == "a.py:4: four"


def test_lines_that_are_not_there_are_refused(desk: Desk) -> None:
    desk.put(a_py="one\ntwo\n", empty_py="")
    with pytest.raises(LimitExceeded, match=r"'a\.py' has only 2 lines"):
        desk.call("read_file", path="a.py", first_line=3)
    with pytest.raises(LimitExceeded, match="last_line 1 is before first_line 2"):
        desk.call("read_file", path="a.py", first_line=2, last_line=1)
    assert desk.call("read_file", path="empty.py") == "(the file is empty)"


def test_a_file_too_long_for_one_answer_is_read_in_parts(desk: Desk) -> None:
    line = "x" * 99 + "\n"
    desk.put(a_py=line * 700, b_py="y" * (READ_CHARACTERS + 1) + "needle")
    with pytest.raises(
        LimitExceeded, match=r"70000 characters long.*ask for some of its 700 lines with first_line"
    ):
        desk.call("read_file", path="a.py")
    assert desk.call("read_file", path="a.py", first_line=200, last_line=300) == line * 101
    with pytest.raises(LimitExceeded, match="line 1 alone is too long; search_files shows"):
        desk.call("read_file", path="b.py")
    found = desk.call("search_files", pattern="needle")
    assert found.endswith("yneedle")
    assert len(found) < LONGEST_LINE + 20


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("read_file", {}, "path"),
        ("read_file", {"path": 3}, "path"),
        ("read_file", {"path": "a.py", "first_line": 0}, "first_line"),
        ("read_file", {"path": "a.py", "first_line": "two"}, "first_line"),
        ("write_file", {"path": "a.py"}, "content"),
        ("write_file", {"path": "a.py", "content": ["x"]}, "content"),
        ("edit_file", {"path": "a.py", "search": "x"}, "replace"),
        ("search_files", {"pattern": ""}, "pattern"),
        ("search_files", {"pattern": "x" * 1001}, "pattern"),
        ("move_file", {"source": "a.py"}, "target"),
    ],
)
def test_wrong_arguments_are_named(desk: Desk, tool: str, arguments: dict[str, Any], says: str) -> None:
    desk.owned = ("a.py",)
    with pytest.raises(ValidationError) as wrong:
        desk.call(tool, **arguments)
    assert [error["loc"] for error in wrong.value.errors()] == [(says,)]


@pytest.mark.parametrize(("text", "reason"), [("a\x00b", "binary"), ("a\ud800b", "encoding")])
def test_what_no_text_file_holds_is_not_written(desk: Desk, text: str, reason: str) -> None:
    view = desk.view("a.py")
    with pytest.raises(NotText) as refused:
        view.write("a.py", text)
    assert refused.value.reason == reason
    assert not (desk.workspace / "a.py").exists()


@pytest.mark.parametrize(("content", "says"), [(b"a\x00b", "binary file"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_is_no_text_cannot_be_read_or_edited_but_replaced(
    desk: Desk, content: bytes, says: str
) -> None:
    desk.files.write("a.bin", content)
    desk.owned = ("a.bin",)
    for tool, arguments in (("read_file", {}), ("edit_file", {"search": "a", "replace": "b"})):
        with pytest.raises(NotText, match=says):
            desk.call(tool, path="a.bin", **arguments)
    assert desk.call("search_files", pattern="a") == "No line matches."
    desk.call("write_file", path="a.bin", content="text\n")
    done = desk.ledger.last_write("a.bin")
    assert done is not None
    assert (done["before"], done["after"]) == (sha256(content), sha256(b"text\n"))


def test_a_file_larger_than_the_quota_is_refused_before_the_disk_is_touched(desk: Desk) -> None:
    desk.owned = ("a.txt",)
    with pytest.raises(LimitExceeded):
        desk.call("write_file", path="a.txt", content="x" * 200_001)
    assert list(desk.workspace.iterdir()) == []
    assert desk.states() == [("write", "intent"), ("write", "void")]


def test_a_guard_refuses_before_anything_is_recorded(desk: Desk) -> None:
    desk.put(a_py="x = 1\n")
    desk.owned, desk.guards = ("a.py",), (refuse_broken_syntax,)
    with pytest.raises(ToolRefused, match="line 1"):
        desk.call("write_file", path="a.py", content="def (:\n")
    with pytest.raises(ToolRefused, match="line 1"):
        desk.call("edit_file", path="a.py", search="1", replace="(")
    assert (desk.workspace / "a.py").read_text() == "x = 1\n"
    assert desk.states() == []


# Searching


def test_searching_says_where_and_when_there_is_more(desk: Desk) -> None:
    desk.put(a_py="needle\n" * (SEARCH_HITS + 5), pkg__b_py="no\nneedle 2\n", notes="needle")
    assert desk.call("search_files", pattern=r"needle \d+", glob="pkg/*") == "pkg/b.py:2: needle 2"
    assert desk.call("search_files", pattern="needle", glob="notes") == "notes:1: needle"
    assert desk.call("search_files", pattern="absent") == "No line matches."
    lines = desk.call("search_files", pattern="needle").splitlines()
    assert len(lines) == SEARCH_HITS + 1
    assert lines[-1] == "... and more; narrow the pattern or the glob"


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.py", ["a.py", "pkg/b.py"]),
        ("**/*.py", ["a.py", "pkg/b.py"]),
        ("pkg/**/*.py", []),
        ("none/*", []),
        ("**/**/a.py", ["a.py"]),
    ],
)
def test_globs_work_as_models_write_them(desk: Desk, glob: str, found: list[str]) -> None:
    desk.put(a_py="x", pkg__b_py="x", notes="x")
    lines = [f"{path}:1: x" for path in found]
    assert desk.call("search_files", pattern="x", glob=glob) == ("\n".join(lines) or "No line matches.")


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{99999999999}", "(?P<1>x)"])
def test_what_is_no_regular_expression_is_said_to_be_none(desk: Desk, pattern: str) -> None:
    desk.put(a_py="x\n")
    with pytest.raises(ToolRefused, match="is not a regular expression") as refused:
        desk.call("search_files", pattern=pattern)
    assert refused.value.reason == "pattern"


def test_a_pattern_that_would_take_for_ever_is_ended() -> None:
    with pytest.raises(ToolRefused, match=r"took more than 0\.2 seconds; repeat less in it"):
        matching_lines("(a+)+$", {"a.py": "a" * 60 + "!\n"}, 1, seconds=0.2)


# Replacing a piece


@pytest.mark.parametrize(
    ("search", "reason", "says"),
    [
        ("", "no_match", "the text to search for is empty"),
        ("absent", "no_match", r"does not stand in 'a.py'; read_file shows its exact lines"),
        ("x", "ambiguous", r"stands 2 times in 'a.py'; add lines around it until it is unique"),
    ],
)
def test_a_piece_that_does_not_stand_there_once_is_not_replaced(
    desk: Desk, search: str, reason: str, says: str
) -> None:
    desk.put(a_py="x = 1\nx = 2\n")
    desk.owned = ("a.py",)
    with pytest.raises(EditMismatch, match=says) as refused:
        desk.call("edit_file", path="a.py", search=search, replace="y")
    assert refused.value.reason == reason


def test_a_piece_of_a_file_with_windows_line_ends_is_found_and_keeps_them(desk: Desk) -> None:
    desk.put(a_py="one\r\ntwo\r\nthree\r\n")
    desk.owned = ("a.py",)
    desk.call("edit_file", path="a.py", search="one\ntwo\n", replace="1\n2\n")
    assert (desk.workspace / "a.py").read_bytes() == b"1\r\n2\r\nthree\r\n"


@settings(deadline=None, max_examples=50)
@given(before=st.text("ab\n", max_size=6), search=st.text("xyz", min_size=1), after=st.text("ab\n", max_size=6))
def test_replacing_changes_the_piece_and_nothing_else(before: str, search: str, after: str) -> None:
    assert replaced_once("f", before + search + after, search, "NEW") == f"{before}NEW{after}"


# A call that is repeated after a crash


def state(desk: Desk) -> dict[str, bytes]:
    return {path: desk.files.read(path) for path in desk.files.walk()}


CALLS: list[tuple[str, dict[str, str]]] = [
    ("write_file", {"path": "a.py", "content": "new\n"}),
    ("write_file", {"path": "new/c.py", "content": "new\n"}),
    ("edit_file", {"path": "a.py", "search": "one", "replace": "one one"}),
    ("delete_file", {"path": "a.py"}),
    ("move_file", {"source": "a.py", "target": "d/b.py"}),
]


@pytest.mark.parametrize(("tool", "arguments"), CALLS)
@pytest.mark.parametrize("died", ["before the disk", "before done", "after done"])
def test_a_call_repeated_after_a_crash_happens_once(
    desk: Desk, tool: str, arguments: dict[str, str], died: str
) -> None:
    desk.put(a_py="one\n")
    desk.owned, desk.key = ("a.py", "new/c.py", "d/b.py"), "0.2/develop/A1#0/1/0"
    before = state(desk)
    answer = desk.call(tool, **arguments)
    after = state(desk)
    assert after != before
    if died != "after done":
        desk.killed()
    if died == "before the disk":
        shutil.rmtree(desk.workspace)
        desk.workspace.mkdir()
        desk.files = ConfinedDir(desk.workspace)
        for path, content in before.items():
            desk.files.write(path, content)
    assert desk.call(tool, **arguments) == answer
    assert state(desk) == after
    assert desk.ledger.open_intents() == []
    assert [s for _, s in desk.states()].count("done") == 1
    assert {p: s for p, s in desk.ledger.files().items() if s is not None} == {
        p: sha256(c) for p, c in after.items() if p in desk.ledger.files()
    }
    assert check_chain(desk.ledger_path) == desk.ledger.head


def test_a_move_that_never_happened_is_not_taken_for_done_because_of_equal_bytes(desk: Desk) -> None:
    desk.put(a_py="same\n", b_py="same\n")
    desk.owned, desk.key = ("a.py", "b.py"), "0.2/develop/A1#0/1/0"
    with pytest.raises(PathRefused):
        desk.call("move_file", source="a.py", target="b.py")
    desk.killed()
    assert [s for _, s in desk.states()] == ["intent"]
    with pytest.raises(PathRefused):
        desk.call("move_file", source="a.py", target="b.py")
    assert set(state(desk)) == {"a.py", "b.py"}
    assert desk.ledger.files() == {}


def test_calls_without_a_key_are_each_carried_out(desk: Desk) -> None:
    desk.owned = ("a.py",)
    for text in ("1\n", "2\n", "1\n"):
        desk.call("write_file", path="a.py", content=text)
    assert [s for _, s in desk.states()].count("done") == 3


def test_a_file_that_others_run_unasked_is_flagged_in_the_ledger(desk: Desk) -> None:
    desk.owned = ("conftest.py", "Makefile", ".github/workflows/ci.yml", "a.py")
    for path in desk.owned:
        desk.call("write_file", path=path, content="x\n")
    flags = {r["path"]: r["executes_on"] for r in desk.ledger.operations(assignment="A1")}
    assert flags == {
        "conftest.py": "test",
        "Makefile": "build",
        ".github/workflows/ci.yml": "push",
        "a.py": None,
    }
