"""Runs pytest inside the sandbox and prints what every test came to, as one line of JSON.

This file's text is handed to the sandboxed interpreter, so it may import nothing of ours.
"""

import json
import os
import random
import sys

MARK = "MILLWRIGHT-REPORT "
AGAIN = "--again="  # as the first argument: which repetition this is, from 1

if __name__ == "__main__" and sys.argv[1:2] and sys.argv[1].startswith(AGAIN):
    seed = sys.argv[1].removeprefix(AGAIN)
    if os.environ.get("PYTHONHASHSEED") != seed:
        # A hash seed is taken up when Python starts, and starting is cheap before pytest is loaded.
        argv, environment = [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": seed}
        os.execve(sys.executable, argv, environment)  # noqa: S606 - this very command once more

import pytest  # noqa: E402


class Report:
    """A pytest plugin that collects outcomes without times or addresses."""

    def __init__(self) -> None:
        """Start with nothing collected."""
        self.tests: dict[str, dict[str, str]] = {}
        self.errors: list[dict[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst phase of each test."""
        if report.when == "call" or report.outcome != "passed":
            known = self.tests.get(report.nodeid, {"outcome": "passed"})
            if known["outcome"] != "failed":
                self.tests[report.nodeid] = {"outcome": report.outcome, "message": message(report)}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file could not be collected."""
        if report.failed:
            self.errors.append({"file": report.nodeid, "message": message(report)})

    def pytest_unconfigure(self) -> None:
        """Print the report when pytest has given the terminal back."""
        sys.stdout.flush()
        print("\n" + MARK + json.dumps({"tests": self.tests, "errors": self.errors}), flush=True)  # noqa: T201


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


def main(words: list[str]) -> int:
    """Run pytest with these arguments, in the order of the repetition that the first one names, if it does."""
    again = 0
    if words and words[0].startswith(AGAIN):
        again = int(words.pop(0).removeprefix(AGAIN))
    options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
    return int(pytest.main([*words, *options], plugins=[Report(), Order(again)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
