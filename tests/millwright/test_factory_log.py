"""The log of sessions: a task's line stands there once and whole, whatever happened to the session before."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import pytest

from millwright.factory_log import TaskLog
from tools.errors import MillwrightError, StorageFailed

if TYPE_CHECKING:
    from pathlib import Path

LINE = {"kind": "task", "run": "r1", "title": "Takt time"}


def written(path: Path, *records: dict[str, str]) -> None:
    log = TaskLog(path)
    for record in records:
        log.write(record)
    log.close()


def test_a_task_that_the_log_tells_of_is_not_told_again(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    written(path, LINE, {"kind": "note", "text": "the model is away"})
    written(path, LINE, {"kind": "note", "text": "the model is away"}, {**LINE, "run": "r2"})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("run") for line in lines] == ["r1", None, None, "r2"]


def test_a_torn_or_foreign_line_is_left_alone_and_ended(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    path.write_bytes(b'[1]\nnot JSON\n{"kind": "task", "run": "r1", "ti')
    written(path, LINE)
    assert json.loads(path.read_text().splitlines()[-1]) == LINE
    assert path.read_text().splitlines()[2] == '{"kind": "task", "run": "r1", "ti'


def test_a_line_for_which_there_is_no_room_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    written(path, LINE)
    before, log = path.read_bytes(), TaskLog(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        with pytest.raises(StorageFailed, match="the disk is full"):
            log.write({**LINE, "run": "r2"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    log.write({**LINE, "run": "r2"})
    log.close()
    assert [json.loads(line)["run"] for line in path.read_text().splitlines()] == ["r1", "r2"]


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(MillwrightError, match=r"night.jsonl' cannot be written"):
        TaskLog(tmp_path / "missing" / "night.jsonl")
