"""Tries tests on a program, on its reference and on broken versions of it, inside the sandbox.

pytest reads the tests once. Then each version gets a process of its own, and each run of the tests another: `main`, which
the tests import, only passes calls on. So a program is asked as it will be asked when it is a tool, with JSON, and it
cannot reach its judge. The files of the tests are gone before the first program starts.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools.skills.judge import serving
from tools.skills.judge.calls import read_plan, report
from tools.skills.judge.proxy import Proxy

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tools.skills.judge.asking import Running, Server

TESTS, PROPERTIES = "test.py", "properties.py"
# Parts of pytest that no test of a function needs; they take a tenth of the exam.
WITHOUT = "debugging doctest faulthandler junitxml pastebin setuponly setupplan stepwise unraisableexception"
PATIENCE = 10  # times what the program itself needs
LEAST = 0.25  # seconds of processor time for a call of a broken version
LONGEST_RUN = 15.0  # seconds for one run of the tests
RESERVE = 5.0  # seconds that are kept for what comes after the mutants


def main(servers: list[Server]) -> None:
    """Carry out the plan and print the report."""
    serving.hide()
    plan = read_plan()
    trials = Trials(plan, servers)
    names = trials.write_tests()
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--rootdir=.", "-o", "addopts="]
    options += [word for name in WITHOUT.split() for word in ("-p", f"no:{name}")]
    pytest.main([*options, *names], plugins=[trials])
    report(plan, trials.found)


@dataclass
class Run:
    """What the tests came to on one version: each test's outcome and message, and how often the program was called.

    `problem` says why the program could not be asked; `ended` is false where the tests themselves did not end.
    """

    tests: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    slowest: float = 0.0
    problem: str = ""
    ended: bool = True

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.ended and not self.problem and all(test["outcome"] != "failed" for test in self.tests.values())

    def shown(self) -> dict[str, Any]:
        """The run as the report tells it."""
        return {"tests": self.tests, "calls": self.calls, "problem": self.problem, "ended": self.ended}


class Trials:
    """A pytest plugin that carries out the whole plan in the place of one run of the tests."""

    def __init__(self, plan: dict[str, Any], servers: list[Server]) -> None:
        """Try with these servers, the second with another hash seed."""
        for server in servers:
            server.preload(plan["imports"])
        self.found: dict[str, Any] = {"errors": [], "collected": 0, "seconds": {}}
        self._plan = plan
        self._until = time.monotonic() + plan["seconds"]
        self._servers = servers
        self._proxy = sys.modules["main"] = Proxy(plan["entry"], plan["parameters"])
        self._outcomes: dict[str, dict[str, str]] = {}

    def write_tests(self) -> list[str]:
        """Leave nothing in the workspace but the tests."""
        for place in Path().iterdir():
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        texts = {TESTS: self._plan["tests"], PROPERTIES: self._plan["properties"]}
        names = [name for name, text in texts.items() if text]
        for name in names:
            Path(name).write_text(texts[name], encoding="utf-8")
        return names

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file could not be read."""
        if report.failed:
            self.found["errors"].append({"file": report.nodeid, "message": _message(report)})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst phase of each test."""
        known = self._outcomes.get(report.nodeid, {"outcome": "passed"})
        if (report.when == "call" or report.outcome != "passed") and known["outcome"] != "failed":
            self._outcomes[report.nodeid] = {"outcome": report.outcome, "message": _message(report)}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every version, in order, as long as what came before went well."""
        self._forget_files()
        tests = [item for item in session.items if item.path.name == TESTS]
        properties = [item for item in session.items if item.path.name == PROPERTIES]
        self.found["collected"] = len(tests)
        if tests and not self.found["errors"] and self._reference(tests) and self._code(tests):
            self._answers()
            self._stubs(tests)
            self._mutants(tests)
            self._properties(properties)
        return True

    def _forget_files(self) -> None:
        """Remove the tests from the disk; Python still knows their lines, to show them in a failure."""
        import linecache

        for name in (TESTS, PROPERTIES):
            path = Path(name).resolve()
            if path.exists():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
                path.unlink()

    def _reference(self, tests: list[pytest.Item]) -> bool:
        if not self._plan["reference"]:
            return True
        modules = {"main": self._plan["reference"]}
        with self._timed("reference"):
            runs = [self._try(tests, modules), self._try(tests[::-1], modules, seed=1)]
        self.found["reference"] = [run.shown() for run in runs]
        return all(run.passed for run in runs)

    def _code(self, tests: list[pytest.Item]) -> bool:
        with self._timed("code"):
            runs = [self._try(tests, self._plan["modules"])]
            if runs[0].passed:
                runs.append(self._try(tests[::-1], self._plan["modules"], seed=1))
        self.found["code"] = [run.shown() for run in runs]
        self._asked = runs[0].asked
        self._limit = max(LEAST, PATIENCE * max(run.slowest for run in runs))
        return all(run.passed for run in runs)

    def _stubs(self, tests: list[pytest.Item]) -> None:
        with self._timed("stubs"):
            stubs = {**self._plan["stubs"], **self._constant()}
            self.found["stubs"] = {name: self._survives(tests, text) for name, text in stubs.items()}

    def _constant(self) -> dict[str, str]:
        """A stub that always gives the program's first answer to the tests."""
        wanted = [self.found["answers"][self.found["inputs"].index(asked)] for asked in self._asked]
        first = next((answer for answer in wanted if answer["kind"] == "returned"), None)
        if first is None:
            return {}
        value = serving.unpacked(first["value"])
        text = f"from math import inf, nan\ndef {self._plan['entry']}(*args, **kwargs):\n    return {value!r}\n"
        return {"always gives the same answer": text}

    def _mutants(self, tests: list[pytest.Item]) -> None:
        """Try the mutants; what survives is asked all inputs, to see whether it differs at all."""
        self.found["mutants"] = {}
        sources = [] if any(self.found["stubs"].values()) else self._plan["mutants"]
        with self._timed("mutants"):
            for number, source in enumerate(sources):
                found: dict[str, Any] = {"outcome": "untried"}
                if time.monotonic() + RESERVE < self._until:
                    found["outcome"] = "survived" if self._survives(tests, source) else "noticed"
                if found["outcome"] == "survived":
                    found["differs"] = self._differing(self._asking({"main": source}, self._limit))
                self.found["mutants"][str(number)] = found

    def _differing(self, answers: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The answers that are not the program's own, by the number of the input."""
        pairs = zip(self.found["answers"], answers, strict=True)
        return {str(n): other for n, (own, other) in enumerate(pairs) if _value(own) != _value(other)}

    def _survives(self, tests: list[pytest.Item], source: str) -> bool:
        modules = {**self._plan["modules"], "main": source}
        return self._try(tests, modules, cpu_seconds=self._limit, first_only=True).passed

    def _answers(self) -> None:
        """What is to be asked of the program alone, and what it and the reference say to it here."""
        self.found["inputs"] = self._inputs()
        with self._timed("answers"):
            if self._plan["reference"]:
                self.found["expected"] = self._asking({"main": self._plan["reference"]}, self._plan["cpu_seconds"])
            self.found["answers"] = self._asking(self._plan["modules"], self._plan["cpu_seconds"])

    def _inputs(self) -> list[dict[str, Any]]:
        inputs = list(self._plan["inputs"])
        return inputs + [asked for asked in self._asked if asked not in inputs]

    def _asking(self, modules: dict[str, str], cpu_seconds: float) -> list[dict[str, Any]]:
        running = self._servers[0].start({**self._plan["modules"], **modules}, self._plan["entry"], cpu_seconds)
        found = []
        for arguments in self._inputs():
            if running.problem:
                running.end()
                running = self._servers[0].start(
                    {**self._plan["modules"], **modules}, self._plan["entry"], cpu_seconds
                )
            found.append(running.ask([], arguments))
        running.end()
        return found

    def _properties(self, items: list[pytest.Item]) -> None:
        """Try the property tests, and where they fail ask whether they hold for the reference."""
        if not items:
            return
        with self._timed("properties"):
            run = self._try(items, self._plan["modules"])
            self.found["properties"] = run.shown()
            if not run.passed and self._plan["reference"]:
                self.found["properties on reference"] = self._try(items, {"main": self._plan["reference"]}).shown()

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.found["seconds"][phase] = time.monotonic() - begin

    def _try(
        self,
        items: list[pytest.Item],
        modules: dict[str, str],
        *,
        seed: int = 0,
        cpu_seconds: float = 0,
        first_only: bool = False,
    ) -> Run:
        """Run tests in a process of their own on a program in another."""
        running = self._servers[seed].start(modules, self._plan["entry"], cpu_seconds or self._plan["cpu_seconds"])
        try:
            if running.problem:
                return Run(problem=f"it cannot be imported: {running.problem}")
            return self._forked(items, running, first_only)
        finally:
            running.end()

    def _forked(self, items: list[pytest.Item], running: Running, first_only: bool) -> Run:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                os.close(reading)
                self._run(items, running, first_only)
                content = {
                    "tests": self._outcomes,
                    "calls": self._proxy.calls,
                    "asked": self._proxy.asked,
                    "slowest": running.slowest,
                }
                with open(writing, "wb") as pipe:
                    pipe.write(json.dumps(content).encode())
            finally:
                os._exit(0)
        os.close(writing)
        text = _read(reading, min(self._until, time.monotonic() + LONGEST_RUN))
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        try:
            content = json.loads(text)
        except ValueError:
            return Run(ended=False)
        return Run(**content)

    def _run(self, items: list[pytest.Item], running: Running, first_only: bool) -> None:
        self._proxy.running = running
        for item in items if first_only else ():  # nobody reads why, and telling it well takes long
            item.repr_failure = lambda *_, **__: "noticed"  # type: ignore[method-assign]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if first_only and any(test["outcome"] == "failed" for test in self._outcomes.values()):
                return


def _value(answer: dict[str, Any]) -> str:
    """An answer without what differs between two equal ones."""
    return json.dumps({name: part for name, part in answer.items() if name not in ("seconds", "message")})


def _read(descriptor: int, until: float) -> bytes:
    """All that is written to a pipe, until it is closed or the time is over."""
    import select

    found = b""
    with open(descriptor, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            block = pipe.read(65536)
            if not block:
                break
            found += block
    return found


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The exception's own message where pytest knows it, else the last lines of its text."""
    if report.outcome == "passed":
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        where = Path(crash.path).name
        # What the program raised was raised again by us: that line would tell its author nothing.
        return (
            f"{crash.message} (line {crash.lineno} of {where})"
            if where in (TESTS, PROPERTIES)
            else str(crash.message)
        )
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return "\n".join(str(report.longrepr).splitlines()[-12:])
