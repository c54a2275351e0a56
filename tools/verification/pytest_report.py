"""Runs pytest inside the sandbox and prints what every test came to, as one line of JSON.

This file's text, behind those of `judging` and `watching`, is handed to the sandboxed interpreter. pytest runs in a
child, in one process with the program under test, which could say anything in its name. `watching` says what is done
about it. Code that reads this process's memory, or was written against these very files, can still lie.
"""

import ast
import os
import random
import sys
from collections.abc import Generator

if __name__ != "__main__":  # else they stand above
    from tools.verification.judging import guard, heard, opened, tell, unguard
    from tools.verification.watching import EVENT, TAMPERED, watch

AGAIN = "--again="  # as the first argument: which repetition this is, from 1
# What decides on a test's outcome. A conftest.py may set up, order and skip as it likes.
DECIDING = (
    "pytest_cmdline_main", "pytest_runtestloop", "pytest_runtest_protocol", "pytest_runtest_call",
    "pytest_pyfunc_call", "pytest_runtest_makereport", "pytest_runtest_logreport",
)  # fmt: skip

if __name__ == "__main__" and sys.argv[1:2] and sys.argv[1].startswith(AGAIN):
    seed = sys.argv[1].removeprefix(AGAIN)
    if os.environ.get("PYTHONHASHSEED") != seed:
        # A hash seed is taken up when Python starts, and starting is cheap before pytest is loaded.
        argv, environment = [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": seed}
        os.execve(sys.executable, argv, environment)  # noqa: S606 - this very command once more

import pytest  # noqa: E402


class Report:
    """A pytest plugin that tells outcomes, without times or addresses."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell why a file could not be collected."""
        if report.failed:
            sys.audit(EVENT, "error", report.nodeid, message(report), "")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell which tests there are, and whether anything but pytest has a say in them."""
        for hook in DECIDING:
            for found in getattr(session.config.hook, hook).get_hookimpls():
                sys.audit(EVENT, "hook", hook, str(found.plugin_name), found.function)
        for item in session.items:
            sys.audit(EVENT, "item", item.nodeid, "", "")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Look at pytest before it makes a report of what it saw."""
        sys.audit(EVENT, "look", "", "", "")
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell what one phase of a test came to; of a part of a test, only that it failed."""
        whole = type(report) is pytest.TestReport
        if report.outcome == "failed" or (whole and (report.when == "call" or report.outcome != "passed")):
            sys.audit(EVENT, "test", report.nodeid, report.outcome, message(report))
        elif whole:
            sys.audit(EVENT, "look", "", "", "")


class Order:
    """A pytest plugin that runs the tests in another order: backwards the first time again, then shuffled."""

    def __init__(self, again: int) -> None:
        """Order for this repetition; 0 changes nothing."""
        self.again = again

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests into their order."""
        if self.again == 1:
            items.reverse()
        elif self.again:
            random.Random(self.again).shuffle(items)  # noqa: S311 - an order, no secret


def message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The exception's own message where pytest knows it, else the last lines of its text."""
    if report.outcome == "passed":
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return f"{crash.message} (line {crash.lineno} of {crash.path})"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return "\n".join(str(report.longrepr).splitlines()[-12:])


class Told:
    """What the child told until it ended."""

    def __init__(self, said: bytes, key: bytes, code: int) -> None:
        """Make sense of what came through the pipe, and of the child's exit code."""
        self.tests: dict[str, dict[str, str]] = {}
        self.errors: list[dict[str, str]] = []
        self._items: list[str] = []
        self._strange: list[str] = []
        self.code: int | None = None
        try:
            for payload in opened(key, said):
                self._take(*ast.literal_eval(payload.decode()))
        except ValueError as error:
            self._strange.append(str(error))
        self._ended_with = code

    @property
    def problem(self) -> str:
        """What is wrong with the run as a whole, empty if nothing is."""
        missing = [item for item in self._items if item not in self.tests]
        if self._strange:
            return f"the tests were tampered with: {'; '.join(dict.fromkeys(self._strange))}"
        if self.code is None:
            return f"the program ended the process of its tests, with exit code {self._ended_with}"
        if missing and not self.errors:
            return f"{missing[0]} was collected, and came to nothing"
        return ""

    def _take(self, kind: str, first: str, second: str = "", third: str = "") -> None:
        if kind == TAMPERED:
            self._strange.append(first)
        elif kind == "end":
            self.code = int(first)
        elif kind == "item":
            self._items.append(first)
        elif kind == "error":
            self.errors.append({"file": first, "message": second})
        elif kind == "test" and self.tests.get(first, {"outcome": "passed"})["outcome"] != "failed":
            # The worst phase of each test counts.
            self.tests[first] = {"outcome": second, "message": third}


def main(words: list[str]) -> int:
    """Run pytest with these arguments, in the order of the repetition that the first one names, if it does."""
    again = 0
    if words and words[0].startswith(AGAIN):
        again = int(words.pop(0).removeprefix(AGAIN))
    guard()
    key, (reading, writing) = os.urandom(32), os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        unguard()
        watch(key, writing)
        key = b""  # from here on only the hook has it
        options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
        code = int(pytest.main([*words, *options], plugins=[Report(), Order(again)]))
        sys.audit(EVENT, "end", f"{code}", "", "")
        return code
    os.close(writing)
    said, code = heard(child, reading)
    told = Told(said, key, code)
    tell(told.tests, told.errors, told.problem)
    return told.code or (1 if told.problem else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
