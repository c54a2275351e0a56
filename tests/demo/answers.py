"""The answers of the demo's model: what a capable local model says, with its honest mistakes."""

from __future__ import annotations

from typing import Any

from crew import Crew, assignment
from servers.ollama import Reply, call

GOAL = """\
Write a small command line program, worklog, that adds up the time in a plain text work log.
Each line of the log reads DATE PROJECT DURATION NOTE, such as: 2026-03-02 atlas 1h30m fixed the importer.
`python -m worklog FILE` prints the total per project, largest first, and the total of all.
Durations are written like 45m, 2h or 1h30m; anything else is an error. Blank lines and lines that start with # are
skipped. A wrong line or a missing file ends with one sentence on standard error and exit code 2. Include a README.md."""

DURATIONS_TASK = """\
Write worklog/durations.py with two functions.
parse_duration(text: str) -> int returns minutes. Accepted are hours, minutes, or both, in this order: "2h", "45m",
"1h30m". Anything else, including the empty text, "h", "1h30", "30m1h" and "1h 30m", raises ValueError with a message that
holds the text.
format_duration(minutes: int) -> str is the opposite: 45 -> "45m", 120 -> "2h", 90 -> "1h30m", 0 -> "0m"."""

ENTRIES_TASK = """\
Write worklog/entries.py, which uses parse_duration from worklog.durations.
Entry is a frozen dataclass with date: datetime.date, project: str, minutes: int, note: str.
read_entries(text: str) -> list[Entry] reads a whole log. A line is DATE PROJECT DURATION NOTE, separated by white space;
the note may be empty and may hold spaces. Blank lines and lines that start with # are skipped. A wrong line raises
ValueError whose message begins with "line N: ", N counted from 1 over all lines of the text.
totals(entries: list[Entry]) -> dict[str, int] returns the minutes per project, largest first, equal ones by name."""

MAIN_TASK = """\
Write worklog/__main__.py, the command line.
main(argv: list[str] | None = None) -> int takes one argument, the path of a log. It prints one line per project, the
name padded to the longest name, two spaces, the duration as format_duration writes it, in the order of totals(), and
last a line "total" in the same form. It returns 0. A file that cannot be read, or a wrong line, prints one sentence to
standard error that begins with "worklog: " and returns 2. The module calls sys.exit(main()) when it is run."""

DURATIONS_TEST_TASK = """\
Write tests/test_durations.py for worklog/durations.py.
parse_duration("2h") is 120, "45m" is 45, "1h30m" is 90. The empty text, "h", "1h30", "30m1h", "1h 30m" and "90" each raise
ValueError, and the message holds the text. format_duration gives "45m" for 45, "2h" for 120, "1h30m" for 90 and "0m" for 0.
Formatting what was parsed gives the same text back."""

ENTRIES_TEST_TASK = """\
Write tests/test_entries.py for worklog/entries.py and worklog/__main__.py.
read_entries reads DATE PROJECT DURATION NOTE lines into Entry(date, project, minutes, note), skips blank lines and
lines that start with #, takes an empty note, and raises ValueError with "line N: " in front for a wrong date, a wrong
duration or a missing field. totals gives minutes per project, largest first, equal ones by name. main([path]) prints
the table and returns 0; for a missing file or a wrong line it prints "worklog: ..." to standard error and returns 2."""

README_TASK = """\
Write README.md: what worklog does, the form of a line, the form of a duration, an example log, the command
`python -m worklog FILE` with what it prints for that log, and the exit codes 0 and 2."""

DURATIONS_FIRST = '''\
"""Durations such as 45m, 2h or 1h30m."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:(\\d+)h)?(?:(\\d+)m)?")


def parse_duration(text: str) -> int:
    """Return the minutes of a duration.

    Raises ValueError for anything that is not hours, minutes, or both in this order.
    """
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    hours, minutes = match.groups(default="0")
    return int(hours) * 60 + int(minutes)


def format_duration(minutes: int) -> str:
    """Return minutes in the form that parse_duration reads."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}m"
    return f"{hours}h{rest}m" if rest else f"{hours}h"
'''

DURATIONS_FIXED = DURATIONS_FIRST.replace("_DURATION.match(text)", "_DURATION.fullmatch(text)").replace(
    "if match is None:", "if not text or match is None:"
)

