"""Tables of the command line: names are never cut, however narrow the terminal; a pipe gets whole lines."""

from __future__ import annotations

import pytest

from millwright.cli import tables

NAME, TEXT = "takt_time_in_seconds_per_unit-1", "a description of many words, " * 8


@pytest.mark.parametrize(("columns", "lines"), [("", 2), ("200", 3), ("30", 27)])
def test_a_name_is_never_cut(
    columns: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    else:
        monkeypatch.delenv("COLUMNS", raising=False)
    table = tables.table("name", "what it does", folded=("what it does",))
    table.add_row(NAME, TEXT)
    tables.show(table)
    said = capsys.readouterr().out
    assert NAME in said
    assert "…" not in said
    assert len(said.splitlines()) == lines
