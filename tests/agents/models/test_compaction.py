"""A conversation that is too long loses what matters least first, and never its opening or its calls."""

from __future__ import annotations

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agents.models.compaction import compacted, prompt_size, room_for
from agents.models.honesty import context_lost
from agents.models.protocols import as_text
from agents.models.repetition import SPAN, RepetitionWatch, repeated


def conversation(turns: int = 6, size: int = 4000) -> list[BaseMessage]:
    found: list[BaseMessage] = [SystemMessage("rules"), HumanMessage("the task")]
    for n in range(turns):
        call = {"name": "read_file", "args": {"path": f"f{n}.py", "note": "n" * size}, "id": str(n)}
        found += [AIMessage("thinking aloud"), HumanMessage("use a tool"), AIMessage("", tool_calls=[call])]
        found.append(ToolMessage("r" * size, tool_call_id=str(n)))
    return found


def test_what_fits_stays_as_it_is() -> None:
    messages = conversation()
    assert compacted(messages, 2, None) == messages
    assert compacted(messages, 2, prompt_size(messages)) == messages


def test_the_tiers_go_in_order_and_stop_when_there_is_room() -> None:
    messages = conversation()
    whole = prompt_size(messages)
    first = compacted(messages, 2, whole - 1)
    assert sum(isinstance(m, HumanMessage) for m in first) == 2  # the task, and the newest reminder
    assert sum(len(m.text) == 4000 for m in first) == 6
    second = compacted(messages, 2, prompt_size(first) - 1)
    assert sum(len(m.text) == 4000 for m in second) == 1
    assert (
        sum(len(c["args"]["note"]) == 4000 for m in second if isinstance(m, AIMessage) for c in m.tool_calls) == 6
    )
    third = compacted(messages, 2, prompt_size(second) - 1)
    assert sum(len(c["args"]["note"]) == 4000 for m in third if isinstance(m, AIMessage) for c in m.tool_calls) == 1
    last = compacted(messages, 2, 10)
    assert prompt_size(last) < whole / 20


def test_opening_and_skeleton_stay_and_calls_keep_their_results() -> None:
    messages = conversation()
    last = compacted(messages, 2, 10)
    assert last[:2] == messages[:2]
    calls = [c["id"] for m in last if isinstance(m, AIMessage) for c in m.tool_calls]
    results = [m.tool_call_id for m in last if isinstance(m, ToolMessage)]
    assert calls == results == [str(n) for n in range(6)]
    assert [c["args"]["path"] for m in last if isinstance(m, AIMessage) for c in m.tool_calls] == [
        f"f{n}.py" for n in range(6)
    ]


def test_the_same_conversation_is_always_shortened_the_same_way() -> None:
    assert compacted(conversation(), 2, 2000) == compacted(conversation(), 2, 2000)


def test_the_answer_has_room_in_every_window() -> None:
    assert room_for(None) is None
    for window in (2048, 4096, 8192, 32768, 131072):
        room = room_for(window)
        assert room is not None
        assert 512 <= room < window


def test_a_count_far_below_the_estimate_means_that_the_front_was_lost() -> None:
    assert "evaluated 2000 tokens of a prompt of about 9000" in context_lost({"estimated": 9000, "evaluated": 2000})
    for prompt in (
        {},
        {"estimated": 9000},
        {"estimated": 9000, "evaluated": 0},
        {"estimated": 9000, "evaluated": 4000},
    ):
        assert context_lost(prompt) == ""
    assert context_lost({"estimated": 300, "evaluated": 20}) == ""


def test_a_conversation_as_text_has_no_calls_left() -> None:
    found = as_text(conversation(1))
    assert {type(m) for m in found} == {SystemMessage, HumanMessage, AIMessage}
    assert not any(m.tool_calls for m in found if isinstance(m, AIMessage))
    assert "(used read_file f0.py)" in found[-2].text
    assert found[-1].text.startswith("Result of ")


def test_repetition_is_noticed_and_real_text_is_not() -> None:
    watch = RepetitionWatch()
    told = [watch.feed("again and again. ") for _ in range(2000)]
    assert next(text for text in told if text) in "again and again. " * 3
    assert sum(map(bool, told)) > 1
    table = "".join(f"| {n} | {n * n} | row |\n" for n in range(2000))
    quiet = RepetitionWatch()
    assert not any(quiet.feed(table[n : n + 50]) for n in range(0, len(table), 50))
    assert repeated("0, " * SPAN) == "0, "
    assert repeated("".join(map(str, range(3000)))) == ""