ENTRIES = '''\
"""Entries of a work log, and their totals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from worklog.durations import parse_duration


@dataclass(frozen=True)
class Entry:
    """One line of a work log; minutes are those worked on the project."""

    date: date
    project: str
    minutes: int
    note: str


def read_entries(text: str) -> list[Entry]:
    """Read a whole log.

    Raises ValueError, with the number of the line, for a line that is not DATE PROJECT DURATION NOTE.
    """
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            entries.append(_read_line(line))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return entries


def totals(entries: list[Entry]) -> dict[str, int]:
    """Return the minutes per project, largest first, equal ones by name."""
    found: dict[str, int] = defaultdict(int)
    for entry in entries:
        found[entry.project] += entry.minutes
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _read_line(line: str) -> Entry:
    fields = line.split(maxsplit=3)
    if len(fields) < 3:
        raise ValueError("expected DATE PROJECT DURATION NOTE")
    note = fields[3].strip() if len(fields) == 4 else ""
    return Entry(date.fromisoformat(fields[0]), fields[1], parse_duration(fields[2]), note)
'''

MAIN_FIRST = '''\
"""The command line: python -m worklog FILE."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from worklog.durations import format_duration
from worklog.entries import read_entries, totals


def main(argv: list[str] | None = None) -> int:
    """Print the total per project and the total of all; return the exit code."""
    parser = argparse.ArgumentParser(prog="worklog", description="Add up the time in a work log.")
    parser.add_argument("file", type=Path, help="the work log")
    arguments = parser.parse_args(argv)
    try:
        found = totals(read_entries(arguments.file.read_text(encoding="utf-8")))
    except ValueError as error:
        print(f"worklog: {error}", file=sys.stderr)
        return 2
    rows = [*found.items(), ("total", sum(found.values()))]
    width = max(len(name) for name, _ in rows)
    for name, minutes in rows:
        print(f"{name:<{width}}  {format_duration(minutes)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

MAIN_FIXED_PIECE = ("    except ValueError as error:\n", "    except (OSError, ValueError) as error:\n")

TEST_DURATIONS = '''\
"""Tests of worklog.durations."""

import pytest

from worklog.durations import format_duration, parse_duration


@pytest.mark.parametrize(("text", "minutes"), [("2h", 120), ("45m", 45), ("1h30m", 90), ("0m", 0)])
def test_parses_hours_and_minutes(text: str, minutes: int) -> None:
    assert parse_duration(text) == minutes


@pytest.mark.parametrize("text", ["", "h", "1h30", "30m1h", "1h 30m", "90"])
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(("minutes", "text"), [(45, "45m"), (120, "2h"), (90, "1h30m"), (0, "0m")])
def test_formats_minutes(minutes: int, text: str) -> None:
    assert format_duration(minutes) == text


