"""A log has one writer: a process that slept through a takeover adds no line to what the other one wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.errors import Fenced
from tools.storage import JsonLines

if TYPE_CHECKING:
    from pathlib import Path


def test_a_writer_that_was_overtaken_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    sleeper = JsonLines(path, durable=True)
    sleeper.append({"n": 1})
    other = JsonLines(path, durable=True)
    other.append({"n": 2}, {"n": 3})
    with pytest.raises(Fenced, match=r"ledger\.jsonl' was written by another process"):
        sleeper.append({"n": 4})
    assert [line["n"] for line in other] == [1, 2, 3]
    other.append({"n": 5})
    assert [line["n"] for line in JsonLines(path, durable=True)] == [1, 2, 3, 5]
