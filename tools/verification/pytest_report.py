"""Runs pytest inside the sandbox and prints what every test came to, as one line of JSON.

This file's text is handed to the sandboxed interpreter, so it may import nothing of ours.
"""

import json
import sys

import pytest

MARK = "MILLWRIGHT-REPORT "


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


if __name__ == "__main__":
    sys.exit(pytest.main([*sys.argv[1:], "-q", "-p", "no:cacheprovider", "--tb=short"], plugins=[Report()]))