@pytest.mark.parametrize("text", ["1m", "59m", "1h", "1h1m", "24h"])
def test_formatting_gives_back_what_was_parsed(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
'''

TEST_ENTRIES = '''\
"""Tests of worklog.entries and of the command line."""

from datetime import date
from pathlib import Path

import pytest

from worklog.__main__ import main
from worklog.entries import Entry, read_entries, totals

LOG = """# March
2026-03-02 atlas 1h30m fixed the importer

2026-03-03 beacon 45m
2026-03-04 atlas 30m  review, twice
"""


def test_reads_every_line_that_counts() -> None:
    assert read_entries(LOG) == [
        Entry(date(2026, 3, 2), "atlas", 90, "fixed the importer"),
        Entry(date(2026, 3, 3), "beacon", 45, ""),
        Entry(date(2026, 3, 4), "atlas", 30, "review, twice"),
    ]


@pytest.mark.parametrize("line", ["yesterday atlas 1h", "2026-03-02 atlas soon", "2026-03-02 atlas"])
def test_names_the_wrong_line(line: str) -> None:
    with pytest.raises(ValueError, match="^line 3: "):
        read_entries(f"# log\\n\\n{line}\\n")


def test_totals_come_largest_first_and_equal_ones_by_name() -> None:
    entries = [Entry(date(2026, 3, 2), name, minutes, "") for name, minutes in [("b", 5), ("c", 9), ("a", 5)]]
    assert list(totals(entries).items()) == [("c", 9), ("a", 5), ("b", 5)]


def test_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.txt"
    log.write_text(LOG, encoding="utf-8")
    assert main([str(log)]) == 0
    assert capsys.readouterr().out == "atlas   2h\\nbeacon  45m\\ntotal   2h45m\\n"


def test_a_wrong_line_is_one_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.txt"
    log.write_text("2026-03-02 atlas forever\\n", encoding="utf-8")
    assert main([str(log)]) == 2
    assert capsys.readouterr().err.startswith("worklog: line 1: ")


def test_a_missing_file_is_one_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.txt")]) == 2
    assert capsys.readouterr().err.startswith("worklog: ")
'''

README = """\
# worklog

Adds up the time in a plain text work log.

A line of the log is `DATE PROJECT DURATION NOTE`, separated by white space; the note may be left out. Blank lines and
lines that start with `#` are skipped. A duration is hours, minutes, or both: `2h`, `45m`, `1h30m`.

```
# March
2026-03-02 atlas 1h30m fixed the importer
2026-03-03 beacon 45m
2026-03-04 atlas 30m review
```

    $ python -m worklog log.txt
    atlas   2h
    beacon  45m
    total   2h45m

The exit code is 0, or 2 when the file cannot be read or a line is wrong; then one sentence on standard error says why.
"""


def _written(path: str, text: str, summary: str) -> list[Reply]:
    return [
        Reply(tool_calls=[call("write_file", path=path, content=text)]),
        Reply(tool_calls=[call("finish", summary=summary, files=[path])]),
    ]


def _remediation(blockers: str) -> list[dict[str, Any]]:
    """What the manager makes of the blockers it is shown."""
    if "worklog/__main__.py" in blockers:
        return [
            {
                "blockers": ["B1"],
                "retry_for": "A3",
                "role": "developer",
                "title": "Report a file that cannot be read",
                "task": "main() lets the OSError of a missing or unreadable file through as a traceback. Catch it together "
                "with ValueError, print the same one sentence to standard error and return 2.",
                "paths": ["worklog/__main__.py"],
            }
        ]
    return [
        {
            "blockers": ["B2", "B3"],
            "retry_for": "A1",
            "role": "developer",
            "title": "Refuse durations that are only partly right",
            "task": "parse_duration accepts the empty text and ignores what follows the part it understands, because the "
            "pattern is matched at the start only and every part of it is optional. The whole text must match and at "
            "least one part must be there; otherwise raise ValueError with the text in the message.",
            "paths": ["worklog/durations.py"],
        }
    ]


CREW = Crew(
    [
        assignment("A1", "worklog/durations.py", task=DURATIONS_TASK, title="Parse and format durations",
                   checks=[{"kind": "defines", "path": "worklog/durations.py", "value": "parse_duration"},
                           {"kind": "defines", "path": "worklog/durations.py", "value": "format_duration"}]),
        assignment("A2", "worklog/entries.py", task=ENTRIES_TASK, title="Read entries and total them", after=["A1"],
                   checks=[{"kind": "defines", "path": "worklog/entries.py", "value": "Entry"}]),
        assignment("A3", "worklog/__main__.py", task=MAIN_TASK, title="The command line", after=["A1", "A2"],
                   checks=[{"kind": "command", "path": "", "value": "python -m worklog --help"}]),
        assignment("A4", "tests/test_durations.py", role="tester", task=DURATIONS_TEST_TASK, title="Test durations",
                   after=["A1"]),
        assignment("A5", "tests/test_entries.py", role="tester", task=ENTRIES_TEST_TASK, after=["A2", "A3"],
                   title="Test entries and the command"),
        assignment("A6", "README.md", task=README_TASK, title="Explain the program"),
    ],
    {
        "A1": _written("worklog/durations.py", DURATIONS_FIRST, "Wrote parse_duration and format_duration."),
        "A2": _written("worklog/entries.py", ENTRIES, "Wrote Entry, read_entries and totals."),
        "A3": _written("worklog/__main__.py", MAIN_FIRST, "Wrote the command line."),
        "A4": _written("tests/test_durations.py", TEST_DURATIONS, "Wrote the tests of durations."),
        "A5": _written("tests/test_entries.py", TEST_ENTRIES, "Wrote the tests of entries and of the command."),
        "A6": _written("README.md", README, "Wrote the README."),
        "R100": [
            Reply(tool_calls=[call("edit_file", path="worklog/__main__.py", search=MAIN_FIXED_PIECE[0],
                                   replace=MAIN_FIXED_PIECE[1])]),
            Reply(tool_calls=[call("finish", summary="A file that cannot be read now ends with one sentence and 2.",
                                   files=["worklog/__main__.py"])]),
        ],
        "R101": _written("worklog/durations.py", DURATIONS_FIXED, "The whole text must be a duration now."),
    },
    summary="A command line program that adds up a plain text work log, in three small modules with tests.",
    findings={
        "A2": [{"path": "worklog/entries.py", "severity": "warning",
                "problem": "A project name that holds spaces cannot be written; the README should say so.", "line": None}],
        "A3": [{"path": "worklog/__main__.py", "severity": "blocker", "line": 20,
                "problem": "A file that is missing or cannot be read raises OSError, which is not caught: the user gets a "
                           "traceback and exit code 1 instead of one sentence and exit code 2."}],
    },
    remediation=_remediation,
    verdict_on_finding="main() catches OSError together with ValueError now, prints the sentence and returns 2.",
)  # fmt: skip
