"""Whatever a reply holds, only valid calls and typed refusals come out of reading and carrying out, in bounded time."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from agents.contracts import Assignment
from agents.developer import closing_tools
from agents.models.protocols import Rung
from agents.models.reading import Surroundings, known_files, read_reply
from agents.toolbox import Toolbox
from tools.runs.lineage import Position
from tools.runs.run import Run, create_run
from tools.verification.guards import write_guards
from tools.workspace.filetools import file_tools
from tools.workspace.ledger import Actor
from tools.workspace.view import WorkspaceView

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = ("calc.py", "data.json")
NAMES = ("write_file", "edit_file", "read_file", "list_files", "search_files", "finish", "raise_callback")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
odd_texts = st.sampled_from(
    ["\x00", "\ud800", "\x1b[31m", "a" * 70_000, "../x", "~/x", "/etc/passwd", "calc.py", "", "…", "{'a':"]
)
arguments = st.dictionaries(
    st.sampled_from(
        ["path", "content", "search", "replace", "pattern", "files", "summary", "level", "type", "id", "x"]
    )
    | st.text(max_size=6),
    values | odd_texts,
    max_size=6,
)
names = st.sampled_from(
    [*NAMES, "create_file", "bash", "", "write_file ", "functions.write_file", "__class__"]
) | st.text(max_size=12)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILLWRIGHT_HOME", str(tmp_path_factory.mktemp("home")))
        yield create_run("malformed", goal="x")


@pytest.fixture(scope="module")
def toolbox(run: Run) -> Toolbox:
    from graphs.session import journal_of

    assignment = Assignment(id="A1", title="t", task="t", paths=list(PATHS))
    view = WorkspaceView(
        run.files, run.store, run.ledger, run.events,
        actor=Actor("developer", "A1"), base=None, owned=PATHS, guards=write_guards(),
    )  # fmt: skip
    tools = [*file_tools(view), *closing_tools(view, assignment)]
    return Toolbox(
        tools, view=view, journal=journal_of(run), events=run.events, place=Position(0, 0), scope="develop/A1#0"
    )


_turns = iter(range(10**9))


def carried_out(toolbox: Toolbox, message: AIMessage, rung: Rung = Rung.NATIVE) -> list[Any]:
    turn = next(_turns)
    reading = read_reply(
        message, rung, Surroundings(toolbox.schemas, "finish", PATHS, {"calc.py": "x = 1\n"}), turn
    )
    calls = [*reading.calls, *reading.unreadable]
    return [asyncio.run(toolbox.run(call, turn, index)) for index, call in enumerate(calls)]


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=names, given_arguments=arguments | values)
def test_a_call_is_carried_out_or_refused_with_a_reason(toolbox: Toolbox, name: str, given_arguments: Any) -> None:
    if isinstance(given_arguments, dict):
        message = AIMessage("", tool_calls=[{"name": name, "args": given_arguments, "id": "1"}])
    else:
        raw = json.dumps(given_arguments)
        message = AIMessage("", invalid_tool_calls=[{"name": name, "args": raw, "id": "1", "error": None}])
    (answer,) = carried_out(toolbox, message)
    kept = answer.artifact
    assert answer.tool_call_id == "1"
    assert kept["refused"] == (answer.status == "error") == bool(kept["reason"])
    assert kept["refused"] or kept["name"] in toolbox.tools
    assert len(answer.text) < 100_000
    assert not kept["refused"] or answer.text.startswith("Error: ")


@settings(deadline=None, max_examples=60)
@given(
    text=st.lists(
        st.text(max_size=40)
        | st.sampled_from(
            [
                '{"name": "write_file", "arguments": {"path": "calc.py", "content": "x"}}',
                '{"name": "write_file", "arguments": {"path": "calc.py", ',
                "<tool_call>", "</tool_call>", "```", "```python", "calc.py\n", "<<<<<<< SEARCH\n", "=======\n",
                ">>>>>>> REPLACE\n", "DONE\n", "BLOCKED: x\n", "[TOOL_CALLS]", "<function=finish>", "\x00", "\ud800",
            ]
        ),
        max_size=12,
    ).map("".join),
    rung=st.sampled_from(Rung),
)  # fmt: skip
@example(
    text='<function=finish>{"name": "write_file", "arguments": {"path": "calc.py", "content": "x"}}',
    rung=Rung.NATIVE,
)
def test_any_text_is_read_as_offered_calls_or_as_nothing(text: str, rung: Rung) -> None:
    around = Surroundings(
        {name: {"type": "object"} for name in NAMES}, "finish", PATHS, {"calc.py": "x = 1\n"}, "calc.py"
    )
    reading = read_reply(AIMessage(text), rung, around, 0)
    again = read_reply(AIMessage(text), rung, around, 0)
    assert reading == again
    assert all(call["name"] in NAMES for call in reading.calls)
    assert not reading.unreadable


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.parametrize(
    "piece",
    [
        "<tool_call>",
        '{"name": "write_file", ',
        "```\n",
        "calc.py\n```\nx\n",
        "a",
        "[",
        "<<<<<<< SEARCH\n",
        "DONE\n",
    ],
)
def test_a_megabyte_is_read_in_bounded_work(rung: Rung, piece: str) -> None:
    around = Surroundings(
        {name: {"type": "object"} for name in NAMES}, "finish", PATHS, {"calc.py": "x = 1\n"}, "calc.py"
    )
    began = time.process_time()
    read_reply(AIMessage(piece * (1_000_000 // len(piece))), rung, around, 0)
    assert time.process_time() - began < 20  # quadratic work would take minutes


def test_more_calls_than_one_reply_may_hold_are_left_out(toolbox: Toolbox) -> None:
    calls = [{"name": "list_files", "args": {}, "id": str(n)} for n in range(100)]
    reading = read_reply(AIMessage("", tool_calls=calls), Rung.NATIVE, Surroundings(toolbox.schemas), 0)
    assert (len(reading.calls), reading.left_out) == (32, 68)


def test_a_file_that_was_not_shown_is_read_before_it_is_edited(run: Run, toolbox: Toolbox) -> None:
    (Path(run.workspace) / "data.json").write_text('{"a": 1}\n')
    edit = {"name": "edit_file", "args": {"path": "data.json", "search": "1", "replace": "2"}, "id": "1"}
    read = {"name": "read_file", "args": {"path": "./data.json"}, "id": "2"}
    answers = carried_out(toolbox, AIMessage("", tool_calls=[edit, read, edit]))
    assert [a.artifact["reason"] for a in answers] == ["unread", "", ""]
    assert (Path(run.workspace) / "data.json").read_text() == '{"a": 2}\n'


def test_an_agents_files_follow_from_its_calls() -> None:
    def done(name: str, **arguments: str) -> dict[str, Any]:
        return {"name": name, "arguments": arguments, "refused": False}

    calls = [
        done("write_file", path="./a.py", content="A = 1\n"),
        {**done("write_file", path="b.py", content="no"), "refused": True},
        done("edit_file", path="a.py", search="1", replace="2"),
        done("move_file", source="old.py", target="new.py"),
        done("delete_file", path="gone.py"),
    ]
    found = known_files({"old.py": "O", "gone.py": "G"}, calls)
    assert found == {"a.py": "A = 2\n", "new.py": "O"}
