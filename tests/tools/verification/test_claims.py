"""What a finishing message claims is taken only from what it says it did, and compared with the ledger."""

from __future__ import annotations

import time

import pytest

from tools.verification.claims import judged, outright

WRITTEN = {"calc.py", "pkg/use.py"}


def found(text: str) -> list[tuple[str, bool]]:
    return [(claim.kind, claim.true) for claim in judged(text, WRITTEN, ["/usr/bin/python -m pytest -q"])]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("I created 2 files.", [("count", True)]),
        ("I created three new Python files.", [("count", False)]),
        ("Wrote `calc.py` and pkg/use.py.", [("path", True), ("path", True)]),
        ("Created calc.py, use.py and docs/guide.md.", [("path", True), ("path", True), ("path", False)]),
        ("Ran pytest; all tests pass.", [("command", True), ("tests", True)]),
        ("I ran mypy over it.", [("command", False)]),
        ("All 12 tests passed.", [("tests", True)]),
    ],
)
def test_claims_are_found_and_judged(text: str, claims: list[tuple[str, bool]]) -> None:
    assert found(text) == claims


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The module uses json and reads data.json.",
        "You should run pytest.",
        "I did not create docs/guide.md.",
        "I couldn't create 3 files.",
        "It will be tested by the tester; run the tests to see.",
        "A function that was updated for the new format.",
        "add() now refuses negative numbers.",
    ],
)
def test_mentions_wishes_and_denials_are_no_claims(text: str) -> None:
    assert found(text) == []


def test_without_commands_nothing_was_run() -> None:
    assert [c.true for c in judged("All tests pass. I ran pytest.", WRITTEN, [])] == [False, False]


def test_a_very_long_message_is_read_in_bounded_work() -> None:
    began = time.process_time()
    judged("created " * 200_000, WRITTEN, [])
    judged("wrote the " + "a/" * 300_000, WRITTEN, [])
    outright("wrote " + "the " * 200_000)
    outright("I have created " * 200_000)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("Created docs/guide.md.", ["docs/guide.md"]),
        ("I have created `a.py` with two functions. Also updated b.py", ["a.py", "b.py"]),
        ("- Wrote calc.py: adds numbers\n- wrote the file test_calc.py\n", ["calc.py", "test_calc.py"]),
        ("1. I've updated settings.json to hold the limit.", ["settings.json"]),
    ],
)
def test_what_is_said_outright_is_taken(text: str, paths: list[str]) -> None:
    assert outright(text) == paths


@pytest.mark.parametrize(
    "text",
    [
        "Every file is written.",
        "Added config.py support to the loader.",
        "calc.py uses the generated report.py.",
        "Tests for the created calc.py are left to the tester.",
        "I did not create docs/guide.md.",
        "I would have created docs/guide.md, but it is not mine.",
        "report.py reads what stock.py wrote; stock.py was updated by A1.",
        "Updated the import of stock.py in my files.",
        "The program saves data.csv at run time. Saved data.csv at the end of a run is plain text.",
        "Wrote Node.js code. Created Node.js, as asked.",
        "Once created calc.py must stay as it is.",
        "To be created: docs/guide.md.",
        "Changed calc.py import order.",
        "Wrote tests for calc.py and documented e.g. rounding.",
        "A user who created notes.txt can read it.",
    ],
)
def test_honest_ways_of_speaking_are_no_claim_of_having_written(text: str) -> None:
    assert outright(text) == []
