"""What the journal answers after a crash, and what the cassette that it is refuses to answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.models.cassette import CassettePlayer
from agents.models.journal import Journal, Request
from tools.errors import CassetteDivergence, CassetteError, CassetteVersion
from tools.runs.lineage import Lineage, Position

if TYPE_CHECKING:
    from pathlib import Path

HERE = Position(0, 0)
ASKED = Request("develop/A1#0", 0, (HumanMessage("Write it."),), ("write_file",), temperature=0.2)
CALLS = AIMessage(
    "so",
    tool_calls=[{"name": "write_file", "args": {"path": "a.py"}, "id": "1", "type": "tool_call"}],
    invalid_tool_calls=[{"name": "x", "args": "{", "id": "2", "error": None, "type": "invalid_tool_call"}],
)


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path / "lineage.jsonl")


def journal(tmp_path: Path, lineage: Lineage) -> Journal:
    found = Journal(tmp_path / "cassette.jsonl", lineage)
    found.open(version="1", goal="x")
    return found


def kept(tmp_path: Path, lineage: Lineage, request: Request = ASKED, **how: Any) -> Journal:
    found = journal(tmp_path, lineage)
    found.keep(HERE, request, **{"message": CALLS, "fault": None, "seconds": 1.5, **how})
    return found


def test_a_finished_call_is_answered_word_for_word_after_a_restart(tmp_path: Path, lineage: Lineage) -> None:
    kept(tmp_path, lineage).close()
    found = Journal(tmp_path / "cassette.jsonl", lineage).recall(HERE, ASKED)
    assert found is not None
    assert found.message is not None
    assert (found.message.content, found.fault) == ("so", None)
    assert found.message.tool_calls == CALLS.tool_calls
    assert found.message.invalid_tool_calls == CALLS.invalid_tool_calls
    assert found.message.response_metadata["seconds"] == 1.5


def test_a_call_that_ended_in_a_fault_ends_in_it_again(tmp_path: Path, lineage: Lineage) -> None:
    fault = {"kind": "time_limit", "message": "late"}
    found = kept(tmp_path, lineage, message=None, fault=fault).recall(HERE, ASKED)
    assert found is not None
    assert (found.message, found.fault) == (None, fault)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, messages=(HumanMessage("Write it!"),)),
        replace(ASKED, tools=()),
        replace(ASKED, answer="Plan"),
        replace(ASKED, temperature=None),
        replace(ASKED, turn=1),
        replace(ASKED, scope="develop/A1#1"),
    ],
)
def test_another_question_gets_no_old_answer(tmp_path: Path, lineage: Lineage, other: Request) -> None:
    assert kept(tmp_path, lineage).recall(HERE, other) is None


def test_a_call_whose_line_was_torn_was_never_finished(tmp_path: Path, lineage: Lineage) -> None:
    kept(tmp_path, lineage).close()
    path = tmp_path / "cassette.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    found = Journal(path, lineage)
    assert found.recall(HERE, ASKED) is None
    found.keep(HERE, ASKED, message=CALLS, fault=None)
    assert len(found.calls()) == 1


def test_calls_and_choices_of_an_abandoned_branch_do_not_count(tmp_path: Path, lineage: Lineage) -> None:
    found = kept(tmp_path, lineage)
    first = lineage.advance("plan", None, None)
    found.keep(lineage.place(first), ASKED, message=CALLS, fault=None)
    found.keep_choice(HERE, "develop/A1", {"window": 1})
    found.keep_choice(lineage.place(first), "develop/A1", {"window": 2})
    assert (len(found.calls()), found.earlier(lineage.place(first), ASKED.scope, 0)) == (2, 1)
    lineage.arrive(first)
    lineage.advance("develop", first, None)
    lineage.fork(first)
    after = lineage.place(first)
    assert (after.branch, len(found.calls())) == (1, 1)
    assert found.recall(after, ASKED) is None
    assert (found.earlier(after, ASKED.scope, 0), found.earlier_choices(after, "develop/A1")) == (1, 1)


def test_a_message_that_is_sent_again_is_kept_once(tmp_path: Path, lineage: Lineage) -> None:
    found = kept(tmp_path, lineage)
    found.keep(HERE, replace(ASKED, turn=1), message=CALLS, fault=None)
    lines = (tmp_path / "cassette.jsonl").read_bytes().splitlines()
    assert [b'"kind":"message"' in line for line in lines] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(ASKED, messages=(HumanMessage("Write it!"),)), "recorded 'Write it.', now 'Write it!'"),
        (replace(ASKED, tools=("read_file",)), r"recorded with the tools \['write_file'\], now \['read_file'\]"),
        (replace(ASKED, answer="Plan"), "recorded with the answer form '', now 'Plan'"),
        (replace(ASKED, temperature=0.7), "recorded at the temperature 0.2, now 0.7"),
        (replace(ASKED, turn=1), "the recording has no such call"),
    ],
)
def test_a_replay_names_what_differs(tmp_path: Path, lineage: Lineage, other: Request, told: str) -> None:
    kept(tmp_path, lineage)
    player = CassettePlayer(tmp_path / "cassette.jsonl")
    assert player.answer(ASKED, 0).message.content == "so"
    with pytest.raises(CassetteDivergence, match=told):
        player.answer(other, 0)
    with pytest.raises(CassetteDivergence, match="no such call"):
        player.answer(ASKED, 1)


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (None, CassetteError, "there is no cassette at"),
        (b"", CassetteError, "its first line is not a cassette header"),
        (b"no\n", CassetteError, "is not a cassette"),
        (b'{"format":1,"kind":"cassette","version":"0.0"}\n', CassetteVersion, r"format 1, .* reads 2; .*\(0.0\)"),
    ],
)
def test_what_is_no_cassette_of_this_version_is_refused(
    tmp_path: Path, content: bytes | None, error: type[Exception], told: str
) -> None:
    path = tmp_path / "cassette.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=told):
        CassettePlayer(path)
