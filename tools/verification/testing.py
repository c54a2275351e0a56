"""Running a delivered program's tests in the sandbox, test by test."""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.sandbox import python_argv
from tools.verification import judging, mutant_report, pytest_report, watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.sandbox import Execution

# Read here, for what needs them runs on an event loop.
_PYTEST_REPORT, _MUTANT_REPORT = (
    "".join(map(inspect.getsource, files))
    for files in ((judging, watching, pytest_report), (judging, mutant_report))
)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_TEMPORARY = re.compile(r"/[^\s'\"]*/pytest-of-[^/\s]+/pytest-\d+")
_OPTIONS = ("--rootdir=.", "-o", "addopts=", "-o", "pythonpath=. src")
FROM_SIGNAL = 128  # the least exit code of a process that a signal ended
_DURATION = re.compile(r"\bin \d+(?:\.\d+)?s\b")


@dataclass(frozen=True)
class TestResult:
    """What one test came to: passed, failed or skipped, with the message of its failure."""

    __test__ = False

    name: str
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class TestRun:
    """One run of a set of test files."""

    __test__ = False

    tests: tuple[TestResult, ...]
    problem: str
    execution: Execution

    @property
    def failed(self) -> tuple[TestResult, ...]:
        """The tests that failed."""
        return tuple(test for test in self.tests if test.outcome == "failed")

    @property
    def count_passed(self) -> int:
        """How many tests passed."""
        return sum(test.outcome == "passed" for test in self.tests)

    @property
    def passed(self) -> bool:
        """At least one test ran and passed, none failed, and pytest itself said so."""
        return not self.problem and not self.failed and self.count_passed > 0 and self.execution.ok

    def of(self, path: str) -> tuple[TestResult, ...]:
        """The results of one test file."""
        return tuple(test for test in self.tests if test.name.split("::", 1)[0] == path)


def is_test(path: str) -> bool:
    """Tell whether pytest would collect this file."""
    name = path.rsplit("/", 1)[-1]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def pytest_argv(paths: Sequence[str], *, again: int = 0) -> list[str]:
    """The command that runs these test files and reports on them.

    From 1 on, `again` numbers repetitions: each has a hash seed and an order of the tests of its own.
    """
    repetition = [f"{pytest_report.AGAIN}{again}"] if again else []
    return python_argv("-c", _PYTEST_REPORT, *repetition, *_OPTIONS, *paths)


def mutants_argv(plan: str, paths: Sequence[str]) -> list[str]:
    """The command that runs these test files on every mutant of a plan, a file in the workspace that it removes."""
    return python_argv("-c", _MUTANT_REPORT, plan, *_OPTIONS, *paths)


def read_run(execution: Execution) -> TestRun:
    """Read the report line out of a finished execution."""
    line = next((x for x in reversed(execution.stdout.splitlines()) if x.startswith(judging.MARK)), None)
    if execution.timed_out:
        return TestRun((), "the tests did not end within the time limit", execution)
    # A parent that was killed has printed nothing, whatever stands there.
    killed = execution.exit_code is None or execution.exit_code >= FROM_SIGNAL
    if line is None or killed:
        tail = stable("\n".join((execution.stdout + execution.stderr).strip().splitlines()[-15:]))
        return TestRun((), f"pytest did not report (exit code {execution.exit_code}): {tail}", execution)
    try:
        report = json.loads(line.removeprefix(judging.MARK))
        tests = tuple(TestResult(n, t["outcome"], stable(t["message"])) for n, t in sorted(report["tests"].items()))
        errors = [f"{e['file']} cannot be collected: {stable(e['message'])}" for e in report["errors"]]
        problem = "\n".join([*([report["problem"]] if report["problem"] else []), *errors])
    except (ValueError, KeyError, TypeError, AttributeError):
        return TestRun((), "the program under test printed over pytest's report", execution)
    if not tests:
        problem = problem or "no test was collected"
    if execution.exit_code and not any(test.outcome == "failed" for test in tests):
        # A parent that failed has printed nothing either.
        problem = problem or f"pytest ended with exit code {execution.exit_code}, which its report does not explain"
    return TestRun(tests, problem, execution)


def stable(text: str) -> str:
    """Text without what differs between two equal runs: addresses, durations, paths of this machine."""
    text = text.replace(sys.executable, "python")
    return _TEMPORARY.sub("…/pytest", _DURATION.sub("in …s", _ADDRESS.sub("0x…", text)))
