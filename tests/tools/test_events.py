"""The event log: everything in order, in full, without secrets, whoever dies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tools.errors import StorageFailed
from tools.events import EventLog, Kind, listening, now, read_events
from tools.redaction import MASK

if TYPE_CHECKING:
    from pathlib import Path


def test_events_are_numbered_on_across_openings_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit(Kind.STEP, node="plan")
    log.emit(Kind.STEP, node="check")
    log.close()
    with path.open("ab") as file:
        file.write(b'{"seq":3,"event":"ST')
    assert [event["seq"] for event in read_events(path)] == [1, 2]
    again = EventLog(path)
    again.emit(Kind.STEP, node="audit")
    again.close()
    assert [(e["seq"], e["node"]) for e in read_events(path)] == [(1, "plan"), (2, "check"), (3, "audit")]


def test_nothing_is_cut_and_secrets_are_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "canary-0123456789")
    log = EventLog(tmp_path / "events.jsonl")
    long = "line\n" * 50_000
    log.emit(Kind.TOOL_CALL, answer=long, arguments={"text": ["canary-0123456789"]})
    (event,) = read_events(tmp_path / "events.jsonl")
    assert event["answer"] == long
    assert event["arguments"] == {"text": [MASK]}
    log.close()


def test_an_error_comes_with_its_cause_and_whole_traceback(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    try:
        try:
            int("many")
        except ValueError as error:
            raise StorageFailed("the disk is odd") from error
    except StorageFailed as error:
        told = log.error(Kind.TOOL_EXECUTION_ERROR, error, turn=3)
    assert (told["error"], told["message"], told["turn"]) == ("StorageFailed", "the disk is odd", 3)
    assert "invalid literal for int() with base 10: 'many'" in told["traceback"]
    assert "direct cause" in told["traceback"]
    log.close()


async def test_a_listener_hears_what_its_own_context_emits(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    heard: dict[str, list[Any]] = {"a": [], "b": []}

    async def work(name: str) -> None:
        with listening(lambda event: heard[name].append(event["who"])):
            for _ in range(3):
                await asyncio.sleep(0)
                await asyncio.to_thread(log.emit, Kind.STEP, who=name)

    await asyncio.gather(work("a"), work("b"))
    log.emit(Kind.STEP, who="nobody")
    assert heard == {"a": ["a"] * 3, "b": ["b"] * 3}
    assert sorted(e["seq"] for e in read_events(tmp_path / "events.jsonl")) == list(range(1, 8))
    log.close()


def test_an_event_that_cannot_be_written_leaves_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit(Kind.STEP, node="plan")
    with pytest.raises(TypeError):
        log.emit(Kind.STEP, node=object())
    log.emit(Kind.STEP, node="check")
    assert [event["seq"] for event in read_events(path)] == [1, 2]
    log.close()


def test_times_are_utc_to_the_millisecond_and_never_go_back_in_text() -> None:
    first, second = now(), now()
    assert first <= second
    assert len(first) == len("2026-01-01T00:00:00.000Z")
    assert first.endswith("Z")
