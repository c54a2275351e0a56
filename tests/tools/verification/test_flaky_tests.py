"""Which tests are told as flaky, and how."""

from __future__ import annotations

from tools.sandbox import Execution
from tools.verification.flakiness import flaky
from tools.verification.testing import TestResult, TestRun

ENDED = Execution((), 0, False, "", "", 0, False, "", 0.0, "A", (), ())


def run(*tests: tuple[str, str, str], problem: str = "") -> TestRun:
    return TestRun(tuple(TestResult(*test) for test in tests), problem, ENDED)


def test_equal_runs_have_no_flaky_test() -> None:
    same = run(("t.py::a", "passed", ""), ("t.py::b", "failed", "no"))
    assert flaky([same]) == {}
    assert flaky([same, same, same]) == {}


def test_both_outcomes_are_told_with_the_first_run_of_each() -> None:
    good, bad = run(("t.py::a", "passed", "")), run(("t.py::a", "failed", "1 != 2"))
    assert flaky([good, good, bad, good]) == {"t.py::a": "passed in run 1, failed in run 3 (1 != 2)"}
    assert flaky([bad, good]) == {"t.py::a": "failed in run 1 (1 != 2), passed in run 2"}


def test_another_message_is_no_other_outcome() -> None:
    assert flaky([run(("t.py::a", "failed", "1")), run(("t.py::a", "failed", "2"))]) == {}


def test_a_run_that_did_not_end_makes_every_test_of_it_flaky() -> None:
    good = run(("t.py::a", "passed", ""))
    late = run(problem="the tests did not end within the time limit")
    why = "not run in run 2 (the tests did not end within the time limit)"
    assert flaky([good, late]) == {"t.py::a": f"passed in run 1, {why}"}
